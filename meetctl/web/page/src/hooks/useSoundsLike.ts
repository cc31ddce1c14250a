/** Whose name a name is taken for by ear, once nobody types any more. */

import { useEffect, useState } from "react";

const TYPED_MS = 300;

export function useSoundsLike(
  name: string,
  ask: (name: string) => Promise<string | undefined>,
): string | undefined {
  const [found, setFound] = useState<{ readonly name: string; readonly alike: string | undefined }>();
  useEffect(() => {
    if (!name) return;
    let stale = false;
    const timer = setTimeout(async () => {
      const alike = await ask(name);
      if (!stale) setFound({ name, alike });
    }, TYPED_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [name, ask]);
  return found?.name === name ? found.alike : undefined;
}
