/** What a tile shows where there is no picture: the initials, and around them how loud and how busy somebody is. */

import type { Track } from "livekit-client";
import { useRef } from "react";
import { useLevel } from "../hooks/useLevel";
import { initials } from "../logic/names";
import type { AgentState } from "../logic/tiles";

export interface AvatarProps {
  readonly name: string;
  readonly audio?: Track | undefined;
  readonly state?: AgentState | undefined;
}

export function Avatar({ name, audio, state }: AvatarProps) {
  const element = useRef<HTMLDivElement>(null);
  useLevel(element, audio);
  return (
    <div className="avatar" ref={element} data-state={state} aria-hidden="true">
      <span className="avatar-ring" />
      <span className="avatar-ring" />
      <span className="avatar-face">{initials(name)}</span>
      <span className="avatar-bars">
        <i />
        <i />
        <i />
        <i />
        <i />
      </span>
    </div>
  );
}
