/** Who is seen in the conference, in which order. */

import { ParticipantKind, type Participant } from "livekit-client";

export const ROLE = "mc.role";
export const AGENT_STATE = "lk.agent.state";
/** The tools that an agent uses at this moment. */
export const ACTIVITY = "mc.activity";
/** Set by an avatar worker that publishes in the name of an agent. */
export const ON_BEHALF = "lk.publish_on_behalf";

export type AgentState = "initializing" | "listening" | "thinking" | "speaking" | "idle";

const STATES: readonly string[] = ["initializing", "listening", "thinking", "speaking", "idle"];

type Seen = Pick<Participant, "identity" | "kind" | "attributes" | "isLocal" | "joinedAt">;

export interface TileSeat<P extends Seen> {
  readonly participant: P;
  /** Who publishes the tile's media: the participant, or the avatar worker that acts for it. */
  readonly media: P;
  readonly isAgent: boolean;
}

/** Returns the agent's own word on what it does, undefined where it says none (any program may be an agent). */
export function agentStateOf(attributes: Readonly<Record<string, string>>): AgentState | undefined {
  const state = attributes[AGENT_STATE];
  return state !== undefined && STATES.includes(state) ? (state as AgentState) : undefined;
}

/** Returns the seats to show: agents, then people, each as they came; oneself last. The chair has no seat. */
export function tileSeats<P extends Seen>(participants: readonly P[]): readonly TileSeat<P>[] {
  const present = new Set(participants.map((participant) => participant.identity));
  const actsFor = (participant: P) => {
    const whom = participant.attributes[ON_BEHALF];
    return whom !== undefined && whom !== participant.identity && present.has(whom) ? whom : undefined;
  };
  const workers = new Map(participants.flatMap((worker) => {
    const whom = actsFor(worker);
    return whom === undefined ? [] : [[whom, worker] as const];
  }));
  return participants
    .filter((participant) => participant.attributes[ROLE] !== "chair" && actsFor(participant) === undefined)
    .map((participant) => ({
      participant,
      media: workers.get(participant.identity) ?? participant,
      isAgent: participant.kind === ParticipantKind.AGENT,
    }))
    .sort((a, b) => rank(a) - rank(b) || since(a) - since(b) || (a.participant.identity < b.participant.identity ? -1 : 1));
}

function rank(seat: TileSeat<Seen>): number {
  if (seat.participant.isLocal) return 2;
  return seat.isAgent ? 0 : 1;
}

function since(seat: TileSeat<Seen>): number {
  return seat.participant.joinedAt?.getTime() ?? 0;
}
