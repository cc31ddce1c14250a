/** Written words; the agents read them as if they had been spoken. */

import type { ReceivedChatMessage } from "@livekit/components-react";
import { useState, type CSSProperties, type FormEvent } from "react";
import { useStickToEnd } from "../hooks/useStickToEnd";
import { hueOf } from "../logic/names";
import { clockTime } from "../logic/time";
import { Icon } from "./Icon";
import { Panel } from "./Panel";

/** Longer than anybody types, shorter than what would fill everybody's panel. */
const MAX_CHARACTERS = 2_000;

export interface ChatPanelProps {
  readonly messages: readonly ReceivedChatMessage[];
  readonly sending: boolean;
  /** Undefined for whoever only reads. */
  readonly onSend: ((text: string) => Promise<unknown>) | undefined;
  readonly onClose: () => void;
}

export function ChatPanel({ messages, sending, onSend, onClose }: ChatPanelProps) {
  const [text, setText] = useState("");
  const [failed, setFailed] = useState(false);
  const list = useStickToEnd<HTMLDivElement>(messages);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const message = text.trim();
    if (!message || sending || !onSend) return;
    try {
      await onSend(message);
      setText("");
      setFailed(false);
    } catch {
      setFailed(true);
    }
  };
  return (
    <Panel id="chat-panel" title="Chat" onClose={onClose}>
      {messages.length === 0 && <p className="panel-empty">Messages go to everyone here, agents included.</p>}
      <div className="panel-list" tabIndex={0} role="log" aria-live="polite" aria-label="Messages" {...list}>
        <ol className="entries">
        {messages.map((message) => (
          <li
            key={message.id ?? message.timestamp}
            className="entry"
            data-testid="chat-message"
            data-identity={message.from?.identity}
            data-own={message.from?.isLocal ?? false}
            style={{ "--hue": hueOf(message.from?.identity ?? "") } as CSSProperties}
          >
            <p className="entry-head">
              <b>{message.from?.isLocal ? "You" : message.from?.name || message.from?.identity || "Someone who left"}</b>{" "}
              <time>{clockTime(message.timestamp)}</time>
            </p>
            <p className="entry-text">{message.message}</p>
          </li>
        ))}
        </ol>
      </div>
      {onSend && (
      <form className="chat-form" onSubmit={submit}>
        {failed && <p className="form-error" role="alert">The message could not be sent. Try again.</p>}
        <div className="chat-row">
          <input
            className="input"
            data-testid="chat-input"
            data-autofocus
            aria-label="Message to everyone"
            placeholder="Message to everyone"
            autoComplete="off"
            maxLength={MAX_CHARACTERS}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <button type="submit" className="icon-button primary" aria-label="Send" data-testid="chat-send" disabled={!text.trim() || sending}>
            <Icon name="send" />
          </button>
        </div>
      </form>
      )}
    </Panel>
  );
}
