/** Why a person is no longer in the room, and which screen says so. */

import { DisconnectReason } from "livekit-client";

export type Ending = "left" | "closed" | "removed" | "elsewhere" | "lost" | "wrong-invite" | "expired" | "used" | "locked" | "not-let-in" | "unheard" | "cannot-admit";

/** What the page's own server says when asked whether the meeting goes on. */
export type Pulse = "open" | "closed" | "removed" | "wrong-invite" | "gone";

/** Returns the ending that LiveKit's reason alone tells, undefined where the server must be asked. */
export function endingOf(reason: DisconnectReason | undefined): Ending | undefined {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
      return "left";
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return "closed";
    case DisconnectReason.PARTICIPANT_REMOVED:
      return "removed";
    case DisconnectReason.DUPLICATE_IDENTITY:
      return "elsewhere";
    default:
      return undefined;
  }
}

/** Returns whether the server is where the page is: where it does not answer, it is the server that is gone. */
export function isOnThisMachine(host: string = window.location.hostname): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}

/** Returns the ending of a connection that broke, by what the page's server said after it. */
export function endingAfter(pulse: Pulse): Ending {
  switch (pulse) {
    case "open":
      return "lost";
    case "wrong-invite":
      return "wrong-invite";
    case "removed":
      return "removed";
    case "closed":
    case "gone":
      return "closed";
  }
}
