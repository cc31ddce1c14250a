/** The person as the others will see them, with a meter that shows the microphone hears something. */

import type { LocalAudioTrack, LocalVideoTrack } from "livekit-client";
import { useEffect, useRef } from "react";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";

export interface CameraPreviewProps {
  readonly name: string;
  readonly camera: LocalVideoTrack | undefined;
  readonly microphone: LocalAudioTrack | undefined;
  readonly microphoneOn: boolean;
  readonly cameraOn: boolean;
  readonly onMicrophone: () => void;
  readonly onCamera: () => void;
}

export function CameraPreview(props: CameraPreviewProps) {
  const { name, camera, microphone, microphoneOn, cameraOn, onMicrophone, onCamera } = props;
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!camera || !element) return;
    camera.attach(element);
    return () => {
      camera.detach(element);
    };
  }, [camera]);
  return (
    <div className="preview" data-video={camera !== undefined}>
      {camera ? (
        <video ref={video} className="preview-video" playsInline muted data-testid="camera-preview" />
      ) : (
        <Avatar name={name || "You"} audio={microphone} />
      )}
      <div className="preview-controls">
        <button
          type="button"
          className="round"
          aria-pressed={microphoneOn}
          aria-label="Microphone"
          data-source="microphone"
          data-testid="prejoin-microphone"
          onClick={onMicrophone}
        >
          <Icon name={microphoneOn ? "microphone" : "microphone-off"} />
        </button>
        <button
          type="button"
          className="round"
          aria-pressed={cameraOn}
          aria-label="Camera"
          data-source="camera"
          data-testid="prejoin-camera"
          onClick={onCamera}
        >
          <Icon name={cameraOn ? "camera" : "camera-off"} />
        </button>
      </div>
    </div>
  );
}
