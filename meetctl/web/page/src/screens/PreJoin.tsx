/** Before the meeting: what it is, who attends, what becomes of one's words; a name and devices. */

import { useEffect, useRef, useState, type FormEvent } from "react";
import type { MeetingInfo } from "../api";
import { CameraPreview } from "../components/CameraPreview";
import { DeviceSelect } from "../components/DeviceSelect";
import { Icon } from "../components/Icon";
import { useLocalPreview } from "../hooks/useLocalPreview";
import { useObstacle } from "../hooks/useObstacle";
import { useSoundsLike } from "../hooks/useSoundsLike";
import { REMEDIES } from "../logic/microphone";
import { listed, MAX_NAME_CHARACTERS } from "../logic/names";
import { noticeOf } from "../logic/notice";
import { WAYS_OUT } from "../logic/reach";
import type { Choices } from "../remembered";
import { NoMicrophone } from "./NoMicrophone";

export interface PreJoinProps {
  readonly info: MeetingInfo;
  readonly choices: Choices;
  /** Returns what is wrong with the name, if anything is. */
  readonly onJoin: (choices: Choices) => Promise<string | undefined>;
  /** Returns the agent whose name a name is taken for by ear, if there is one. */
  readonly onName: (name: string) => Promise<string | undefined>;
}

export function PreJoin({ info, choices, onJoin, onName }: PreJoinProps) {
  const [chosen, setChosen] = useState(choices);
  const [attempt, setAttempt] = useState(0);
  const [explaining, setExplaining] = useState(false);
  const [joining, setJoining] = useState(false);
  const [wrong, setWrong] = useState<string>();
  const nameInput = useRef<HTMLInputElement>(null);
  const microphone = useLocalPreview("microphone", chosen.microphone, chosen.microphoneId, attempt);
  const camera = useLocalPreview("camera", chosen.camera, chosen.cameraId, attempt);
  const obstacle = useObstacle(info.loopback_only ?? false, info.echo);
  const alike = useSoundsLike(chosen.name.trim(), onName);
  const change = (changes: Partial<Choices>) => setChosen((before) => ({ ...before, ...changes }));

  useEffect(() => {
    if (!explaining) nameInput.current?.focus();
  }, [explaining]);
  // Trying again has found it: what stood in the way is gone.
  useEffect(() => {
    if (microphone.track) setExplaining(false);
  }, [microphone.track]);

  const join = async (final: Choices) => {
    const name = final.name.trim();
    if (!name) {
      setExplaining(false);
      setWrong("Enter the name that others will see.");
      nameInput.current?.focus();
      return;
    }
    setJoining(true);
    const refused = await onJoin({ ...final, name });
    setJoining(false);
    setExplaining(false);
    setWrong(refused);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (joining) return;
    if (chosen.name.trim() && chosen.microphone && microphone.fault) setExplaining(true);
    else void join(chosen);
  };

  if (explaining && (microphone.fault || microphone.asking)) {
    return (
      <NoMicrophone
        fault={microphone.fault ?? "failed"}
        onAgain={() => setAttempt((count) => count + 1)}
        onListen={() => void join({ ...chosen, microphone: false })}
        onBack={() => setExplaining(false)}
      />
    );
  }

  const observes = info.role === "observer";
  const notice = noticeOf(info.transcript);
  const agents = info.agents ?? [];
  return (
    <main className="prejoin" data-testid="prejoin">
      <section className="prejoin-preview" aria-label="Camera and microphone">
        {observes ? (
          <p className="notice" data-testid="observer">
            You come as an observer: you hear and read everything, and neither speak nor write.
          </p>
        ) : (
        <CameraPreview
          name={chosen.name}
          camera={camera.track}
          microphone={microphone.track}
          microphoneOn={chosen.microphone && !microphone.fault}
          cameraOn={chosen.camera && !camera.fault}
          onMicrophone={() => change({ microphone: !chosen.microphone })}
          onCamera={() => change({ camera: !chosen.camera })}
        />
        )}
        {chosen.microphone && microphone.fault && (
          <p className="form-error" role="status" data-testid="microphone-fault">
            No microphone. {REMEDIES[microphone.fault]}
          </p>
        )}
        {chosen.camera && camera.fault && (
          <p className="form-error" role="status" data-testid="camera-fault">
            No camera. {REMEDIES[camera.fault]}
          </p>
        )}
      </section>
      <form className="prejoin-form" onSubmit={submit} noValidate>
        <p className="eyebrow">{info.topic ? info.room : "Meeting"}</p>
        <h1>{info.topic || info.room}</h1>
        {agents.length > 0 && (
          <p className="prejoin-cast" data-testid="cast">
            With {listed(agents)} <span className="tag">{agents.length === 1 ? "AI agent" : "AI agents"}</span>
          </p>
        )}
        <label className="field">
          <span className="field-label">Your name</span>
          <input
            ref={nameInput}
            className="input large"
            data-testid="prejoin-name"
            name="name"
            autoComplete="name"
            maxLength={MAX_NAME_CHARACTERS}
            aria-invalid={wrong !== undefined}
            aria-describedby={wrong ? "name-wrong" : undefined}
            value={chosen.name}
            readOnly={info.name !== undefined}
            onChange={(event) => {
              change({ name: event.target.value });
              setWrong(undefined);
            }}
          />
        </label>
        {wrong && (
          <p className="form-error" id="name-wrong" role="alert" data-testid="name-wrong">
            {wrong}
          </p>
        )}
        {alike && (
          <p className="form-error" role="status" data-testid="sounds-like">
            This name sounds like {alike}, an AI agent here, who may answer what is said to you. Join by another name,
            your surname perhaps, and be called by it.
          </p>
        )}
        <div className="notice" data-testid="transcript-notice">
          <Icon name="transcript" />
          <div>
            <p className="notice-title">{notice.title}</p>
            <p>{notice.detail}</p>
          </div>
        </div>
        {obstacle && (
          <p className="form-error" role="alert" data-testid="obstacle" data-obstacle={obstacle}>
            {WAYS_OUT[obstacle]}
          </p>
        )}
        <button type="submit" className="button primary large" data-testid="join-button" disabled={joining} aria-busy={joining}>
          {joining ? "Joining…" : info.admit === "ask" ? "Ask to join" : "Join"}
        </button>
        {info.admit === "ask" && (
          <p className="form-note" data-testid="asks">
            A host decides who comes in: you wait until one has.
          </p>
        )}
        {info.trial && (
          <p className="form-note">
            Not sure whether your network lets you in?{" "}
            <a href={info.trial} target="_blank" rel="noopener" data-testid="trial-link">
              Test the connection
            </a>
            .
          </p>
        )}
        {info.authority && (
          <p className="form-note" data-testid="authority">
            Did your browser warn of this page? Its certificate is the meeting’s own. Where no sound arrives, trust{" "}
            <a href={info.authority} download>
              its authority
            </a>{" "}
            or ask for another network.
          </p>
        )}
      </form>
      <section className="prejoin-devices" aria-label="Devices">
        {!observes && (
          <DeviceSelect
            kind="audioinput"
            label="Microphone"
            value={chosen.microphoneId}
            onChange={(microphoneId) => change({ microphoneId })}
            refresh={microphone.track}
          />
        )}
        {chosen.camera && (
          <DeviceSelect
            kind="videoinput"
            label="Camera"
            value={chosen.cameraId}
            onChange={(cameraId) => change({ cameraId })}
            refresh={camera.track}
          />
        )}
      </section>
    </main>
  );
}
