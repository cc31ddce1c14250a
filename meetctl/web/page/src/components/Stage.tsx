/** Everybody at once, as large as they fit; a shared screen takes the middle and puts the people beside it. */

import { isTrackReference, type TrackReferenceOrPlaceholder } from "@livekit/components-core";
import { useTracks, VideoTrack } from "@livekit/components-react";
import { Track } from "livekit-client";
import { useRef, type CSSProperties } from "react";
import { useElementSize } from "../hooks/useElementSize";
import { useTileSeats } from "../hooks/useTileSeats";
import { gridShape } from "../logic/grid";
import { Tile } from "./Tile";

const SOURCES = [Track.Source.Camera, Track.Source.Microphone, Track.Source.ScreenShare];
const GAP = 12;
/** A smaller tile shows nobody; the stage scrolls instead. */
const SMALLEST = 132;

export function Stage() {
  const seats = useTileSeats();
  const tracks = useTracks(SOURCES, { onlySubscribed: false });
  const grid = useRef<HTMLDivElement>(null);
  const size = useElementSize(grid);
  const shape = gridShape(seats.length, size.width, size.height, GAP);
  const screen = tracks.find((track) => track.source === Track.Source.ScreenShare && isTrackReference(track));
  const of = (identity: string, source: Track.Source): TrackReferenceOrPlaceholder | undefined =>
    tracks.find((track) => track.participant.identity === identity && track.source === source);
  return (
    <section className="stage" data-sharing={screen !== undefined} aria-label="Participants">
      {screen && isTrackReference(screen) && (
        <figure className="shared-screen" data-testid="shared-screen">
          <VideoTrack trackRef={screen} />
          <figcaption>{screen.participant.isLocal ? "You are sharing your screen" : `${screen.participant.name || screen.participant.identity} shares a screen`}</figcaption>
        </figure>
      )}
      <div
        className="grid"
        ref={grid}
        data-testid="grid"
        style={
          {
            "--columns": shape.columns,
            "--tile-width": `${Math.max(shape.width, SMALLEST)}px`,
            "--tile-height": `${Math.max(shape.height, SMALLEST)}px`,
          } as CSSProperties
        }
      >
        {seats.map((seat) => (
          <Tile
            key={seat.participant.identity}
            seat={seat}
            camera={of(seat.media.identity, Track.Source.Camera)}
            microphone={of(seat.media.identity, Track.Source.Microphone)}
          />
        ))}
      </div>
    </section>
  );
}
