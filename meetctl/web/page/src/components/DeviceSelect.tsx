/** A choice among the devices of one kind; nothing where there is no choice. */

import { useDevices } from "../hooks/useDevices";

export interface DeviceSelectProps {
  readonly kind: MediaDeviceKind;
  readonly label: string;
  readonly value: string;
  readonly onChange: (deviceId: string) => void;
  /** Changes once access has been granted: before that browsers hide the names. */
  readonly refresh?: unknown;
}

export function DeviceSelect({ kind, label, value, onChange, refresh }: DeviceSelectProps) {
  const devices = useDevices(kind, refresh);
  if (devices.length === 0) return null;
  const known = devices.some((device) => device.deviceId === value);
  return (
    <label className="field">
      <span className="field-label">{label}</span>
      <select
        className="input"
        data-testid={`select-${kind}`}
        value={known ? value : devices[0]?.deviceId}
        onChange={(event) => onChange(event.target.value)}
      >
        {devices.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || `${label} ${index + 1}`}
          </option>
        ))}
      </select>
    </label>
  );
}
