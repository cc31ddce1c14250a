import { expect, test } from "vitest";
import type { Trial } from "../api";
import { isOfWay, withoutOthers } from "./limited";
import { remedyOf } from "./remedies";
import { verdictOf, type Outcome } from "./trial";

const UDP = "candidate:1 1 udp 2130706431 10.77.0.1 7882 typ host";
const TCP = "candidate:2 1 tcp 1671430143 10.77.0.1 7881 typ host tcptype passive";

test("a connection that takes one way alone hears of no candidate of another", () => {
  expect([UDP, TCP, ""].map((candidate) => isOfWay(candidate, "tcp"))).toEqual([false, true, true]);
  expect([UDP, TCP].map((candidate) => isOfWay(candidate, undefined))).toEqual([true, true]);
  const sdp = ["v=0", `a=${UDP}`, `a=${TCP}`, "a=end-of-candidates", ""].join("\r\n");
  expect(withoutOthers(sdp, "udp")).toBe(["v=0", `a=${UDP}`, "a=end-of-candidates", ""].join("\r\n"));
});

const OPEN: Outcome = { state: "open", ms: 120 };
const [SHUT, TRYING, NONE, UNKNOWN] = (["shut", "trying", "none", "unknown"] as const).map((state) => ({ state }));

test.each([
  [OPEN, OPEN, TRYING, TRYING, "good", "UDP, the fastest"],
  [OPEN, SHUT, OPEN, TRYING, "trying", "Testing"],
  [OPEN, SHUT, OPEN, OPEN, "good", "TCP"],
  [OPEN, SHUT, SHUT, OPEN, "good", "TURN over TLS"],
  [OPEN, SHUT, SHUT, SHUT, "bad", "do not get through"],
  [OPEN, SHUT, SHUT, UNKNOWN, "bad", "does not say"],
  [OPEN, OPEN, NONE, NONE, "good", "UDP"],
  [SHUT, SHUT, SHUT, OPEN, "bad", "cannot take part"],
] as [Outcome, Outcome, Outcome, Outcome, string, string][])(
  "%o %o %o %o is %s",
  (signaling, udp, tcp, turn, state, words) => {
    const verdict = verdictOf({ signaling, udp, tcp, turn });
    expect(verdict.state).toBe(state);
    expect(verdict.words).toContain(words);
  },
);

const TRIAL: Trial = {
  livekit_url: "wss://meeting.example:7443",
  udp: "token",
  tcp: "token",
  turn: "turns:meeting.example:7443?transport=tcp",
  ports: { address: "10.77.0.1", udp: 7882, tcp: 7881 },
  authority: "authority.crt",
};

test("what is shut names what to open, and what is open names nothing", () => {
  expect(remedyOf("udp", SHUT!, TRIAL, "7443")).toContain("Let UDP port 7882 through to 10.77.0.1");
  expect(remedyOf("tcp", SHUT!, TRIAL, "7443")).toContain("Let TCP port 7881 through to 10.77.0.1");
  expect(remedyOf("turn", SHUT!, TRIAL, "7443")).toContain("trust the meeting’s authority");
  expect(remedyOf("signaling", SHUT!, TRIAL, "443")).toContain("stops WebSockets at TCP port 443");
  expect(remedyOf("udp", OPEN, TRIAL, "7443")).toBeUndefined();
});
