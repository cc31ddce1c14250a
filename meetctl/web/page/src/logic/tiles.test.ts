import { ParticipantKind } from "livekit-client";
import { describe, expect, it } from "vitest";
import { agentStateOf, tileSeats } from "./tiles";

const person = (identity: string, joined: number, attributes: Record<string, string> = {}) => ({
  identity,
  kind: ParticipantKind.STANDARD,
  attributes,
  isLocal: false,
  joinedAt: new Date(joined),
});
const agent = (identity: string, joined: number, attributes: Record<string, string> = {}) => ({
  ...person(identity, joined, attributes),
  kind: ParticipantKind.AGENT,
});

describe("tileSeats", () => {
  it("shows agents first, then people as they came, oneself last, and no chair", () => {
    const seats = tileSeats([
      { ...person("me", 1), isLocal: true },
      person("zoe", 5),
      agent("chair", 1, { "mc.role": "chair" }),
      agent("max", 4),
      person("bob", 3),
      agent("ada", 2),
    ]);
    expect(seats.map((seat) => seat.participant.identity)).toEqual(["ada", "max", "bob", "zoe", "me"]);
    expect(seats.map((seat) => seat.isAgent)).toEqual([true, true, false, false, false]);
  });

  it("puts the media of an avatar worker into the tile of the agent it acts for", () => {
    const seats = tileSeats([agent("ada", 1), agent("ada-avatar", 2, { "lk.publish_on_behalf": "ada" })]);
    expect(seats.map((seat) => [seat.participant.identity, seat.media.identity])).toEqual([["ada", "ada-avatar"]]);
  });

  it("shows an avatar worker on its own where its agent is gone", () => {
    const seats = tileSeats([agent("ada-avatar", 2, { "lk.publish_on_behalf": "ada" })]);
    expect(seats.map((seat) => seat.participant.identity)).toEqual(["ada-avatar"]);
  });
});

describe("agentStateOf", () => {
  it("knows LiveKit's words and guesses nothing from others", () => {
    expect(agentStateOf({ "lk.agent.state": "thinking" })).toBe("thinking");
    expect(agentStateOf({ "lk.agent.state": "dancing" })).toBeUndefined();
    expect(agentStateOf({})).toBeUndefined();
  });
});
