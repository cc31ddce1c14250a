/** What a host can do with the agents. It goes to the meeting's own server, never through the room. */

import { useId, useRef, useState, type CSSProperties, type FormEvent } from "react";
import type { CastAgent, Direction, Management } from "../api";
import { useCast } from "../hooks/useCast";
import { KINDS, MAX_WORDS, speakers, standing } from "../logic/cast";
import { hueOf } from "../logic/names";
import { HostPeople } from "./HostPeople";
import { Icon } from "./Icon";
import { Panel } from "./Panel";

export function HostPanel({ invite, onClose }: { readonly invite: string; readonly onClose: () => void }) {
  const { cast, fault, pending, act, decide } = useCast(invite);
  return (
    <Panel id="host-panel" title="Host" onClose={onClose}>
      <div className="panel-list host-list" tabIndex={0} role="region" aria-label="Agents and people">
        {cast?.agents.length === 0 && <p className="panel-note">No agents are here.</p>}
        <ol className="host-agents" aria-busy={!cast}>
          {cast?.agents.map((agent) => (
            <AgentRow
              key={agent.identity}
              agent={agent}
              floor={cast.floor}
              pending={pending}
              onAct={(direction) => void act(direction)}
            />
          ))}
        </ol>
        {cast?.people && (
          <HostPeople people={cast.people} locked={cast.locked ?? false} pending={pending} onDecide={decide} />
        )}
      </div>
      <Words agents={cast ? speakers(cast) : []} fault={fault} busy={pending !== undefined} onSend={act} />
    </Panel>
  );
}

interface AgentRowProps {
  readonly agent: CastAgent;
  readonly floor: string | null;
  readonly pending: Direction | Management | undefined;
  readonly onAct: (direction: Direction) => void;
}

function AgentRow({ agent, floor, pending, onAct }: AgentRowProps) {
  const { identity, name, muted } = agent;
  const busy = pending !== undefined && "agent" in pending && pending.agent === identity;
  return (
    <li
      className="host-agent"
      data-testid="host-agent"
      data-identity={identity}
      data-floor={floor === identity}
      data-muted={muted}
      style={{ "--hue": hueOf(identity) } as CSSProperties}
    >
      <p className="host-name">
        <b>{name}</b>
        <span data-testid="host-standing">{standing(agent, floor)}</span>
      </p>
      {agent.can_speak && (
        <div className="host-actions">
          <button
            type="button"
            className="button small"
            data-testid="host-floor"
            aria-label={`Give ${name} the floor`}
            disabled={busy || muted}
            onClick={() => onAct({ do: "floor", agent: identity })}
          >
            Floor
          </button>
          <button
            type="button"
            className="button small"
            data-testid="host-mute"
            aria-label={`${muted ? "Unmute" : "Mute"} ${name}`}
            disabled={busy}
            onClick={() => onAct({ do: muted ? "unmute" : "mute", agent: identity })}
          >
            {muted ? "Unmute" : "Mute"}
          </button>
        </div>
      )}
    </li>
  );
}

interface WordsProps {
  readonly agents: readonly CastAgent[];
  readonly fault: string | undefined;
  readonly busy: boolean;
  readonly onSend: (direction: Direction) => Promise<boolean>;
}

function Words({ agents, fault, busy, onSend }: WordsProps) {
  const [kind, setKind] = useState(KINDS[0]!);
  const [chosen, setChosen] = useState("");
  const [text, setText] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const group = useId();
  const toAll = kind.do === "tell";
  const agent = agents.find((each) => each.identity === chosen) ?? agents[0];
  const ready = text.trim() !== "" && (toAll || agent !== undefined) && !busy;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!ready) return;
    const words = { do: kind.do, text: text.trim() };
    if (await onSend(toAll || !agent ? words : { ...words, agent: agent.identity })) setText("");
    input.current?.focus();
  };

  return (
    <form className="chat-form" onSubmit={submit}>
      {fault && (
        <p className="form-error" role="alert" data-testid="host-fault">
          {fault}
        </p>
      )}
      <fieldset className="segments">
        <legend className="visually-hidden">What to do with the words</legend>
        {KINDS.map((each) => (
          <label key={each.do} className="segment">
            <input
              type="radio"
              name={group}
              value={each.do}
              checked={each.do === kind.do}
              data-testid={`host-${each.do}`}
              onChange={() => setKind(each)}
            />
            <span>{each.label}</span>
          </label>
        ))}
      </fieldset>
      {!toAll && (
        <select
          className="input"
          aria-label="Agent"
          data-testid="host-agent-select"
          value={agent?.identity ?? ""}
          onChange={(event) => setChosen(event.target.value)}
        >
          {agents.map((each) => (
            <option key={each.identity} value={each.identity}>
              {each.name}
            </option>
          ))}
        </select>
      )}
      <div className="chat-row">
        <input
          ref={input}
          className="input"
          data-testid="host-words"
          data-autofocus
          aria-label={toAll ? "A fact for every agent" : `Words for ${agent?.name ?? "an agent"}`}
          placeholder={kind.placeholder}
          autoComplete="off"
          maxLength={MAX_WORDS}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit" className="icon-button primary" aria-label="Send" data-testid="host-send" disabled={!ready}>
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}
