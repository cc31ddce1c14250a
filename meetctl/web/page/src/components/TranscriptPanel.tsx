/** What was said since this person came in. */

import type { CSSProperties } from "react";
import { useStickToEnd } from "../hooks/useStickToEnd";
import { paragraphs, type Caption } from "../logic/captions";
import { hueOf } from "../logic/names";
import { clockTime } from "../logic/time";
import { Panel } from "./Panel";

export function TranscriptPanel({ captions, onClose }: { readonly captions: readonly Caption[]; readonly onClose: () => void }) {
  const list = useStickToEnd<HTMLDivElement>(captions);
  const spoken = paragraphs(captions);
  return (
    <Panel id="transcript-panel" title="Transcript" onClose={onClose}>
      {spoken.length === 0 && <p className="panel-empty">What is said from now on appears here.</p>}
      <div className="panel-list" tabIndex={0} role="region" aria-label="What was said" {...list}>
        <ol className="entries">
        {spoken.map((paragraph) => (
          <li key={paragraph.key} className="entry" style={{ "--hue": hueOf(paragraph.identity) } as CSSProperties}>
            <p className="entry-head">
              <b>{paragraph.name}</b> <time>{clockTime(paragraph.at)}</time>
            </p>
            <p className="entry-text">
              {paragraph.captions.map((caption) => (
                <span
                  key={caption.id}
                  data-testid="transcript-line"
                  data-identity={caption.identity}
                  data-final={caption.final}
                >
                  {caption.text}{" "}
                </span>
              ))}
            </p>
          </li>
        ))}
        </ol>
      </div>
    </Panel>
  );
}
