/** The shape of the stage: how many columns of tiles, and how large. */

/** Widest and narrowest tile, width by height: a face fits in both. */
const WIDEST = 1.5;
const NARROWEST = 0.9;

export interface GridShape {
  readonly columns: number;
  /** Of a tile, CSS pixels. */
  readonly width: number;
  readonly height: number;
}

/** Returns the shape with the largest tiles for `count` of them in a box of this size. */
export function gridShape(count: number, boxWidth: number, boxHeight: number, gap: number): GridShape {
  let best: GridShape = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(count, 1); columns++) {
    const rows = Math.ceil(count / columns);
    const cellWidth = Math.max((boxWidth - gap * (columns - 1)) / columns, 0);
    const cellHeight = Math.max((boxHeight - gap * (rows - 1)) / rows, 0);
    const width = Math.floor(Math.min(cellWidth, cellHeight * WIDEST));
    const height = Math.floor(Math.min(cellHeight, width / NARROWEST));
    if (width * height > best.width * best.height) best = { columns, width, height };
  }
  return best;
}
