/** Everything a person can do in the conference, in one row. */

import { Track } from "livekit-client";
import { ControlButton } from "./ControlButton";
import { MediaToggle } from "./MediaToggle";

export type PanelName = "chat" | "transcript" | "host" | "settings";

export interface ControlBarProps {
  readonly open: PanelName | undefined;
  readonly unread: number;
  /** Whether this person may direct the agents. */
  readonly isHost: boolean;
  /** Whether this person may send sound and pictures. */
  readonly sends: boolean;
  readonly onPanel: (panel: PanelName) => void;
  readonly onFault: (source: Track.Source, error: Error) => void;
  readonly onLeave: () => void;
}

const CAN_SHARE = typeof navigator.mediaDevices?.getDisplayMedia === "function";

export function ControlBar({ open, unread, isHost, sends, onPanel, onFault, onLeave }: ControlBarProps) {
  const panel = (name: PanelName, label: string, badge?: number) => (
    <ControlButton
      icon={name}
      label={label}
      badge={badge}
      aria-label={badge ? `${label}, ${badge} unread` : label}
      aria-expanded={open === name}
      aria-controls={`${name}-panel`}
      data-testid={`${name}-toggle`}
      onClick={() => onPanel(name)}
    />
  );
  return (
    <nav className="controls" aria-label="Controls">
      {sends && (
        <>
      <MediaToggle
        source={Track.Source.Microphone}
        icon="microphone"
        iconOff="microphone-off"
        label="Mic"
        testId="microphone-toggle"
        onFault={(error) => onFault(Track.Source.Microphone, error)}
      />
      <MediaToggle
        source={Track.Source.Camera}
        icon="camera"
        iconOff="camera-off"
        label="Camera"
        testId="camera-toggle"
        onFault={(error) => onFault(Track.Source.Camera, error)}
      />
      {CAN_SHARE && (
        <MediaToggle
          source={Track.Source.ScreenShare}
          icon="screen"
          iconOff="screen"
          label="Share"
          testId="screen-toggle"
          onFault={(error) => onFault(Track.Source.ScreenShare, error)}
        />
      )}
        </>
      )}
      <span className="controls-gap" />
      {panel("chat", "Chat", unread)}
      {panel("transcript", "Transcript")}
      {isHost && panel("host", "Host")}
      {panel("settings", "Settings")}
      <span className="controls-gap" />
      <ControlButton icon="leave" label="Leave" className="danger" data-testid="leave-button" onClick={onLeave} />
    </nav>
  );
}
