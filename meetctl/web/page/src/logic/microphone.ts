/** Why there is no microphone, and what a person can do about it. */

export type MediaFault = "denied" | "missing" | "busy" | "insecure" | "failed";

/** Returns what the error of `getUserMedia` means. */
export function faultOf(error: unknown, secure: boolean): MediaFault {
  if (!secure) return "insecure";
  const name = error instanceof Error ? error.name : "";
  switch (name) {
    case "NotAllowedError":
    case "PermissionDeniedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "DevicesNotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "TrackStartError":
    case "AbortError":
      return "busy";
    default:
      return "failed";
  }
}

export const REMEDIES: Readonly<Record<MediaFault, string>> = {
  denied: "The browser was told not to use it. Open the site settings beside the address, allow it and try again.",
  missing: "None was found. Plug one in, or turn it on, and try again.",
  busy: "Another program is using it. Close that program and try again.",
  insecure: "Browsers give access only over https or on this machine itself. Ask for a link that begins with https.",
  failed: "It could not be started. Unplug it and plug it in again, then try once more.",
};
