/** What the browser remembers from one meeting to the next: a name, the devices chosen, and a secret of its own. Never an invite. */

export interface Choices {
  readonly name: string;
  readonly microphone: boolean;
  readonly camera: boolean;
  readonly microphoneId: string;
  readonly cameraId: string;
  readonly speakerId: string;
}

const KEY = "meetctl.choices";

export const DEFAULT_CHOICES: Choices = {
  name: "",
  microphone: true,
  camera: false,
  microphoneId: "",
  cameraId: "",
  speakerId: "",
};

/** Returns the remembered choices; the microphone always begins on and the camera off. */
export function recallChoices(): Choices {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Choices>;
    return { ...DEFAULT_CHOICES, ...kept, microphone: true, camera: false };
  } catch {
    return DEFAULT_CHOICES; // storage may be switched off, or hold something else
  }
}

const DEVICE_KEY = "meetctl.device";
let device: string | undefined;

/** Returns the secret by which the meeting's server knows this browser again; made once, and told to nobody else. */
export function deviceSecret(): string {
  device ??= keptDevice();
  return device;
}

function keptDevice(): string {
  const made = randomHex(16);
  try {
    const kept = localStorage.getItem(DEVICE_KEY);
    if (kept && /^[0-9a-f]{32}$/.test(kept)) return kept;
    localStorage.setItem(DEVICE_KEY, made);
  } catch {
    // Without storage it holds until the page is closed.
  }
  return made;
}

export function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function rememberChoices(choices: Choices): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
  } catch {
    // A private window has no storage; the choices hold until it is closed.
  }
}
