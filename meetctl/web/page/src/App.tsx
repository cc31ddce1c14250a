/** One person's way through a meeting: the link is checked, then prejoin, then the conference, then a last screen. */

import { useCallback, useEffect, useState } from "react";
import { askInfo, askSoundsLike, askToJoin, takePulse, withdraw, type ConnectionDetails, type MeetingInfo, type Refusal, type RefusalCode } from "./api";
import { endingAfter, type Ending } from "./logic/ending";
import type { Sends } from "./hooks/useMeetingRoom";
import { inviteFromHash } from "./logic/invite";
import { DEFAULT_CHOICES, recallChoices, rememberChoices, type Choices } from "./remembered";
import { Conference } from "./screens/Conference";
import { EndScreen } from "./screens/EndScreen";
import { PreJoin } from "./screens/PreJoin";
import { Returning } from "./screens/Returning";
import { Waiting } from "./screens/Waiting";

type Stage =
  | { readonly at: "checking" }
  | { readonly at: "prejoin"; readonly info: MeetingInfo }
  | { readonly at: "waiting" | "returning"; readonly info: MeetingInfo; readonly name: string }
  | { readonly at: "conference"; readonly info: MeetingInfo; readonly details: ConnectionDetails }
  | { readonly at: "end"; readonly ending: Ending };

export function App() {
  const [invite] = useState(() => inviteFromHash(window.location.hash));
  const [stage, setStage] = useState<Stage>({ at: "checking" });
  const [choices, setChoices] = useState<Choices>(DEFAULT_CHOICES);

  const check = useCallback(async () => {
    setStage({ at: "checking" });
    if (!invite) return setStage({ at: "end", ending: "wrong-invite" });
    const { ok, refusal } = await askInfo(invite);
    setStage(ok ? { at: "prejoin", info: ok } : { at: "end", ending: endingOfRefusal(refusal) });
  }, [invite]);

  useEffect(() => {
    setChoices(recallChoices());
    void check();
    // Another link pasted into the same tab changes only the fragment, and would not load the page anew.
    const reload = () => window.location.reload();
    window.addEventListener("hashchange", reload);
    return () => window.removeEventListener("hashchange", reload);
  }, [check]);

  const join = useCallback(
    async (info: MeetingInfo, chosen: Choices): Promise<string | undefined> => {
      setChoices(chosen);
      rememberChoices(chosen);
      const { ok, refusal } = await askToJoin(invite ?? "", chosen.name);
      if (ok && "waiting" in ok) setStage({ at: "waiting", info, name: chosen.name });
      else if (ok) {
        // Whoever was outside is told only now what the meeting is about.
        const told = info.admit === "ask" ? (await askInfo(invite ?? "")).ok : undefined;
        setStage({ at: "conference", info: told ?? info, details: ok });
      } else if (SHOWN_BESIDE_THE_NAME.has(refusal.code)) return refusal.message;
      else setStage({ at: "end", ending: endingOfRefusal(refusal) });
      return undefined;
    },
    [invite],
  );

  const letIn = useCallback(
    async (outside: MeetingInfo, details: ConnectionDetails) => {
      // Only now is this person told what the meeting is about.
      const { ok } = await askInfo(invite ?? "");
      setStage((now) => (now.at === "waiting" ? { at: "conference", info: ok ?? outside, details } : now));
    },
    [invite],
  );

  const soundsLike = useCallback((name: string) => askSoundsLike(invite ?? "", name), [invite]);

  const leave = useCallback(
    async (info: MeetingInfo, name: string, ending: Ending | undefined, sent: Sends | undefined) => {
      if (ending) return setStage({ at: "end", ending });
      if (!sent) return setStage({ at: "end", ending: endingAfter(await takePulse(invite ?? "")) });
      setChoices((before) => ({ ...before, ...sent }));
      setStage({ at: "returning", info, name });
    },
    [invite],
  );

  useEffect(() => {
    // A page that is closed waits no longer, also where the answer to its first asking is still under way.
    const leaveOff = () => withdraw(invite ?? "");
    window.addEventListener("pagehide", leaveOff);
    return () => window.removeEventListener("pagehide", leaveOff);
  }, [invite]);

  const topic = "info" in stage ? stage.info.topic || stage.info.room : "Meeting";
  useEffect(() => {
    document.title = topic;
  }, [topic]);

  const refused = (refusal: Refusal) => setStage({ at: "end", ending: endingOfRefusal(refusal) });
  switch (stage.at) {
    case "checking":
      return <main className="screen" aria-busy="true" data-testid="screen-checking" />;
    case "prejoin":
      return (
        <PreJoin
          info={stage.info}
          choices={choicesOf(stage.info, choices)}
          onJoin={(chosen) => join(stage.info, chosen)}
          onName={soundsLike}
        />
      );
    case "waiting":
      return (
        <Waiting
          invite={invite ?? ""}
          name={stage.name}
          onLetIn={(details) => void letIn(stage.info, details)}
          onRefused={refused}
          onCancel={() => {
            withdraw(invite ?? "");
            setStage({ at: "prejoin", info: stage.info });
          }}
        />
      );
    case "returning":
      return (
        <Returning
          invite={invite ?? ""}
          name={stage.name}
          onLetIn={(details) => setStage({ at: "conference", info: stage.info, details })}
          onRefused={refused}
          onWaiting={() => setStage({ ...stage, at: "waiting" })}
          onLeave={() => {
            withdraw(invite ?? "");
            setStage({ at: "end", ending: "left" });
          }}
        />
      );
    case "conference":
      return (
        <Conference
          info={stage.info}
          details={stage.details}
          choices={choices}
          invite={invite ?? ""}
          onEnd={(ending, sent) => void leave(stage.info, choices.name, ending, sent)}
        />
      );
    case "end":
      return <EndScreen ending={stage.ending} onAgain={check} />;
  }
}

const SHOWN_BESIDE_THE_NAME: ReadonlySet<RefusalCode> = new Set(["bad_name", "too_many", "lobby_full", "no_browser"]);

/** A personal link says what somebody is called, and an observer sends nothing. */
function choicesOf(info: MeetingInfo, choices: Choices): Choices {
  const named = info.name ? { ...choices, name: info.name } : choices;
  return info.role === "observer" ? { ...named, microphone: false, camera: false } : named;
}

function endingOfRefusal(refusal: Refusal): Ending {
  switch (refusal.code) {
    case "wrong_invite":
      return "wrong-invite";
    case "link_expired":
      return "expired";
    case "link_used":
      return "used";
    case "too_many":
      return "cannot-admit";
    case "removed":
      return "removed";
    case "locked":
      return "locked";
    case "not_let_in":
      return "not-let-in";
    case "nobody_answered":
      return "unheard";
    case "cannot_admit":
      return "cannot-admit";
    default:
      return "closed";
  }
}
