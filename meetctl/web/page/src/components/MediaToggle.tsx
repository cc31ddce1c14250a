/** Turns one of the person's own sources on and off. */

import { useTrackToggle } from "@livekit/components-react";
import type { Track } from "livekit-client";
import { ControlButton } from "./ControlButton";
import type { IconName } from "./Icon";

export interface MediaToggleProps {
  readonly source: Track.Source.Microphone | Track.Source.Camera | Track.Source.ScreenShare;
  readonly icon: IconName;
  readonly iconOff: IconName;
  readonly label: string;
  readonly testId: string;
  readonly onFault: (error: Error) => void;
}

export function MediaToggle({ source, icon, iconOff, label, testId, onFault }: MediaToggleProps) {
  const { toggle, enabled, pending } = useTrackToggle({ source, onDeviceError: onFault });
  return (
    <ControlButton
      icon={enabled ? icon : iconOff}
      label={label}
      aria-pressed={enabled}
      data-testid={testId}
      data-source={source}
      disabled={pending}
      onClick={() => void toggle().catch(onFault)}
    />
  );
}
