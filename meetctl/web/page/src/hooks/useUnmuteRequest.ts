import { useLocalParticipant } from "@livekit/components-react";
import { RoomEvent, type Room } from "livekit-client";
import { useCallback, useEffect, useState } from "react";

const TOPIC = "mc.ask-unmute";

export interface UnmuteRequest {
  /** Whether a host asks this person to switch the microphone on, and it is off. */
  readonly isAsked: boolean;
  readonly dismiss: () => void;
}

/** Hears a host ask; whatever another participant sends names that participant, and counts for nothing here. */
export function useUnmuteRequest(room: Room): UnmuteRequest {
  const [isAsked, setAsked] = useState(false);
  const { isMicrophoneEnabled } = useLocalParticipant({ room });
  useEffect(() => {
    const hear = (_: Uint8Array, sender: unknown, __: unknown, topic?: string) => {
      if (topic === TOPIC && sender === undefined) setAsked(true);
    };
    room.on(RoomEvent.DataReceived, hear);
    return () => {
      room.off(RoomEvent.DataReceived, hear);
    };
  }, [room]);
  useEffect(() => {
    if (isMicrophoneEnabled) setAsked(false);
  }, [isMicrophoneEnabled]);
  const dismiss = useCallback(() => setAsked(false), []);
  return { isAsked: isAsked && !isMicrophoneEnabled, dismiss };
}
