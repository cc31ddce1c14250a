/** Whether somebody could take part from where they are, before they have an invite: each way, its time, what to open. */

import { useEffect } from "react";
import type { Trial } from "../api";
import { useTrial } from "../hooks/useTrial";
import { remedyOf, TITLES } from "../logic/remedies";
import { verdictOf, WAYS, type Outcome, type Way } from "../logic/trial";

export function ConnectionTest() {
  const { trial, outcomes, fault, again } = useTrial();
  const verdict = verdictOf(outcomes);
  const trying = !fault && WAYS.some((way) => outcomes[way].state === "trying");
  useEffect(() => {
    document.title = "Connection test";
  }, []);
  return (
    <main className="trial" data-testid="trial" data-verdict={fault ? "fault" : verdict.state}>
      <p className="eyebrow">Connection test</p>
      <h1 role="status">{fault ?? verdict.words}</h1>
      {!fault && (
        <ol className="trial-ways" aria-busy={trying}>
          {WAYS.map((way) => (
            <WayRow key={way} way={way} outcome={outcomes[way]} trial={trial} />
          ))}
        </ol>
      )}
      {outcomes.turn.state === "shut" && trial?.authority && (
        <p className="form-note">
          <a href={trial.authority} download>
            The meeting’s authority
          </a>
          , for this browser to trust.
        </p>
      )}
      <button type="button" className="button" data-testid="trial-again" disabled={trying} onClick={again}>
        Test again
      </button>
      <p className="form-note">Nobody in the meeting sees or hears this, and it needs no invite.</p>
    </main>
  );
}

interface WayRowProps {
  readonly way: Way;
  readonly outcome: Outcome;
  readonly trial: Trial | undefined;
}

function WayRow({ way, outcome, trial }: WayRowProps) {
  const remedy = trial && remedyOf(way, outcome, trial, window.location.port || "443");
  return (
    <li className="trial-way" data-testid={`trial-${way}`} data-state={outcome.state}>
      <p className="trial-name">
        <b>{TITLES[way]}</b>
        <span>{shown(outcome)}</span>
      </p>
      {remedy && <p className="trial-remedy">{remedy}</p>}
    </li>
  );
}

function shown(outcome: Outcome): string {
  switch (outcome.state) {
    case "trying":
      return "testing…";
    case "open":
      return `works, ${(outcome.ms / 1000).toFixed(2)} s`;
    case "shut":
      return "does not get through";
    case "none":
      return "not offered";
    case "unknown":
      return "not known";
  }
}
