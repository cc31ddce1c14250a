/** A round button of the control bar with its word under it. */

import type { ButtonHTMLAttributes } from "react";
import { Icon, type IconName } from "./Icon";

export interface ControlButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly icon: IconName;
  /** Shown under the button; `aria-label` says more where needed. */
  readonly label: string;
  readonly badge?: number | undefined;
}

export function ControlButton({ icon, label, badge, className = "", ...rest }: ControlButtonProps) {
  return (
    <button type="button" aria-label={label} {...rest} className={`control ${className}`}>
      <span className="control-icon">
        <Icon name={icon} />
        {badge ? <span className="control-badge">{badge > 9 ? "9+" : badge}</span> : null}
      </span>
      <span className="control-label">{label}</span>
    </button>
  );
}
