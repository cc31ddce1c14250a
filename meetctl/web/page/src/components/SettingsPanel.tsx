/** Devices, and whether captions are shown under the stage. */

import { useRoomContext } from "@livekit/components-react";
import { useState } from "react";
import { DeviceSelect } from "./DeviceSelect";
import { Panel } from "./Panel";

const KINDS = [
  ["audioinput", "Microphone"],
  ["videoinput", "Camera"],
  ["audiooutput", "Speaker"],
] as const;

export interface SettingsPanelProps {
  readonly captionsShown: boolean;
  readonly onCaptionsShown: (shown: boolean) => void;
  readonly onClose: () => void;
}

export function SettingsPanel({ captionsShown, onCaptionsShown, onClose }: SettingsPanelProps) {
  const room = useRoomContext();
  const [, setSwitches] = useState(0);
  const [failed, setFailed] = useState(false);
  const choose = async (kind: MediaDeviceKind, deviceId: string) => {
    try {
      await room.switchActiveDevice(kind, deviceId);
      setFailed(false);
    } catch {
      setFailed(true);
    }
    setSwitches((count) => count + 1);
  };
  return (
    <Panel id="settings-panel" title="Settings" onClose={onClose}>
      <div className="panel-form">
        <label className="check">
          <input
            type="checkbox"
            data-testid="captions-shown"
            checked={captionsShown}
            onChange={(event) => onCaptionsShown(event.target.checked)}
          />
          <span>Show captions</span>
        </label>
        {KINDS.map(([kind, label]) => (
          <DeviceSelect
            key={kind}
            kind={kind}
            label={label}
            value={room.getActiveDevice(kind) ?? ""}
            onChange={(deviceId) => void choose(kind, deviceId)}
          />
        ))}
        {failed && <p className="form-error" role="alert">That device could not be used.</p>}
      </div>
    </Panel>
  );
}
