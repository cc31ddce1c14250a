/** How an agent stands, in a host's words. */

import type { Cast, CastAgent, Directive } from "../api";

/** Longer words are refused by the server. */
export const MAX_WORDS = 2_000;

/** What a host can write, in the order in which it is wanted. */
export const KINDS: readonly { readonly do: Directive; readonly label: string; readonly placeholder: string }[] = [
  { do: "ask", label: "Ask", placeholder: "What is still open?" },
  { do: "say", label: "Say this", placeholder: "Welcome, everyone." },
  { do: "tell", label: "Tell all", placeholder: "News: the launch moved to Monday." },
];

/** What keeps an agent from taking part, for people who do not know the states of processes. */
const ABSENCES: Readonly<Record<string, string>> = {
  waiting: "Coming",
  starting: "Coming",
  backoff: "Coming back",
  stalled: "Does not respond",
  stopping: "Leaving",
  exited: "Left",
  fatal: "Failed",
};

export function standing(agent: CastAgent, floor: string | null): string {
  const absence = ABSENCES[agent.state];
  if (absence) return absence;
  if (!agent.can_speak) return "Listens only";
  if (agent.muted) return "Muted";
  return floor === agent.identity ? "Has the floor" : "Ready";
}

/** Returns those who can be asked, or told what to say. */
export function speakers(cast: Cast): readonly CastAgent[] {
  return cast.agents.filter((agent) => agent.can_speak);
}
