/** The connection is gone for good, as after a laptop's sleep: the page asks for a new token and goes in again. */

import { Screen } from "../components/Screen";
import { useAdmission, type Admission } from "../hooks/useAdmission";
import { isOnThisMachine } from "../logic/ending";

/** Times a second or more: a laptop that wakes up elsewhere, or a router that starts again. */
const MOST_GONE = 300;

export interface ReturningProps extends Admission {
  readonly invite: string;
  readonly name: string;
  readonly onLeave: () => void;
}

export function Returning({ invite, name, onLeave, ...admission }: ReturningProps) {
  useAdmission(invite, name, isOnThisMachine() ? 1 : MOST_GONE, admission);
  return (
    <Screen
      testId="screen-returning"
      icon="wave"
      title="Coming back"
      actions={
        <button type="button" className="button" data-testid="leave-button" onClick={onLeave}>
          Leave
        </button>
      }
    >
      <p role="status">The connection was lost. This page goes in again by itself as soon as it can.</p>
    </Screen>
  );
}
