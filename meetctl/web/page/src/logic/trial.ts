/** Tries each way to a meeting's server by itself, with a token that is good for nothing else. */

import { Room, RoomEvent } from "livekit-client";
import type { Trial } from "../api";
import type { Limited, Protocol } from "./limited";

export type Way = "signaling" | "udp" | "tcp" | "turn";
export const WAYS: readonly Way[] = ["signaling", "udp", "tcp", "turn"];

export type Outcome =
  | { readonly state: "trying" }
  | { readonly state: "open"; readonly ms: number }
  | { readonly state: "shut" }
  /** There is no such way to this meeting. */
  | { readonly state: "none" }
  /** The browser does not say. */
  | { readonly state: "unknown" };

export type Outcomes = Readonly<Record<Way, Outcome>>;
export const TRYING: Outcomes = {
  signaling: { state: "trying" },
  udp: { state: "trying" },
  tcp: { state: "trying" },
  turn: { state: "trying" },
};

/** A network that lets something through does so within a second or two; a meeting itself tries for fifteen. */
const TRY_MS = 10_000;

export function isTrialPage(path: string): boolean {
  return path.endsWith("/connection");
}

/** Tries all ways side by side, telling of each as it is known. */
export async function tryAll(trial: Trial, onOutcome: (way: Way, outcome: Outcome) => void): Promise<void> {
  const { livekit_url: url, udp, tcp, turn } = trial;
  let signaling: Outcome | undefined;
  const onSignaling = (outcome: Outcome) => {
    if (signaling?.state === "open") return;
    signaling = outcome;
    onOutcome("signaling", outcome);
  };
  await Promise.all([
    tryMedia(url, udp, "udp", onSignaling).then((outcome) => onOutcome("udp", outcome)),
    (tcp ? tryMedia(url, tcp, "tcp", onSignaling) : NONE).then((outcome) => onOutcome("tcp", outcome)),
    (turn ? tryTurn(turn) : NONE).then((outcome) => onOutcome("turn", outcome)),
  ]);
}

const NONE = Promise.resolve<Outcome>({ state: "none" });

async function tryMedia(
  url: string,
  token: string,
  only: Protocol,
  onSignaling: (outcome: Outcome) => void,
): Promise<Outcome> {
  const began = performance.now();
  const passed = () => performance.now() - began;
  const room = new Room();
  let isSignaled = false;
  room.once(RoomEvent.SignalConnected, () => {
    isSignaled = true;
    onSignaling({ state: "open", ms: passed() });
  });
  const rtcConfig: Limited = { iceServers: [], only };
  try {
    await room.connect(url, token, {
      autoSubscribe: false,
      maxRetries: 0,
      peerConnectionTimeout: TRY_MS,
      websocketTimeout: TRY_MS,
      rtcConfig,
    });
    return { state: "open", ms: passed() };
  } catch {
    if (!isSignaled) onSignaling({ state: "shut" });
    return { state: "shut" };
  } finally {
    await room.disconnect();
  }
}

/** A server that refuses who asks has been reached: no credentials are given out for this. */
async function tryTurn(url: string): Promise<Outcome> {
  const connection = new RTCPeerConnection({
    iceServers: [{ urls: url, username: "nobody", credential: "none" }],
    iceTransportPolicy: "relay",
  });
  const began = performance.now();
  try {
    return await new Promise<Outcome>((resolve) => {
      let failed = false;
      connection.addEventListener("icecandidateerror", ({ errorCode }) => {
        failed = true;
        // 701 is the browser's own: nobody was reached. All others are a server's.
        if (errorCode >= 300 && errorCode < 700) resolve({ state: "open", ms: performance.now() - began });
      });
      connection.addEventListener("icegatheringstatechange", () => {
        if (connection.iceGatheringState === "complete") resolve({ state: failed && !isGecko() ? "shut" : "unknown" });
      });
      setTimeout(() => resolve({ state: isGecko() ? "unknown" : "shut" }), TRY_MS);
      connection.createDataChannel("");
      void connection.setLocalDescription();
    });
  } finally {
    connection.close();
  }
}

/** Firefox's engine says the same of a server that refuses and of one that is not there. */
function isGecko(): boolean {
  return "mozInnerScreenX" in window;
}

export interface Verdict {
  readonly state: "trying" | "good" | "bad";
  readonly words: string;
}

/** Returns what the outcomes come to. */
export function verdictOf({ signaling, udp, tcp, turn }: Outcomes): Verdict {
  if (signaling.state === "shut") return { state: "bad", words: "From here you cannot take part." };
  const media: readonly (readonly [Outcome, string])[] = [
    [udp, "UDP, the fastest way there is"],
    [tcp, "TCP"],
    [turn, "TURN over TLS, a detour"],
  ];
  const open = media.find(([outcome]) => outcome.state === "open");
  const isTrying = media.some(([outcome]) => outcome.state === "trying");
  if (open && (open[0] === udp || !isTrying)) {
    return { state: "good", words: `You can take part: sound and pictures come by ${open[1]}.` };
  }
  if (isTrying || signaling.state === "trying") return { state: "trying", words: "Testing your connection…" };
  if (turn.state === "unknown") {
    return { state: "bad", words: "Sound and pictures can come by TURN over TLS at most, and this browser does not say whether they do." };
  }
  return { state: "bad", words: "You would come in, but sound and pictures do not get through." };
}
