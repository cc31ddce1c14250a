/** Outside: a host has been asked, and the page goes in by itself when one has said yes. */

import type { ConnectionDetails, Refusal } from "../api";
import { Screen } from "../components/Screen";
import { useAdmission } from "../hooks/useAdmission";

export interface WaitingProps {
  readonly invite: string;
  readonly name: string;
  readonly onLetIn: (details: ConnectionDetails) => void;
  readonly onRefused: (refusal: Refusal) => void;
  readonly onCancel: () => void;
}

export function Waiting({ invite, name, onLetIn, onRefused, onCancel }: WaitingProps) {
  useAdmission(invite, name, onLetIn, onRefused);
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
      <p role="status">A host has been asked whether {name} may come in.</p>
      <p>Leave this page open: it goes in by itself.</p>
    </Screen>
  );
}
