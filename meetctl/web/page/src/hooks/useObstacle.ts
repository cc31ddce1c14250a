import { useEffect, useState } from "react";
import { findObstacle, type Obstacle } from "../logic/reach";

/** Returns what keeps this browser from the meeting, once that has been found out. */
export function useObstacle(loopbackOnly: boolean, echo: string | undefined): Obstacle | undefined {
  const [obstacle, setObstacle] = useState<Obstacle>();
  useEffect(() => {
    let over = false;
    void findObstacle(loopbackOnly, echo).then((found) => !over && setObstacle(found));
    return () => {
      over = true;
    };
  }, [loopbackOnly, echo]);
  return obstacle;
}
