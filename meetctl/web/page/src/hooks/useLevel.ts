import { createAudioAnalyser, Track, type LocalAudioTrack, type RemoteAudioTrack } from "livekit-client";
import { useEffect, type RefObject } from "react";

/** Below this the analyser hears the noise of its own rounding. */
const FLOOR = 0.02;

/** Writes the loudness of a track, 0 to 1, into the element's `--level` on every frame, without rendering anew. */
export function useLevel(element: RefObject<HTMLElement | null>, track: Track | undefined): void {
  useEffect(() => {
    const target = element.current;
    if (!target || !track?.mediaStreamTrack || track.kind !== Track.Kind.Audio) return;
    const { calculateVolume, cleanup } = createAudioAnalyser(track as LocalAudioTrack | RemoteAudioTrack, {
      cloneTrack: false,
      smoothingTimeConstant: 0.6,
    });
    let frame = 0;
    let shown = -1;
    const draw = () => {
      const volume = calculateVolume();
      const level = Math.round(Math.min(Math.max(volume - FLOOR, 0) * 2.2, 1) * 50) / 50;
      if (level !== shown) target.style.setProperty("--level", String(level));
      shown = level;
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => {
      cancelAnimationFrame(frame);
      target.style.removeProperty("--level");
      void cleanup();
    };
  }, [element, track]);
}
