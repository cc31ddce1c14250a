/** What is wrong with the connection or the person's own devices, over the stage. */

import { useConnectionState } from "@livekit/components-react";
import { ConnectionState } from "livekit-client";

export interface BannerProps {
  readonly fault: string | undefined;
  readonly onDismiss: () => void;
}

export function Banner({ fault, onDismiss }: BannerProps) {
  const state = useConnectionState();
  const reconnecting = state === ConnectionState.Reconnecting || state === ConnectionState.SignalReconnecting;
  const connecting = state === ConnectionState.Connecting || state === ConnectionState.Disconnected;
  const word = reconnecting ? "Reconnecting…" : connecting ? "Joining…" : undefined;
  return (
    <div className="banners" role="status" data-testid="connection" data-state={state}>
      {word && <p className="banner">{word}</p>}
      {fault && (
        <p className="banner warn" data-testid="device-fault">
          <span>{fault}</span>
          <button type="button" className="banner-close" onClick={onDismiss}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}
