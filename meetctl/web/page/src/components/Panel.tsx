/** The column beside the stage (over it on a phone). Escape closes it. */

import { useEffect, useRef, type ReactNode } from "react";
import { Icon } from "./Icon";

export interface PanelProps {
  readonly id: string;
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function Panel({ id, title, onClose, children }: PanelProps) {
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const panel = close.current?.closest("aside");
    (panel?.querySelector<HTMLElement>("[data-autofocus]") ?? close.current)?.focus();
  }, [id]);
  return (
    <aside
      className="panel"
      id={id}
      data-testid={id}
      aria-labelledby={`${id}-title`}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <header className="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        <button type="button" className="icon-button" ref={close} onClick={onClose} aria-label={`Close ${title.toLowerCase()}`}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </aside>
  );
}
