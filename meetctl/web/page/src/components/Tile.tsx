/** One attendee: picture or initials, name, and what they are doing. */

import { useIsSpeaking, useParticipantAttributes, useParticipantInfo, VideoTrack } from "@livekit/components-react";
import { isTrackReference, type TrackReferenceOrPlaceholder } from "@livekit/components-core";
import type { Participant } from "livekit-client";
import type { CSSProperties } from "react";
import { hueOf } from "../logic/names";
import { ACTIVITY, agentStateOf, type AgentState, type TileSeat } from "../logic/tiles";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";

const STATE_WORDS: Readonly<Record<AgentState, string>> = {
  initializing: "Getting ready",
  listening: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
  idle: "Idle",
};

export interface TileProps {
  readonly seat: TileSeat<Participant>;
  readonly camera: TrackReferenceOrPlaceholder | undefined;
  readonly microphone: TrackReferenceOrPlaceholder | undefined;
}

export function Tile({ seat, camera, microphone }: TileProps) {
  const { participant, media, isAgent } = seat;
  const { name } = useParticipantInfo({ participant });
  const { attributes } = useParticipantAttributes({ participant });
  const heard = useIsSpeaking(media);
  const state = isAgent ? agentStateOf(attributes ?? participant.attributes) : undefined;
  const activity = isAgent ? (attributes ?? participant.attributes)[ACTIVITY] : undefined;
  const speaking = state ? state === "speaking" : heard;
  const shownName = name || participant.identity;
  const video = camera && isTrackReference(camera) && !camera.publication.isMuted ? camera : undefined;
  const audio = microphone && isTrackReference(microphone) ? microphone.publication : undefined;
  const muted = !audio || audio.isMuted;
  return (
    <article
      className="tile"
      data-testid="tile"
      data-identity={participant.identity}
      data-agent={isAgent}
      data-agent-state={isAgent ? (state ?? "") : undefined}
      data-speaking={speaking}
      data-video={video !== undefined}
      aria-label={`${shownName}${participant.isLocal ? ", you" : ""}${state ? `, ${STATE_WORDS[state]}` : ""}`}
      style={{ "--hue": hueOf(participant.identity) } as CSSProperties}
    >
      {video ? <VideoTrack trackRef={video} /> : <Avatar name={shownName} audio={audio?.track} state={state} />}
      <div className="tile-foot">
        <span className="tile-name">
          {!isAgent && muted && <Icon name="microphone-off" />}
          <span className="tile-name-text">{shownName}</span>
          {participant.isLocal && <span className="tile-you">you</span>}
        </span>
        {isAgent && (
          <span className="tile-state" data-state={state}>
            <span className="tile-dot" />
            {activity ? `${activity}…` : state ? STATE_WORDS[state] : "Agent"}
          </span>
        )}
      </div>
    </article>
  );
}
