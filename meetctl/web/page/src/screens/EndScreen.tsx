/** Why the person is not in the meeting, and the way back where there is one. */

import { Screen } from "../components/Screen";
import type { IconName } from "../components/Icon";
import type { Ending } from "../logic/ending";

interface Words {
  readonly icon: IconName;
  readonly title: string;
  readonly text: string;
  /** The button that leads back, where there is a way back. */
  readonly again?: string;
}

const WORDS: Readonly<Record<Ending, Words>> = {
  left: { icon: "door", title: "You left the meeting", text: "While it goes on, you can come back at any time.", again: "Rejoin" },
  closed: {
    icon: "door",
    title: "This meeting is over",
    text: "It was closed, or the computer it ran on can no longer be reached. Whoever invited you can start it again and send a new link.",
    again: "Look again",
  },
  removed: {
    icon: "person",
    title: "You were removed from the meeting",
    text: "Whom a host removes is not let in again from the same browser. If it was a mistake, ask whoever invited you.",
    again: "Try again",
  },
  elsewhere: {
    icon: "person",
    title: "You joined from another window",
    text: "The meeting goes on there. You can bring it back to this window.",
    again: "Join here instead",
  },
  lost: {
    icon: "wave",
    title: "The connection was lost",
    text: "The meeting goes on without you. Check your network, then come back in.",
    again: "Rejoin",
  },
  "wrong-invite": {
    icon: "link",
    title: "This link does not let you in",
    text: "The invite in it is wrong or no longer valid. Copy the whole link again, including everything after the #, or ask whoever invited you for a new one.",
  },
  expired: {
    icon: "link",
    title: "This link has run out",
    text: "It was good for a time that is over. Ask whoever sent it for a new one.",
  },
  used: {
    icon: "link",
    title: "This link was used elsewhere",
    text: "It is for one browser, the first that joined by it. Open it there, or ask whoever sent it for a new one.",
  },
  locked: {
    icon: "door",
    title: "This meeting is locked",
    text: "Nobody new comes in. Ask a host to unlock it, then try again.",
    again: "Try again",
  },
  "not-let-in": {
    icon: "door",
    title: "A host did not let you in",
    text: "Ask whoever invited you. In a minute you can ask once more to come in.",
    again: "Ask again",
  },
  unheard: {
    icon: "door",
    title: "Nobody has answered",
    text: "No host has decided whether you come in. Tell whoever invited you that you want to come in, then ask again.",
    again: "Ask again",
  },
  "cannot-admit": {
    icon: "door",
    title: "The meeting could not let you in",
    text: "Its server is having trouble. Wait a moment, then try again.",
    again: "Try again",
  },
};

export function EndScreen({ ending, onAgain }: { readonly ending: Ending; readonly onAgain: () => void }) {
  const { icon, title, text, again } = WORDS[ending];
  return (
    <Screen
      testId={`screen-${ending}`}
      icon={icon}
      title={title}
      actions={
        again && (
          <button type="button" className="button primary" data-testid="rejoin-button" onClick={onAgain}>
            {again}
          </button>
        )
      }
    >
      <p>{text}</p>
    </Screen>
  );
}
