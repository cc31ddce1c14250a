/** What a host can do with people, and with the door. */

import { useState, type CSSProperties } from "react";
import type { CastPerson, Direction, Management } from "../api";
import { hueOf } from "../logic/names";

export interface HostPeopleProps {
  readonly people: readonly CastPerson[];
  readonly locked: boolean;
  readonly pending: Direction | Management | undefined;
  readonly onDecide: (management: Management) => Promise<boolean>;
}

export function HostPeople({ people, locked, pending, onDecide }: HostPeopleProps) {
  const [ending, setEnding] = useState(false);
  const busy = pending !== undefined;
  return (
    <section className="host-people" aria-label="People">
      <ol className="host-agents">
        {people.map((person) => (
          <li
            key={person.identity}
            className="host-agent"
            data-testid="host-person"
            data-identity={person.identity}
            style={{ "--hue": hueOf(person.identity) } as CSSProperties}
          >
            <p className="host-name">
              <b>{person.name}</b>
              <span>{sending(person)}</span>
            </p>
            <div className="host-actions">
              {person.microphone ? (
                <button
                  type="button"
                  className="button small"
                  aria-label={`Mute ${person.name}`}
                  disabled={busy}
                  onClick={() => void onDecide({ do: "mute", person: person.identity })}
                >
                  Mute
                </button>
              ) : (
                person.role !== "observer" && (
                  <button
                    type="button"
                    className="button small"
                    aria-label={`Ask ${person.name} to unmute`}
                    disabled={busy}
                    onClick={() => void onDecide({ do: "ask_unmute", person: person.identity })}
                  >
                    Ask to unmute
                  </button>
                )
              )}
              <button
                type="button"
                className="button small"
                aria-label={`Remove ${person.name}`}
                disabled={busy}
                onClick={() => void onDecide({ do: "kick", person: person.identity })}
              >
                Remove
              </button>
            </div>
          </li>
        ))}
      </ol>
      <div className="host-actions">
        <button
          type="button"
          className="button small"
          data-testid="host-lock"
          aria-pressed={locked}
          disabled={busy}
          onClick={() => void onDecide({ do: locked ? "unlock" : "lock" })}
        >
          {locked ? "Let people in again" : "Lock"}
        </button>
        <button
          type="button"
          className="button small"
          data-testid="host-end"
          disabled={busy}
          onClick={() => (ending ? void onDecide({ do: "end" }) : setEnding(true))}
          onBlur={() => setEnding(false)}
        >
          {ending ? "Really end for everyone" : "End for everyone"}
        </button>
      </div>
    </section>
  );
}

function sending({ microphone, camera, screen }: CastPerson): string {
  const on = [microphone && "microphone", camera && "camera", screen && "screen"].filter(Boolean);
  return on.length > 0 ? on.join(", ") : "sends nothing";
}
