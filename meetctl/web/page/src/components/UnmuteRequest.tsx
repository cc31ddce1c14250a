/** A host asks this person to speak; only they switch their microphone on. */

import type { Room } from "livekit-client";
import { useUnmuteRequest } from "../hooks/useUnmuteRequest";

export interface UnmuteRequestProps {
  readonly room: Room;
  readonly onFault: (error: Error) => void;
}

export function UnmuteRequest({ room, onFault }: UnmuteRequestProps) {
  const { isAsked, dismiss } = useUnmuteRequest(room);
  if (!isAsked) return null;
  return (
    <section className="host-requests asked" aria-label="A host asks you" data-testid="unmute-request">
      <article className="host-request" role="alert">
        <p>A host asks you to switch your microphone on.</p>
        <div className="host-actions">
          <button type="button" className="button small" data-testid="unmute-later" onClick={dismiss}>
            Not now
          </button>
          <button
            type="button"
            className="button small primary"
            data-testid="unmute-now"
            onClick={() => void room.localParticipant.setMicrophoneEnabled(true).catch(onFault)}
          >
            Unmute
          </button>
        </div>
      </article>
    </section>
  );
}
