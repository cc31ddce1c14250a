import type { Room } from "livekit-client";
import { useEffect } from "react";
import { isOver, report } from "../api";
import { connectionOf, countOf, type Counted } from "../logic/connection";

const REPORT_MS = 5_000;

/** Tells the meeting's server now and then how this page is connected, as long as its link is good. */
export function useReport(room: Room, invite: string): void {
  useEffect(() => {
    let before: Counted = { received: 0, lost: 0 };
    const look = async () => {
      const statistics = await statisticsOf(room);
      const connection = connectionOf(statistics, before);
      before = countOf(statistics);
      if (!connection) return;
      const { refusal } = await report(invite, room.localParticipant.identity, connection);
      if (isOver(refusal)) clearInterval(timer);
    };
    const timer = setInterval(() => void look().catch(() => undefined), REPORT_MS);
    return () => clearInterval(timer);
  }, [room, invite]);
}

/** Every track's statistics tell of the connection too, so no private part of the client is needed. */
async function statisticsOf(room: Room) {
  const sent = [...room.localParticipant.trackPublications.values()].map(({ track }) => track?.sender);
  const heard = [...room.remoteParticipants.values()].flatMap((participant) =>
    [...participant.trackPublications.values()].map(({ track }) => track?.receiver),
  );
  const reports = await Promise.all([...sent, ...heard].map((end) => end?.getStats()));
  const byId = new Map(reports.flatMap((each) => [...(each?.values() ?? [])]).map((each) => [each.id as string, each]));
  return [...byId.values()];
}
