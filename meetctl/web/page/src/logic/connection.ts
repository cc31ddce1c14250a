/** How the page is connected, from WebRTC's statistics. */

export interface Connection {
  readonly ice: string;
  readonly path: "udp" | "tcp" | "relay-udp" | "relay-tls" | null;
  /** Of what should have come since the last look. */
  readonly loss: number | null;
  readonly rtt_ms: number | null;
}

/** Packets of all tracks that come in. */
export interface Counted {
  readonly received: number;
  readonly lost: number;
}

interface Statistic {
  readonly id: string;
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Returns the connection that these statistics show, undefined where they show none. */
export function connectionOf(statistics: readonly Statistic[], before: Counted): Connection | undefined {
  const byId = new Map(statistics.map((each) => [each.id, each]));
  const transport = statistics.find(({ type, selectedCandidatePairId }) => type === "transport" && selectedCandidatePairId);
  const pair = transport
    ? byId.get(String(transport.selectedCandidatePairId))
    : statistics.find(({ type, selected, nominated, state }) => type === "candidate-pair" && (selected || (nominated && state === "succeeded")));
  if (!pair) return undefined;
  const rtt = pair.currentRoundTripTime;
  return {
    ice: typeof transport?.iceState === "string" ? transport.iceState : "connected",
    path: pathOf(byId.get(String(pair.localCandidateId))),
    loss: lossSince(before, countOf(statistics)),
    rtt_ms: typeof rtt === "number" ? Math.min(rtt * 1000, 60_000) : null,
  };
}

export function countOf(statistics: readonly Statistic[]): Counted {
  const coming = statistics.filter(({ type }) => type === "inbound-rtp");
  const sum = (key: string) => coming.reduce((total, each) => total + (Number(each[key]) || 0), 0);
  return { received: sum("packetsReceived"), lost: Math.max(0, sum("packetsLost")) };
}

/** A relay is told first: behind one the candidate's own protocol is the relay's to the server. */
function pathOf(candidate: Statistic | undefined): Connection["path"] {
  if (!candidate) return null;
  if (candidate.relayProtocol === "tls") return "relay-tls";
  if (candidate.relayProtocol === "udp") return "relay-udp";
  if (candidate.relayProtocol) return null;
  return candidate.protocol === "tcp" ? "tcp" : "udp";
}

function lossSince(before: Counted, now: Counted): number | null {
  const lost = now.lost - before.lost;
  const due = now.received - before.received + lost;
  return due > 0 && lost >= 0 ? Math.min(1, lost / due) : null;
}
