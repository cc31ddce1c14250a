import { useCallback, useState } from "react";
import { hostRequests, type HostRequest } from "../api";
import { useLook } from "./useLook";

/** An agent waits for the answer, and a minute is all there is. */
const LOOK_MS = 1_000;

interface Waiting {
  readonly requests: readonly HostRequest[];
}

export interface WaitingRequests extends Waiting {
  /** Why the last one could not be decided. */
  readonly fault: string | undefined;
  readonly decide: (id: string, allowed: boolean) => Promise<void>;
}

/** Returns what waits for a host's word, and what decides it. */
export function useHostRequests(invite: string, name: string): WaitingRequests {
  const [{ requests }, setWaiting] = useState<Waiting>({ requests: [] });
  const [fault, setFault] = useState<string>();

  const look = useCallback(() => hostRequests(invite), [invite]);
  useLook(look, setWaiting, LOOK_MS);

  const decide = useCallback(
    async (id: string, allowed: boolean) => {
      const { ok, refusal } = await hostRequests(invite, { id, allowed, by: name });
      setFault(refusal?.message);
      if (ok) setWaiting(ok);
    },
    [invite, name],
  );

  return { requests, fault, decide };
}
