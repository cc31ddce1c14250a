/** Offered where the browser plays nobody's sound before somebody clicks. */

import { useAudioPlayback } from "@livekit/components-react";
import { useEffect, useState } from "react";

const LOOK_MS = 500;

export function SoundButton() {
  const { canPlayAudio, startAudio } = useAudioPlayback();
  const held = useHeldSounds();
  // Firefox without loudspeakers says that it cannot play, and plays.
  if (canPlayAudio || !held) return null;
  return (
    <button type="button" className="button primary start-audio" onClick={() => void startAudio()}>
      Turn the sound on
    </button>
  );
}

/** Whether somebody's sound is there and does not play; no event tells of a sound that was never begun. */
function useHeldSounds(): boolean {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    const look = () => setHeld([...document.querySelectorAll("audio")].some((sound) => sound.srcObject && sound.paused));
    const looking = setInterval(look, LOOK_MS);
    return () => clearInterval(looking);
  }, []);
  return held;
}
