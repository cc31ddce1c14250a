import { createLocalAudioTrack, createLocalVideoTrack, type LocalAudioTrack, type LocalVideoTrack } from "livekit-client";
import { useEffect, useState } from "react";
import { faultOf, type MediaFault } from "../logic/microphone";

interface Tracks {
  readonly microphone: LocalAudioTrack;
  readonly camera: LocalVideoTrack;
}

export interface Preview<T> {
  readonly track?: T;
  readonly fault?: MediaFault;
  readonly asking: boolean;
}

/** Opens one device while `wanted`, and closes it after; `attempt` changes to try again. */
export function useLocalPreview<K extends keyof Tracks>(
  kind: K,
  wanted: boolean,
  deviceId: string,
  attempt: number,
): Preview<Tracks[K]> {
  const [preview, setPreview] = useState<Preview<Tracks[K]>>({ asking: wanted });
  useEffect(() => {
    let over = false;
    let opened: Tracks[K] | undefined;
    if (!wanted) {
      setPreview({ asking: false });
      return;
    }
    setPreview({ asking: true });
    open(kind, deviceId).then(
      (track) => {
        if (over) return track.stop();
        opened = track;
        setPreview({ track, asking: false });
      },
      (error: unknown) => {
        if (!over) setPreview({ fault: faultOf(error, window.isSecureContext), asking: false });
      },
    );
    return () => {
      over = true;
      opened?.stop();
    };
  }, [kind, wanted, deviceId, attempt]);
  return preview;
}

async function open<K extends keyof Tracks>(kind: K, deviceId: string): Promise<Tracks[K]> {
  if (!navigator.mediaDevices) throw new Error("no devices outside a secure context");
  const choice = deviceId ? { deviceId } : {};
  return (await (kind === "camera" ? createLocalVideoTrack(choice) : createLocalAudioTrack(choice))) as Tracks[K];
}
