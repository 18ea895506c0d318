// Charts whose cells are read with the arrow keys.

export interface CellPlace {
  row: number;
  column: number;
}

const steps: Record<string, CellPlace> = {
  ArrowUp: { row: -1, column: 0 },
  ArrowDown: { row: 1, column: 0 },
  ArrowLeft: { row: 0, column: -1 },
  ArrowRight: { row: 0, column: 1 },
};

/** The step that an arrow key asks for; the page does not scroll then. */
export function arrowStep(event: KeyboardEvent): CellPlace | null {
  const step = steps[event.key] ?? null;
  if (step) event.preventDefault();
  return step;
}

/** The place beside another. */
export const stepped = (from: CellPlace, by: CellPlace): CellPlace => ({
  row: from.row + by.row,
  column: from.column + by.column,
});
