/** What each way is, and what to open where it is shut. */

import type { Trial } from "../api";
import type { Outcome, Way } from "./trial";

export const TITLES: Readonly<Record<Way, string>> = {
  signaling: "Signaling",
  udp: "Media by UDP",
  tcp: "Media by TCP",
  turn: "Media by TURN over TLS",
};

/** Returns what is to be said of a way; `page` is the port that the page came by. */
export function remedyOf(way: Way, { state }: Outcome, { ports, authority }: Trial, page: string): string | undefined {
  const there = ports.address ? ` to ${ports.address}` : "";
  if (state === "none") return NONE[way];
  if (state === "unknown") {
    return `This browser does not say. It is the port that this page came by (TCP ${page}); Firefox takes it where the link has a name in it, not an address, and the certificate is trusted.`;
  }
  if (state !== "shut") return undefined;
  switch (way) {
    case "signaling":
      return `This page arrived, but no connection stays open: a proxy or a filter in between stops WebSockets at TCP port ${page}. Let them through.`;
    case "udp":
      return ports.udp ? `Let UDP port ${ports.udp} through${there}. It is the fastest way.` : HERE;
    case "tcp":
      return ports.tcp ? `Let TCP port ${ports.tcp} through${there}, where UDP cannot be.` : HERE;
    case "turn":
      return authority
        ? `Let TLS at TCP port ${page} through, and have this browser trust the meeting’s authority: a warning that was clicked away is not enough.`
        : `Let TLS at TCP port ${page} through, without a proxy that looks into it.`;
  }
}

const HERE = "This meeting is on its own machine alone.";
const NONE: Readonly<Record<Way, string | undefined>> = {
  signaling: undefined,
  udp: undefined,
  tcp: "This meeting does not have it: it is on its own machine alone.",
  turn: "This meeting does not have it.",
};
