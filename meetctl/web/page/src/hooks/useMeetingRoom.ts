import { ConnectionState, DisconnectReason, Room, RoomEvent, ScreenSharePresets, VideoPresets } from "livekit-client";
import { useEffect, useRef, useState } from "react";
import { takePulse, type ConnectionDetails } from "../api";
import { endingOf, isOnThisMachine, type Ending } from "../logic/ending";
import { keepFirstWords } from "../logic/firstWords";
import { faultOf, type MediaFault } from "../logic/microphone";
import type { Choices } from "../remembered";

/** What somebody sends, who comes back as they were. */
export type Sends = Pick<Choices, "microphone" | "camera">;

/** While the connection is broken the page's server is asked this often whether the meeting still goes on. */
const PULSE_MS = 2_000;

export interface MeetingRoom {
  readonly room: Room;
  /** Why the microphone or camera that was wanted is not there. */
  readonly microphoneFault?: MediaFault;
  readonly cameraFault?: MediaFault;
}

/**
 * Joins the room for as long as the caller is mounted.
 *
 * `onEnd` gets undefined where nobody said why it ended, and what the person sent, where they had been in the room.
 */
export function useMeetingRoom(
  details: ConnectionDetails,
  choices: Choices,
  invite: string,
  onEnd: (ending: Ending | undefined, sent: Sends | undefined) => void,
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
      end.current(ending, sent);
    };
    let sent: Sends | undefined;
    const note = () => {
      const { isMicrophoneEnabled, isCameraEnabled } = room.localParticipant;
      // As a connection ends its tracks are taken out of it: that is nobody's wish.
      if (room.state === ConnectionState.Connected) sent = { microphone: isMicrophoneEnabled, camera: isCameraEnabled };
    };
    const onDisconnected = (reason?: DisconnectReason) => finish(endingOf(reason));
    // LiveKit's client tries for a minute; where the page's server is gone too, the meeting is over now.
    const watch = setInterval(async () => {
      if (over || room.state === ConnectionState.Connected) return;
      const pulse = await takePulse(invite);
      if (pulse === "closed" || (pulse === "gone" && isOnThisMachine())) finish("closed");
      if (pulse === "removed") finish("removed");
    }, PULSE_MS);
    room.on(RoomEvent.Disconnected, onDisconnected);
    for (const event of CHANGES) room.on(event, note);
    const publish = async () => {
      await room.connect(details.livekit_url, details.token);
      sent = { microphone: choices.microphone, camera: choices.camera };
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
      for (const event of CHANGES) room.off(event, note);
      void room.disconnect();
    };
    // A room is joined once, with what was chosen then.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  return { room, ...faults };
}

const CHANGES = [
  RoomEvent.TrackMuted,
  RoomEvent.TrackUnmuted,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
] as const;

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
