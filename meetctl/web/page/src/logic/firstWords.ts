/** What is said between the microphone's going on and the chair's hearing it: kept here, and given to the chair once. */

import { RoomEvent, RpcError, Track, type LocalTrackPublication, type Room, type RpcInvocationData } from "livekit-client";
import { ROLE } from "./tiles";

const METHOD = "mc.first_words";
/** Recorded on after the chair has asked, so that it finds the place where what it hears goes on. */
const OVERLAP_MS = 250;
/** The chair asks after 0.2 s; where nobody asked by then, nobody will. */
const LONGEST_MS = 3_000;
/** Bits a second: with three seconds' worth, the answer stays within what one call may carry. */
const RATE = 24_000;
const LARGEST = 11_000;
const FORBIDDEN = 403;

/** Keeps the beginning of every microphone that the room's owner switches on; lasts as long as the room. */
export function keepFirstWords(room: Room): void {
  if (typeof MediaRecorder === "undefined") return;
  const kept = new Map<string, MediaRecorder>();
  room.on(RoomEvent.LocalTrackPublished, ({ source, track, trackSid }: LocalTrackPublication) => {
    if (source !== Track.Source.Microphone || track === undefined) return;
    const recorder = new MediaRecorder(new MediaStream([track.mediaStreamTrack]), { audioBitsPerSecond: RATE });
    kept.set(trackSid, recorder);
    recorder.start();
    setTimeout(() => {
      kept.delete(trackSid);
      if (recorder.state !== "inactive") recorder.stop();
    }, LONGEST_MS);
  });
  room.registerRpcMethod(METHOD, async ({ callerIdentity, payload }: RpcInvocationData) => {
    if (room.remoteParticipants.get(callerIdentity)?.attributes[ROLE] !== "chair") {
      throw new RpcError(FORBIDDEN, "only the chair may ask");
    }
    const { track_sid: trackSid } = JSON.parse(payload) as { track_sid: string };
    const recorder = kept.get(trackSid);
    kept.delete(trackSid);
    return recorder === undefined ? "" : inLetters(await ended(recorder));
  });
}

/** Ends the recording a moment later and returns all of it; nothing where it has ended before. */
async function ended(recorder: MediaRecorder): Promise<Blob> {
  await new Promise((resolve) => setTimeout(resolve, OVERLAP_MS));
  if (recorder.state === "inactive") return new Blob();
  return new Promise((resolve) => {
    recorder.ondataavailable = ({ data }) => resolve(data);
    recorder.stop();
  });
}

async function inLetters(recording: Blob): Promise<string> {
  if (recording.size > LARGEST) return "";
  const bytes = new Uint8Array(await recording.arrayBuffer());
  return btoa(String.fromCharCode(...bytes));
}
