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

export function standing(agent: CastAgent, floor: string | null): string {
  if (!["running", "degraded"].includes(agent.state)) return agent.state[0]!.toUpperCase() + agent.state.slice(1);
  if (!agent.can_speak) return "Listens only";
  if (agent.muted) return "Muted";
  return floor === agent.identity ? "Has the floor" : "Ready";
}

/** Returns those who can be asked, or told what to say. */
export function speakers(cast: Cast): readonly CastAgent[] {
  return cast.agents.filter((agent) => agent.can_speak);
}
