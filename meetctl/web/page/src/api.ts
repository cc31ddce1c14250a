/** The page's own server: what the meeting is, and connection details for whoever has an invite. */

import type { Connection } from "./logic/connection";
import type { Pulse } from "./logic/ending";
import { deviceSecret, randomHex } from "./remembered";

export interface MeetingInfo {
  readonly room: string;
  readonly role: string;
  /** What a personal link calls this person. */
  readonly name?: string;
  readonly topic?: string | null;
  readonly agents?: readonly string[];
  readonly transcript?: unknown;
  /** Whether media is served at a loopback address alone. */
  readonly loopback_only?: boolean;
  /** Where the certificate authority's certificate is, for whoever is warned of it. */
  readonly authority?: string;
  /** Where the server sends back what it gets by WebSocket, where signaling passes there too. */
  readonly echo?: string;
  /** Where a connection is tested, also without an invite. */
  readonly trial?: string;
  /** `ask`: a host has to let this person in, who is told nothing more until then. */
  readonly admit?: string;
}

export interface ConnectionDetails {
  readonly livekit_url: string;
  readonly token: string;
  readonly identity: string;
  readonly name: string;
  readonly room: string;
}

/** What a host sees of an agent. */
export interface CastAgent {
  readonly identity: string;
  readonly name: string;
  readonly state: string;
  readonly muted: boolean;
  /** False for a program of its own, and for one that only listens. */
  readonly can_speak: boolean;
}

/** What a host sees of a person. */
export interface CastPerson {
  readonly identity: string;
  readonly name: string;
  readonly role: string | null;
  readonly microphone: boolean;
  readonly camera: boolean;
  readonly screen: boolean;
}

export interface Cast {
  /** Identity of the agent that holds the floor. */
  readonly floor: string | null;
  readonly agents: readonly CastAgent[];
  readonly people?: readonly CastPerson[];
  /** Whether nobody new comes in. */
  readonly locked?: boolean;
}

/** What a host does with people, or with the whole meeting. */
export interface Management {
  readonly do: "kick" | "mute" | "ask_unmute" | "lock" | "unlock" | "end";
  readonly person?: string;
}

export type Directive = "say" | "ask" | "tell" | "floor" | "mute" | "unmute";

export interface Direction {
  readonly do: Directive;
  readonly agent?: string;
  readonly text?: string;
}

/** Why the server said no; `gone` = no server answers. */
export type RefusalCode =
  | "wrong_invite"
  | "link_expired"
  | "link_used"
  | "meeting_closed"
  | "removed"
  | "locked"
  | "bad_name"
  | "too_many"
  | "cannot_admit"
  | "not_let_in"
  | "nobody_answered"
  | "lobby_full"
  | "no_browser"
  | "left_off"
  | "no_server"
  | "gone";

export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
}

/** Links that were taken back, have run out or are another browser's: whoever asks again is refused again. */
const OVER: ReadonlySet<RefusalCode> = new Set(["wrong_invite", "link_expired", "link_used"]);

/** Returns whether asking again is of no use; the server bounds how often one network may be wrong. */
export function isOver(refusal: Refusal | undefined): boolean {
  return refusal !== undefined && OVER.has(refusal.code);
}

export type Answer<T> = { readonly ok: T; readonly refusal?: never } | { readonly ok?: never; readonly refusal: Refusal };

/** A server on the same machine answers in milliseconds, and one behind a slow line in seconds. */
const ANSWER_TIMEOUT_MS = 10_000;

export function askInfo(invite: string): Promise<Answer<MeetingInfo>> {
  return post<MeetingInfo>("/api/info", { invite, device: deviceSecret() });
}

/** Returns the agent whose name this one is taken for by ear; undefined = nobody's, or nobody knows. */
export async function askSoundsLike(invite: string, name: string): Promise<string | undefined> {
  const body = { invite, name, device: deviceSecret() };
  const { ok } = await post<MeetingInfo & { readonly sounds_like?: string | null }>("/api/info", body);
  return ok?.sounds_like ?? undefined;
}

/** Has a host's direction carried out, or only looks; the answer is how the agents stand then. */
export function direct(invite: string, direction?: Direction): Promise<Answer<Cast>> {
  return post<Cast>("/api/direct", { invite, device: deviceSecret(), ...direction });
}

/** What waits for a host's word. */
export interface HostRequest {
  readonly id: string;
  /** `tool`: an agent asks whether it may use one. `admission`: a person asks to come in. */
  readonly kind: string;
  readonly identity: string;
  readonly name: string;
  readonly what: string;
  /** All that is worth knowing before it is allowed. */
  readonly detail: string;
}

export interface HostDecision {
  readonly id: string;
  readonly allowed: boolean;
  /** What the host is called in the meeting. */
  readonly by: string;
}

/** Decides what waits for a host's word, or only looks; the answer is what waits then. */
export function hostRequests(
  invite: string,
  decision?: HostDecision,
): Promise<Answer<{ readonly requests: readonly HostRequest[] }>> {
  return post("/api/requests", { invite, device: deviceSecret(), ...decision });
}

/** A host has not decided yet: the page asks again. */
export interface Waiting {
  readonly waiting: true;
}

/** Number of this asking to come in: what is under way when a page leaves off is not taken up after it. */
let visit = randomHex(8);
let isAsking = false;

export async function askToJoin(invite: string, name: string): Promise<Answer<ConnectionDetails | Waiting>> {
  const asked = visit;
  isAsking = true;
  const answer = await post<ConnectionDetails | Waiting>("/api/join", { invite, name, device: deviceSecret(), visit });
  if (asked === visit && answer.ok && !("waiting" in answer.ok)) isAsking = false;
  return answer;
}

/** Waits no longer to be let in, where this page does; asked also by a page that is being closed. */
export function withdraw(invite: string): void {
  if (!isAsking) return;
  void post<void>("/api/withdraw", { invite, device: deviceSecret(), visit }, { keepalive: true });
  visit = randomHex(8);
  isAsking = false;
}

/** Has a host's decision about people carried out; the answer is how the meeting stands then. */
export function manage(invite: string, management: Management): Promise<Answer<Cast>> {
  return post<Cast>("/api/manage", { invite, device: deviceSecret(), ...management });
}

/** What a visitor without an invite tries their connection with. */
export interface Trial {
  readonly livekit_url: string;
  /** Tokens of rooms in which nobody meets anybody; null = there is no such way. */
  readonly udp: string;
  readonly tcp: string | null;
  /** Address of TURN over TLS. */
  readonly turn: string | null;
  readonly ports: { readonly address: string | null; readonly udp: number | null; readonly tcp: number | null };
  readonly authority?: string;
}

export function askForTrial(): Promise<Answer<Trial>> {
  return post<Trial>("/api/trial", {});
}

/** Says how this page is connected. */
export function report(invite: string, identity: string, connection: Connection): Promise<Answer<void>> {
  return post<void>("/api/report", { invite, identity, connection, device: deviceSecret() });
}

/** Returns whether the meeting goes on, by the word of its own server. */
export async function takePulse(invite: string): Promise<Pulse> {
  const { refusal } = await askInfo(invite);
  if (isOver(refusal)) return "wrong-invite";
  switch (refusal?.code) {
    case undefined:
      return "open";
    case "too_many":
      return "open";
    case "meeting_closed":
      return "closed";
    case "removed":
      return "removed";
    default:
      return "gone";
  }
}

async function post<T>(path: string, body: object, options: RequestInit = {}): Promise<Answer<T>> {
  try {
    // The page may be below a prefix: `/team/standup` asks `/team/api/…`.
    const response = await fetch(`.${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      ...options,
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const answer: unknown = response.status === 204 ? undefined : await response.json();
    return response.ok ? { ok: answer as T } : { refusal: answer as Refusal };
  } catch {
    return { refusal: { code: "gone", message: "The meeting’s server does not answer." } };
  }
}
