/** Outside: a host has been asked, and the page goes in by itself when one has said yes. */

import { useState } from "react";
import { Screen } from "../components/Screen";
import { useAdmission, type Admission } from "../hooks/useAdmission";

/** A network that changes is back by then. */
const MOST_GONE = 5;

export interface WaitingProps extends Admission {
  readonly invite: string;
  readonly name: string;
  readonly onCancel: () => void;
}

export function Waiting({ invite, name, onCancel, ...admission }: WaitingProps) {
  const [isAsked, setAsked] = useState(true);
  useAdmission(invite, name, MOST_GONE, {
    ...admission,
    onWaiting: () => setAsked(true),
    onPassing: ({ code }) => setAsked((before) => before && code !== "lobby_full"),
  });
  return (
    <Screen
      testId="screen-waiting"
      icon="door"
      title="Waiting to be let in"
      actions={
        <button type="button" className="button" data-testid="cancel-button" onClick={onCancel}>
          Cancel
        </button>
      }
    >
      <p role="status">
        {isAsked
          ? `A host has been asked whether ${name} may come in.`
          : "No host has been asked yet: many people wait to be let in. This page tries again and again."}
      </p>
      <p>Leave this page open: it goes in by itself.</p>
    </Screen>
  );
}
