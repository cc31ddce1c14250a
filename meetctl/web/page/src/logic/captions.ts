/** What was said, folded from the text streams of `lk.transcription`. */

export const TOPIC = "lk.transcription";
export const SEGMENT = "lk.segment_id";
export const FINAL = "lk.transcription_final";

/** A long meeting must not fill the browser's memory; the whole transcript is kept by the chair. */
export const MAX_CAPTIONS = 500;

export interface Caption {
  /** Of the segment: later streams of the same segment replace its text. */
  readonly id: string;
  readonly identity: string;
  /** As it was when the words came, since a participant may leave before they are read. */
  readonly name: string;
  readonly text: string;
  readonly final: boolean;
  /** Unix time, milliseconds, when the words began. */
  readonly at: number;
}

/** Returns the captions with this one added, or put in the place of its earlier form. */
export function withCaption(captions: readonly Caption[], caption: Caption): readonly Caption[] {
  const index = captions.findLastIndex((other) => other.id === caption.id && other.identity === caption.identity);
  if (index < 0) return [...captions, caption].slice(-MAX_CAPTIONS);
  const before = captions[index];
  // A late interim form must not undo the final one.
  if (before?.final && !caption.final) return captions;
  return captions.with(index, { ...caption, at: before?.at ?? caption.at });
}

/** Returns whether a stream is the last word on its segment; one that does not say so is, once it has ended. */
export function isFinal(attributes: Readonly<Record<string, string>> | undefined, ended: boolean): boolean {
  const said = attributes?.[FINAL];
  return said === undefined ? ended : said === "true";
}

/** Returns the end of the text, at most so many characters, begun at a word. */
export function lastWords(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const end = text.slice(-characters);
  return `…${end.slice(end.search(/\s/) + 1)}`;
}

export interface Paragraph {
  readonly key: string;
  readonly identity: string;
  readonly name: string;
  readonly at: number;
  readonly captions: readonly Caption[];
}

/** Silence after which the same speaker begins a new paragraph, milliseconds. */
const PARAGRAPH_GAP_MS = 30_000;

/** Returns the captions by speaker, as one reads a conversation. */
export function paragraphs(captions: readonly Caption[]): readonly Paragraph[] {
  const found: { key: string; identity: string; name: string; at: number; captions: Caption[] }[] = [];
  for (const caption of captions) {
    if (!caption.text.trim()) continue;
    const last = found.at(-1);
    const lastCaption = last?.captions.at(-1);
    if (last && lastCaption && last.identity === caption.identity && caption.at - lastCaption.at < PARAGRAPH_GAP_MS) {
      last.captions.push(caption);
    } else {
      const { identity, name, at } = caption;
      found.push({ key: `${identity} ${caption.id}`, identity, name, at, captions: [caption] });
    }
  }
  return found;
}
