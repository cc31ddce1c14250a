/** Asking the page's server again and again, for as long as the link lets it answer. */

import { isOver, type Answer } from "../api";

/** Looks at once and then every so often; returns what ends that. After a refusal that stays, nothing more is asked. */
export function lookAgainAndAgain<T>(
  ask: () => Promise<Answer<T>>,
  onAnswer: (answer: T) => void,
  everyMs: number,
): () => void {
  let ended = false;
  let timer: ReturnType<typeof setTimeout>;
  const look = async () => {
    const { ok, refusal } = await ask();
    if (ended || isOver(refusal)) return;
    if (ok !== undefined) onAnswer(ok);
    timer = setTimeout(look, everyMs);
  };
  void look();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
