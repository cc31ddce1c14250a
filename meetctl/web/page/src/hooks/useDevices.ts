import { Room } from "livekit-client";
import { useEffect, useState } from "react";

/** Returns the devices of a kind, followed as they come and go; `refresh` changes once access has been granted. */
export function useDevices(kind: MediaDeviceKind, refresh: unknown): readonly MediaDeviceInfo[] {
  const [devices, setDevices] = useState<readonly MediaDeviceInfo[]>([]);
  useEffect(() => {
    const media = navigator.mediaDevices;
    if (!media) return;
    let over = false;
    // Asking for access here would bring the browser's question up at a moment of its own.
    const look = () =>
      Room.getLocalDevices(kind, false).then(
        (found) => !over && setDevices(found.filter((device) => device.deviceId !== "")),
        () => !over && setDevices([]),
      );
    void look();
    media.addEventListener("devicechange", look);
    return () => {
      over = true;
      media.removeEventListener("devicechange", look);
    };
  }, [kind, refresh]);
  return devices;
}
