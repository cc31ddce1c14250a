import { useEffect, useState } from "react";

/** Returns how many of the messages came while nobody was looking. */
export function useUnread(messages: readonly unknown[], looking: boolean): number {
  const [seen, setSeen] = useState(0);
  useEffect(() => {
    if (looking) setSeen(messages.length);
  }, [messages.length, looking]);
  return looking ? 0 : Math.max(messages.length - seen, 0);
}
