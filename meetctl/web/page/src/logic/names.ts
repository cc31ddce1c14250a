/** How a person or an agent is shown where no picture is. */

export const MAX_NAME_CHARACTERS = 64;

/** Returns one or two letters that stand for the name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => [...(word ?? "")][0]?.toLocaleUpperCase() ?? "").join("") || "?";
}

/** Returns a hue, 0 to 359, that stays the same for an identity. */
export function hueOf(identity: string): number {
  let hash = 2166136261;
  for (const letter of identity) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619);
  // The golden angle spreads hashes that lie close together.
  return Math.round((Math.abs(hash) * 137.508) % 360) % 360;
}

/** Returns names as a sentence would list them: `Ada, Max and Zoë`. */
export function listed(names: readonly string[]): string {
  return new Intl.ListFormat("en", { type: "conjunction" }).format(names);
}
