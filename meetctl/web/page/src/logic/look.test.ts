import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Answer, RefusalCode } from "../api";
import { lookAgainAndAgain } from "./look";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Looks every second at what answers so, for ten seconds; returns how often it was asked, and what was shown. */
async function looks(...answers: Answer<string>[]) {
  let asked = 0;
  const shown: string[] = [];
  const ask = () => Promise.resolve(answers[Math.min(asked++, answers.length - 1)]!);
  const end = lookAgainAndAgain(ask, (answer) => shown.push(answer), 1_000);
  await vi.advanceTimersByTimeAsync(10_500);
  end();
  return { asked, shown };
}

function refused(code: RefusalCode): Answer<string> {
  return { refusal: { code, message: "" } };
}

test.each(["wrong_invite", "link_expired", "link_used"] as const)("after %s nothing more is asked", async (code) => {
  expect(await looks({ ok: "a" }, refused(code), { ok: "b" })).toEqual({ asked: 2, shown: ["a"] });
});

test.each(["gone", "too_many"] as const)("what passes, as %s, does not end the looking", async (code) => {
  expect(await looks(refused(code), { ok: "b" })).toEqual({ asked: 11, shown: Array(10).fill("b") });
});

test("who has gone asks no more, and learns nothing more", async () => {
  const ask = vi.fn(() => Promise.resolve({ ok: "late" }));
  const shown: string[] = [];
  lookAgainAndAgain(ask, (answer) => shown.push(answer), 1_000)();
  await vi.advanceTimersByTimeAsync(5_000);
  expect([ask.mock.calls.length, shown]).toEqual([1, []]);
});
