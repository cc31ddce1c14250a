import { useEffect, useRef } from "react";
import { askToJoin, withdraw, type ConnectionDetails, type Refusal, type RefusalCode } from "../api";

/** Whoever has just been let in should not have to wait for it. */
const ASK_MS = 2_000;
/** A network that changes is back by then. */
const MOST_GONE = 5;
const PASSING: ReadonlySet<RefusalCode> = new Set(["too_many", "lobby_full", "cannot_admit"]);

/** Asks again and again to come in, until a host has decided; a page that is closed waits no longer. */
export function useAdmission(
  invite: string,
  name: string,
  onLetIn: (details: ConnectionDetails) => void,
  onRefused: (refusal: Refusal) => void,
): void {
  const told = useRef({ onLetIn, onRefused });
  told.current = { onLetIn, onRefused };

  useEffect(() => {
    let over = false;
    let gone = 0;
    const look = async () => {
      const { ok, refusal } = await askToJoin(invite, name);
      if (over) return;
      if (ok && !("waiting" in ok)) return told.current.onLetIn(ok);
      gone = refusal?.code === "gone" ? gone + 1 : 0;
      const passes = !refusal || PASSING.has(refusal.code) || (refusal.code === "gone" && gone < MOST_GONE);
      if (!passes) return told.current.onRefused(refusal);
      timer = setTimeout(() => void look(), ASK_MS);
    };
    let timer = setTimeout(() => void look(), ASK_MS);
    const leave = () => withdraw(invite);
    window.addEventListener("pagehide", leave);
    return () => {
      over = true;
      clearTimeout(timer);
      window.removeEventListener("pagehide", leave);
    };
  }, [invite, name]);
}
