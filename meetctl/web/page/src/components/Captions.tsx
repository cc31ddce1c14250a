/** The last words under the stage for the eyes, and every final line in a log for a screen reader. */

import { useEffect, useState, type CSSProperties } from "react";
import { lastWords, type Caption } from "../logic/captions";
import { hueOf } from "../logic/names";

const SHOWN = 2;
/** Two to three lines; the transcript has all of a long turn. */
const SHOWN_CHARACTERS = 170;
/** Long enough to read two lines after they are complete. */
const FADE_AFTER_MS = 7_000;

export function Captions({ captions, visible }: { readonly captions: readonly Caption[]; readonly visible: boolean }) {
  const spoken = captions.filter((caption) => caption.text.trim());
  const [faded, setFaded] = useState(false);
  useEffect(() => {
    setFaded(false);
    const timer = setTimeout(() => setFaded(true), FADE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [captions]);
  return (
    <>
      <ol className="captions" data-faded={faded} hidden={!visible} aria-hidden="true">
        {spoken.slice(-SHOWN).map((caption) => (
          <li
            key={`${caption.identity} ${caption.id}`}
            data-testid="caption"
            data-identity={caption.identity}
            data-final={caption.final}
            style={{ "--hue": hueOf(caption.identity) } as CSSProperties}
          >
            <p>
              <b>{caption.name}</b> <span data-testid="caption-text">{lastWords(caption.text, SHOWN_CHARACTERS)}</span>
            </p>
          </li>
        ))}
      </ol>
      <div className="visually-hidden" role="log" aria-live="polite" aria-label="Captions" data-testid="caption-log">
        <ol>
        {spoken
          .filter((caption) => caption.final)
          .map((caption) => (
            <li key={`${caption.identity} ${caption.id}`} data-testid="caption-logged" data-identity={caption.identity}>
              {caption.name}: {caption.text}
            </li>
          ))}
        </ol>
      </div>
    </>
  );
}
