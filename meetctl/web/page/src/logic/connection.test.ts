import { expect, test } from "vitest";
import { connectionOf, countOf } from "./connection";

const NOTHING = { received: 0, lost: 0 };

function statistics(candidate: object, coming = { packetsReceived: 90, packetsLost: 10 }) {
  return [
    { id: "t", type: "transport", selectedCandidatePairId: "p", iceState: "connected" },
    { id: "p", type: "candidate-pair", localCandidateId: "l", currentRoundTripTime: 0.02 },
    { id: "l", type: "local-candidate", ...candidate },
    { id: "i", type: "inbound-rtp", ...coming },
  ];
}

test.each([
  [{ protocol: "udp" }, "udp"],
  [{ protocol: "tcp", tcpType: "active" }, "tcp"],
  [{ protocol: "udp", relayProtocol: "tls" }, "relay-tls"],
  [{ protocol: "udp", relayProtocol: "udp" }, "relay-udp"],
  [{ protocol: "udp", relayProtocol: "tcp" }, null],
])("%j is the path %s", (candidate, path) => {
  expect(connectionOf(statistics(candidate), NOTHING)).toEqual({ ice: "connected", path, loss: 0.1, rtt_ms: 20 });
});

test("loss is of what came since the last look", () => {
  const before = countOf(statistics({}));
  expect(connectionOf(statistics({}, { packetsReceived: 190, packetsLost: 10 }), before)?.loss).toBe(0);
  expect(connectionOf(statistics({}), before)?.loss).toBeNull();
});

test("a browser that tells of no transport is read by its selected pair", () => {
  const [, pair, candidate] = statistics({ protocol: "udp" });
  expect(connectionOf([{ ...pair!, selected: true }, candidate!], NOTHING)?.path).toBe("udp");
  expect(connectionOf([pair!, candidate!], NOTHING)).toBeUndefined();
});
