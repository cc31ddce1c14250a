import { useCallback, useState } from "react";
import { direct, manage, type Answer, type Cast, type Direction, type Management } from "../api";
import { useLook } from "./useLook";

/** An agent's state changes within seconds; asked more often it would only cost. */
const LOOK_MS = 2_000;

export interface DirectedCast {
  /** Undefined until the first answer. */
  readonly cast: Cast | undefined;
  /** Why the last thing could not be done. */
  readonly fault: string | undefined;
  /** What is under way. */
  readonly pending: Direction | Management | undefined;
  /** Has it done; returns whether it was. */
  readonly act: (direction: Direction) => Promise<boolean>;
  /** The same of people. */
  readonly decide: (management: Management) => Promise<boolean>;
}

/** Returns the agents as a host sees them, and what directs them. */
export function useCast(invite: string): DirectedCast {
  const [cast, setCast] = useState<Cast>();
  const [fault, setFault] = useState<string>();
  const [pending, setPending] = useState<Direction | Management>();

  const look = useCallback(() => direct(invite), [invite]);
  useLook(look, setCast, LOOK_MS);

  const carryOut = useCallback(async (what: Direction | Management, asked: Promise<Answer<Cast>>) => {
    setPending(what);
    const { ok, refusal } = await asked;
    setPending(undefined);
    setFault(refusal?.message);
    if (ok) setCast(ok);
    return ok !== undefined;
  }, []);
  const act = useCallback((what: Direction) => carryOut(what, direct(invite, what)), [carryOut, invite]);
  const decide = useCallback((what: Management) => carryOut(what, manage(invite, what)), [carryOut, invite]);

  return { cast, fault, pending, act, decide };
}
