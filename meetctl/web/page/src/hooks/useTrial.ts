import { useCallback, useEffect, useState } from "react";
import { askForTrial, type Trial } from "../api";
import { limitConnections } from "../logic/limited";
import { TRYING, tryAll, type Outcomes } from "../logic/trial";

export interface Tried {
  readonly trial: Trial | undefined;
  readonly outcomes: Outcomes;
  /** Why nothing can be tried. */
  readonly fault: string | undefined;
  readonly again: () => void;
}

let isLimited = false;

/** Tries the ways to the meeting's server once, and again when asked to. */
export function useTrial(): Tried {
  const [attempt, setAttempt] = useState(0);
  const [trial, setTrial] = useState<Trial>();
  const [outcomes, setOutcomes] = useState(TRYING);
  const [fault, setFault] = useState<string>();

  useEffect(() => {
    let over = false;
    if (!isLimited) limitConnections();
    isLimited = true;
    setOutcomes(TRYING);
    setFault(undefined);
    const run = async () => {
      const { ok, refusal } = await askForTrial();
      if (over) return;
      if (!ok) return setFault(refusal.message);
      setTrial(ok);
      await tryAll(ok, (way, outcome) => {
        if (!over) setOutcomes((before) => ({ ...before, [way]: outcome }));
      });
    };
    void run();
    return () => {
      over = true;
    };
  }, [attempt]);

  const again = useCallback(() => setAttempt((count) => count + 1), []);
  return { trial, outcomes, fault, again };
}
