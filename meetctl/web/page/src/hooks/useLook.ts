import { useEffect } from "react";
import type { Answer } from "../api";
import { lookAgainAndAgain } from "../logic/look";

/** Asks again and again while it is shown and the link is good; both functions have to stay the same. */
export function useLook<T>(ask: () => Promise<Answer<T>>, onAnswer: (answer: T) => void, everyMs: number): void {
  useEffect(() => lookAgainAndAgain(ask, onAnswer, everyMs), [ask, onAnswer, everyMs]);
}
