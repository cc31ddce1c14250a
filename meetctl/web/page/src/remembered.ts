/** What the browser remembers from one meeting to the next: a name and the devices chosen. Never an invite. */

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

export function rememberChoices(choices: Choices): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
  } catch {
    // A private window has no storage; the choices hold until it is closed.
  }
}
