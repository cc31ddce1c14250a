import { ConnectionState, DisconnectReason, Room, RoomEvent, ScreenSharePresets, VideoPresets } from "livekit-client";
import { useEffect, useRef, useState } from "react";
import { takePulse, type ConnectionDetails } from "../api";
import { endingOf, type Ending } from "../logic/ending";
import { keepFirstWords } from "../logic/firstWords";
import { faultOf, type MediaFault } from "../logic/microphone";
import type { Choices } from "../remembered";

/** While the connection is broken the page's server is asked this often whether the meeting still goes on. */
const PULSE_MS = 2_000;

export interface MeetingRoom {
  readonly room: Room;
  /** Why the microphone or camera that was wanted is not there. */
  readonly microphoneFault?: MediaFault;
  readonly cameraFault?: MediaFault;
}

/** Joins the room for as long as the caller is mounted; `onEnd` gets undefined where nobody said why it ended. */
export function useMeetingRoom(
  details: ConnectionDetails,
  choices: Choices,
  invite: string,
  onEnd: (ending: Ending | undefined) => void,
): MeetingRoom {
  const [room] = useState(() => newRoom(choices));
  const [faults, setFaults] = useState<Omit<MeetingRoom, "room">>({});
  const end = useRef(onEnd);
  end.current = onEnd;

  useEffect(() => {
    let over = false;
    const finish = (ending: Ending | undefined) => {
      if (over) return;
      over = true;
      end.current(ending);
    };
    const onDisconnected = (reason?: DisconnectReason) => finish(endingOf(reason));
    // LiveKit's client tries for a minute; where the page's server is gone too, the meeting is over now.
    const watch = setInterval(async () => {
      if (over || room.state === ConnectionState.Connected) return;
      const pulse = await takePulse(invite);
      if (pulse === "gone" || pulse === "closed") finish("closed");
      if (pulse === "removed") finish("removed");
    }, PULSE_MS);
    room.on(RoomEvent.Disconnected, onDisconnected);
    const publish = async () => {
      await room.connect(details.livekit_url, details.token);
      const { localParticipant: me } = room;
      await Promise.all([
        choices.microphone &&
          me
            .setMicrophoneEnabled(true)
            .catch((error: unknown) => setFaults((f) => ({ ...f, microphoneFault: faultOf(error, isSecureContext) }))),
        choices.camera &&
          me
            .setCameraEnabled(true)
            .catch((error: unknown) => setFaults((f) => ({ ...f, cameraFault: faultOf(error, isSecureContext) }))),
      ]);
    };
    publish().catch(() => finish(undefined));
    return () => {
      over = true;
      clearInterval(watch);
      room.off(RoomEvent.Disconnected, onDisconnected);
      void room.disconnect();
    };
    // A room is joined once, with what was chosen then.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  return { room, ...faults };
}

function newRoom(choices: Choices): Room {
  const room = new Room({
    adaptiveStream: { pixelDensity: "screen" },
    dynacast: true,
    audioCaptureDefaults: {
      ...(choices.microphoneId && { deviceId: choices.microphoneId }),
      // Agents speak out of the person's loudspeakers, and must not hear themselves.
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
    },
    videoCaptureDefaults: {
      ...(choices.cameraId && { deviceId: choices.cameraId }),
      resolution: VideoPresets.h720.resolution,
    },
    publishDefaults: { screenShareEncoding: ScreenSharePresets.h1080fps15.encoding },
    ...(choices.speakerId && { audioOutput: { deviceId: choices.speakerId } }),
  });
  keepFirstWords(room);
  return room;
}
