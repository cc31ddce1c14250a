import { useLayoutEffect, useRef, type RefObject } from "react";

/** Nearer to the end than this a reader is following along, CSS pixels. */
const NEAR = 48;

/** Keeps a scrolled list at its end as it grows, unless the reader has scrolled back. */
export function useStickToEnd<E extends HTMLElement>(grown: unknown): { ref: RefObject<E | null>; onScroll: () => void } {
  const ref = useRef<E>(null);
  const following = useRef(true);
  useLayoutEffect(() => {
    if (ref.current && following.current) ref.current.scrollTop = ref.current.scrollHeight;
  }, [grown]);
  const onScroll = () => {
    const list = ref.current;
    if (list) following.current = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
  };
  return { ref, onScroll };
}
