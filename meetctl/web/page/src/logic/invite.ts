/** The invite of a join link: it lives in the fragment, which a browser never sends to a server. */

const KEY = "invite";

/** Returns the invite of `#invite=…`, undefined where the link has none. */
export function inviteFromHash(hash: string): string | undefined {
  return new URLSearchParams(hash.replace(/^#/, "")).get(KEY) || undefined;
}
