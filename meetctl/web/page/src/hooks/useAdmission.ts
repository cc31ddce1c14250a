import { useEffect, useRef } from "react";
import { askToJoin, type ConnectionDetails, type Refusal, type RefusalCode } from "../api";

/** Whoever has just been let in should not have to wait for it. */
const ASK_MS = 1_000;
const PASSING: ReadonlySet<RefusalCode> = new Set(["too_many", "lobby_full", "cannot_admit"]);

export interface Admission {
  readonly onLetIn: (details: ConnectionDetails) => void;
  readonly onRefused: (refusal: Refusal) => void;
  /** A host has to decide first. */
  readonly onWaiting?: () => void;
  /** It was not let in this time, for a reason that passes. */
  readonly onPassing?: (refusal: Refusal) => void;
}

/**
 * Asks again and again to come in, until it is decided.
 *
 * `mostGone` is how often in a row the server may be away.
 */
export function useAdmission(invite: string, name: string, mostGone: number, admission: Admission): void {
  const told = useRef(admission);
  told.current = admission;

  useEffect(() => {
    let over = false;
    let gone = 0;
    let timer: ReturnType<typeof setTimeout>;
    const look = async () => {
      const { ok, refusal } = await askToJoin(invite, name);
      if (over) return;
      if (ok && !("waiting" in ok)) return told.current.onLetIn(ok);
      gone = refusal?.code === "gone" ? gone + 1 : 0;
      const passes = !refusal || PASSING.has(refusal.code) || (refusal.code === "gone" && gone < mostGone);
      if (!passes) return told.current.onRefused(refusal);
      timer = setTimeout(() => void look(), ASK_MS);
      if (ok) told.current.onWaiting?.();
      else if (refusal) told.current.onPassing?.(refusal);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [invite, name, mostGone]);
}
