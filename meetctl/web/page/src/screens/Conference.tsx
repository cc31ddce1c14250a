/** The meeting itself: stage, captions, panels, controls. */

import { RoomAudioRenderer, RoomContext, useChat } from "@livekit/components-react";
import { Track } from "livekit-client";
import { useCallback, useState } from "react";
import type { ConnectionDetails, MeetingInfo } from "../api";
import { Banner } from "../components/Banner";
import { Captions } from "../components/Captions";
import { ChatPanel } from "../components/ChatPanel";
import { ControlBar, type PanelName } from "../components/ControlBar";
import { HostRequests } from "../components/HostRequests";
import { HostPanel } from "../components/HostPanel";
import { SettingsPanel } from "../components/SettingsPanel";
import { SoundButton } from "../components/SoundButton";
import { Stage } from "../components/Stage";
import { TranscriptPanel } from "../components/TranscriptPanel";
import { UnmuteRequest } from "../components/UnmuteRequest";
import { useCaptions } from "../hooks/useCaptions";
import { useMeetingRoom, type MeetingRoom, type Sends } from "../hooks/useMeetingRoom";
import { useReport } from "../hooks/useReport";
import { useUnread } from "../hooks/useUnread";
import type { Ending } from "../logic/ending";
import { faultOf, REMEDIES, type MediaFault } from "../logic/microphone";
import { noticeOf } from "../logic/notice";
import type { Choices } from "../remembered";

export interface ConferenceProps {
  readonly info: MeetingInfo;
  readonly details: ConnectionDetails;
  readonly choices: Choices;
  readonly invite: string;
  readonly onEnd: (ending: Ending | undefined, sent: Sends | undefined) => void;
}

export function Conference({ info, details, choices, invite, onEnd }: ConferenceProps) {
  const meeting = useMeetingRoom(details, choices, invite, onEnd);
  useReport(meeting.room, invite);
  return (
    <RoomContext.Provider value={meeting.room}>
      <InRoom info={info} meeting={meeting} invite={invite} name={details.name} />
      <RoomAudioRenderer />
    </RoomContext.Provider>
  );
}

interface InRoomProps {
  readonly info: MeetingInfo;
  readonly meeting: MeetingRoom;
  readonly invite: string;
  /** What this person is called here. */
  readonly name: string;
}

function InRoom({ info, meeting, invite, name }: InRoomProps) {
  const { room } = meeting;
  const captions = useCaptions(room);
  const { chatMessages, send, isSending } = useChat();
  const [panel, setPanel] = useState<PanelName>();
  const [captionsShown, setCaptionsShown] = useState(true);
  const [fault, setFault] = useState<string | null>();
  const unread = useUnread(chatMessages, panel === "chat");

  const close = useCallback(() => {
    if (panel) document.querySelector<HTMLElement>(`[data-testid="${panel}-toggle"]`)?.focus();
    setPanel(undefined);
  }, [panel]);

  const onFault = (source: Track.Source, error: Error) => {
    // Who closes the browser's own choice of a screen has changed their mind; nothing failed.
    if (source !== Track.Source.ScreenShare) setFault(faultText(source, faultOf(error, isSecureContext)));
  };
  const shownFault = fault === undefined ? initialFault(meeting) : (fault ?? undefined);

  return (
    <div className="conference" data-panel={panel} data-testid="conference">
      <header className="conference-head">
        <h1>{info.topic || info.room}</h1>
        <p className="kept" title={noticeOf(info.transcript).detail}>
          <span className="kept-dot" /> {noticeOf(info.transcript).title}
        </p>
      </header>
      <main className="conference-main">
        <Stage />
        <Banner fault={shownFault} onDismiss={() => setFault(null)} />
        <SoundButton />
        <UnmuteRequest room={room} onFault={(error) => onFault(Track.Source.Microphone, error)} />
        {info.role === "host" && <HostRequests invite={invite} name={name} />}
      </main>
      <Captions captions={captions} visible={captionsShown} />
      <ControlBar
        open={panel}
        unread={unread}
        isHost={info.role === "host"}
        sends={info.role !== "observer"}
        onPanel={(name) => setPanel(panel === name ? undefined : name)}
        onFault={onFault}
        onLeave={() => void room.disconnect()}
      />
      {panel === "chat" && <ChatPanel messages={chatMessages} sending={isSending} onSend={info.role === "observer" ? undefined : send} onClose={close} />}
      {panel === "transcript" && <TranscriptPanel captions={captions} onClose={close} />}
      {panel === "host" && <HostPanel invite={invite} onClose={close} />}
      {panel === "settings" && (
        <SettingsPanel captionsShown={captionsShown} onCaptionsShown={setCaptionsShown} onClose={close} />
      )}
    </div>
  );
}

function initialFault({ microphoneFault, cameraFault }: MeetingRoom): string | undefined {
  if (microphoneFault) return faultText(Track.Source.Microphone, microphoneFault);
  if (cameraFault) return faultText(Track.Source.Camera, cameraFault);
  return undefined;
}

function faultText(source: Track.Source, fault: MediaFault): string {
  return `Your ${source} is off. ${REMEDIES[fault]}`;
}
