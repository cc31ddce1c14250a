import { describe, expect, it } from "vitest";
import { FINAL, isFinal, lastWords, MAX_CAPTIONS, paragraphs, withCaption, type Caption } from "./captions";

const caption = (changes: Partial<Caption>): Caption => ({
  id: "s1",
  identity: "ada",
  name: "Ada",
  text: "hello",
  final: false,
  at: 1000,
  ...changes,
});

describe("withCaption", () => {
  it("puts the later form of a segment in the place of the earlier one, at the time it began", () => {
    const before = [caption({}), caption({ id: "s2" })];
    expect(withCaption(before, caption({ text: "hello there", final: true, at: 2000 }))).toEqual([
      caption({ text: "hello there", final: true, at: 1000 }),
      caption({ id: "s2" }),
    ]);
  });

  it("keeps the segments of two speakers apart, even where they share an id", () => {
    expect(withCaption([caption({})], caption({ identity: "max" }))).toHaveLength(2);
  });

  it("lets no late interim form undo a final one", () => {
    const before = [caption({ text: "done", final: true })];
    expect(withCaption(before, caption({ text: "do" }))).toBe(before);
  });

  it("forgets the oldest when there are too many", () => {
    let captions: readonly Caption[] = [];
    for (let number = 0; number <= MAX_CAPTIONS; number++) captions = withCaption(captions, caption({ id: `${number}` }));
    expect(captions).toHaveLength(MAX_CAPTIONS);
    expect(captions[0]?.id).toBe("1");
  });
});

describe("isFinal", () => {
  it("believes what the stream says, and its end where it says nothing", () => {
    expect(isFinal({ [FINAL]: "true" }, false)).toBe(true);
    expect(isFinal({ [FINAL]: "false" }, true)).toBe(false);
    expect(isFinal({}, true)).toBe(true);
    expect(isFinal(undefined, false)).toBe(false);
  });
});

describe("paragraphs", () => {
  it("joins what one speaker says in a row, and begins anew after another speaker or a long silence", () => {
    const captions = [
      caption({ id: "1", at: 0 }),
      caption({ id: "2", at: 5_000 }),
      caption({ id: "3", identity: "max", at: 6_000 }),
      caption({ id: "4", at: 7_000 }),
      caption({ id: "5", at: 60_000 }),
      caption({ id: "6", at: 61_000, text: "  " }),
    ];
    expect(paragraphs(captions).map((paragraph) => paragraph.captions.map(({ id }) => id))).toEqual([
      ["1", "2"],
      ["3"],
      ["4"],
      ["5"],
    ]);
  });
});

describe("lastWords", () => {
  it("leaves a short text alone and begins a long one at a word", () => {
    expect(lastWords("one two three", 20)).toBe("one two three");
    expect(lastWords("one two three", 9)).toBe("…three");
  });
});
