import { useCallback, useEffect, useState } from "react";
import { hostRequests, type HostRequest } from "../api";

/** An agent waits for the answer, and a minute is all there is. */
const LOOK_MS = 1_000;

export interface WaitingRequests {
  readonly requests: readonly HostRequest[];
  /** Why the last one could not be decided. */
  readonly fault: string | undefined;
  readonly decide: (id: string, allowed: boolean) => Promise<void>;
}

/** Returns what waits for a host's word, and what decides it. */
export function useHostRequests(invite: string, name: string): WaitingRequests {
  const [requests, setRequests] = useState<readonly HostRequest[]>([]);
  const [fault, setFault] = useState<string>();

  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout>;
    const look = async () => {
      const { ok } = await hostRequests(invite);
      if (over) return;
      if (ok) setRequests(ok.requests);
      timer = setTimeout(look, LOOK_MS);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [invite]);

  const decide = useCallback(
    async (id: string, allowed: boolean) => {
      const { ok, refusal } = await hostRequests(invite, { id, allowed, by: name });
      setFault(refusal?.message);
      if (ok) setRequests(ok.requests);
    },
    [invite, name],
  );

  return { requests, fault, decide };
}
