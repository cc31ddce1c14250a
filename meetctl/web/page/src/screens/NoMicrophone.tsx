/** The person wanted a microphone and there is none: why, and a way in without it. */

import { Screen } from "../components/Screen";
import { REMEDIES, type MediaFault } from "../logic/microphone";

export interface NoMicrophoneProps {
  readonly fault: MediaFault;
  readonly onAgain: () => void;
  readonly onListen: () => void;
  readonly onBack: () => void;
}

export function NoMicrophone({ fault, onAgain, onListen, onBack }: NoMicrophoneProps) {
  return (
    <Screen
      testId="screen-no-microphone"
      icon="microphone-off"
      title="Your microphone cannot be used"
      actions={
        <>
          <button type="button" className="button primary" data-testid="try-microphone" onClick={onAgain}>
            Try again
          </button>
          <button type="button" className="button" data-testid="join-listening" onClick={onListen}>
            Join without microphone
          </button>
          <button type="button" className="button quiet" onClick={onBack}>
            Back
          </button>
        </>
      }
    >
      <p data-fault={fault}>{REMEDIES[fault]}</p>
      <p>You can also just listen, and write in the chat: the agents read it.</p>
    </Screen>
  );
}
