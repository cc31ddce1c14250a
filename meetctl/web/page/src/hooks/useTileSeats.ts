import { useParticipants } from "@livekit/components-react";
import { RoomEvent, type Participant } from "livekit-client";
import { useMemo } from "react";
import { tileSeats, type TileSeat } from "../logic/tiles";

const UPDATES = [
  RoomEvent.ParticipantActive,
  RoomEvent.ParticipantAttributesChanged,
  RoomEvent.ParticipantNameChanged,
  RoomEvent.Connected,
  RoomEvent.ConnectionStateChanged,
];

/** Returns who is to be seen, in order. */
export function useTileSeats(): readonly TileSeat<Participant>[] {
  const participants = useParticipants({ updateOnlyOn: UPDATES });
  return useMemo(() => tileSeats<Participant>(participants), [participants]);
}
