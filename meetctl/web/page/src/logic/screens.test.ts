import { DisconnectReason } from "livekit-client";
import { describe, expect, it } from "vitest";
import { endingAfter, endingOf } from "./ending";
import { gridShape } from "./grid";
import { inviteFromHash } from "./invite";
import { faultOf } from "./microphone";
import { hueOf, initials, listed } from "./names";
import { noticeOf } from "./notice";

describe("inviteFromHash", () => {
  it("finds the invite, and none where there is none", () => {
    expect(inviteFromHash("#invite=a-B_9")).toBe("a-B_9");
    expect(inviteFromHash("#invite=")).toBeUndefined();
    expect(inviteFromHash("")).toBeUndefined();
  });
});

describe("endings", () => {
  it("tells a deleted room from a removal, and asks where LiveKit cannot know", () => {
    expect(endingOf(DisconnectReason.ROOM_DELETED)).toBe("closed");
    expect(endingOf(DisconnectReason.PARTICIPANT_REMOVED)).toBe("removed");
    expect(endingOf(DisconnectReason.CLIENT_INITIATED)).toBe("left");
    expect(endingOf(DisconnectReason.SIGNAL_CLOSE)).toBeUndefined();
    expect(endingOf(undefined)).toBeUndefined();
  });

  it("calls a meeting closed when its own server is gone", () => {
    expect(endingAfter("gone")).toBe("closed");
    expect(endingAfter("open")).toBe("lost");
    expect(endingAfter("wrong-invite")).toBe("wrong-invite");
  });
});

describe("gridShape", () => {
  it("puts two side by side in a wide box and one above the other in a tall one", () => {
    expect(gridShape(2, 1200, 600, 12).columns).toBe(2);
    expect(gridShape(2, 360, 700, 12).columns).toBe(1);
  });

  it("never makes tiles that do not fit", () => {
    for (let count = 1; count <= 30; count++) {
      for (const [width, height] of [[1280, 640], [360, 500], [800, 200]] as const) {
        const shape = gridShape(count, width, height, 12);
        const rows = Math.ceil(count / shape.columns);
        expect(shape.columns * shape.width + (shape.columns - 1) * 12).toBeLessThanOrEqual(width);
        expect(rows * shape.height + (rows - 1) * 12).toBeLessThanOrEqual(height);
        expect(shape.width * shape.height).toBeGreaterThan(0);
      }
    }
  });
});

describe("faultOf", () => {
  it("tells apart what a person can do about it", () => {
    const named = (name: string) => Object.assign(new Error("no"), { name });
    expect(faultOf(named("NotAllowedError"), true)).toBe("denied");
    expect(faultOf(named("NotFoundError"), true)).toBe("missing");
    expect(faultOf(named("NotReadableError"), true)).toBe("busy");
    expect(faultOf(named("NotAllowedError"), false)).toBe("insecure");
    expect(faultOf("?", true)).toBe("failed");
  });
});

describe("names", () => {
  it("makes initials of any name", () => {
    expect(initials("Ada")).toBe("A");
    expect(initials("  Zoë van  Kerk ")).toBe("ZK");
    expect(initials("👩‍💻")).not.toBe("");
    expect(initials("")).toBe("?");
  });

  it("gives an identity one hue for ever, within the circle", () => {
    for (const identity of ["ada", "max", "", "person-1", "Ω"]) {
      expect(hueOf(identity)).toBe(hueOf(identity));
      expect(hueOf(identity)).toBeGreaterThanOrEqual(0);
      expect(hueOf(identity)).toBeLessThan(360);
    }
  });

  it("lists names as a sentence would", () => {
    expect(listed(["Ada", "Max", "Lin"])).toBe("Ada, Max, and Lin");
  });
});

describe("noticeOf", () => {
  it("never promises less keeping than there is", () => {
    expect(noticeOf("files").title).toContain("kept");
    expect(noticeOf(undefined)).toEqual(noticeOf("files"));
    expect(noticeOf("off").title).toContain("not kept");
    expect(noticeOf("memory").detail).toContain("discarded");
  });
});
