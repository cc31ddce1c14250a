import { expect, test } from "vitest";
import type { CastAgent } from "../api";
import { speakers, standing } from "./cast";

const ADA: CastAgent = { identity: "ada", name: "Ada", state: "running", muted: false, can_speak: true };

test.each([
  [{}, "ada", "Has the floor"],
  [{}, "max", "Ready"],
  [{}, null, "Ready"],
  [{ state: "degraded" }, null, "Ready"],
  [{ muted: true }, "ada", "Muted"],
  [{ can_speak: false }, null, "Listens only"],
  [{ state: "backoff", muted: true }, null, "Coming back"],
  [{ state: "fatal" }, "ada", "Failed"],
])("an agent with %o while %s has the floor stands as %s", (change, floor, expected) => {
  expect(standing({ ...ADA, ...change }, floor)).toBe(expected);
});

test("only those who can speak can be asked", () => {
  const legacy = { ...ADA, identity: "legacy", can_speak: false };
  expect(speakers({ floor: null, agents: [ADA, legacy] })).toEqual([ADA]);
});
