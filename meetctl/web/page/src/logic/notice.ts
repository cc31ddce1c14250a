/** What a person is told, before joining, about what becomes of their words. */

export type Keeping = "files" | "memory" | "off";

export interface Notice {
  readonly title: string;
  readonly detail: string;
}

/** Returns the notice; an answer that is not understood gets the strictest one. */
export function noticeOf(transcript: unknown): Notice {
  switch (transcript) {
    case "off":
    case false:
      return {
        title: "Speech is turned into text, and not kept",
        detail: "AI agents listen. What you say or write is transcribed live for captions and for the agents’ answers.",
      };
    case "memory":
      return {
        title: "Speech is transcribed during the meeting",
        detail: "AI agents listen. The transcript is shown to everyone here and is discarded when the meeting ends.",
      };
    default:
      return {
        title: "Speech is transcribed and kept",
        detail: "AI agents listen. What you say or write is shown to everyone here and kept by the organiser.",
      };
  }
}
