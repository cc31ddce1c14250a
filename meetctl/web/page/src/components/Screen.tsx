/** A whole screen that says one thing: an icon, a sentence, what to do next. */

import { useEffect, useRef, type ReactNode } from "react";
import { Icon, type IconName } from "./Icon";

export interface ScreenProps {
  readonly testId: string;
  readonly icon: IconName;
  readonly title: string;
  readonly children: ReactNode;
  readonly actions?: ReactNode;
}

export function Screen({ testId, icon, title, children, actions }: ScreenProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  // What was focused before is gone; a screen reader reads the new screen from its heading.
  useEffect(() => heading.current?.focus(), [testId]);
  return (
    <main className="screen" data-testid={testId}>
      <div className="screen-card">
        <span className="screen-icon">
          <Icon name={icon} />
        </span>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        <div className="screen-text">{children}</div>
        {actions && <div className="screen-actions">{actions}</div>}
      </div>
    </main>
  );
}
