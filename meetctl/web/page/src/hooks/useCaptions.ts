import type { Room, TextStreamReader } from "livekit-client";
import { useEffect, useState } from "react";
import { isFinal, SEGMENT, TOPIC, withCaption, type Caption } from "../logic/captions";

/** Follows what is said in the room; the sender of a stream is the speaker. */
export function useCaptions(room: Room): readonly Caption[] {
  const [captions, setCaptions] = useState<readonly Caption[]>([]);
  useEffect(() => {
    // One handler a topic: the library's own hook would follow only the text, and never see a segment become final.
    room.registerTextStreamHandler(TOPIC, async (reader, { identity }) => {
      const name = room.getParticipantByIdentity(identity)?.name || identity;
      await follow(reader, identity, name, (caption) => setCaptions((before) => withCaption(before, caption)));
    });
    return () => room.unregisterTextStreamHandler(TOPIC);
  }, [room]);
  return captions;
}

async function follow(
  reader: TextStreamReader,
  identity: string,
  name: string,
  tell: (caption: Caption) => void,
): Promise<void> {
  const { info } = reader;
  const id = info.attributes?.[SEGMENT] || info.id;
  let text = "";
  const caption = (ended: boolean): Caption => ({
    id,
    identity,
    name,
    text,
    at: info.timestamp,
    final: isFinal(info.attributes, ended),
  });
  try {
    for await (const chunk of reader) {
      text += chunk;
      tell(caption(false));
    }
  } catch {
    // The speaker left in the middle of a word; what came is all there will be.
    if (text) tell({ ...caption(true), final: true });
    return;
  }
  if (text) tell(caption(true));
}
