// Each network is a line, as on a map of an underground railway: one letter and one colour, everywhere on the page.

export const lineColours = 6;

export interface Line {
  letter: string;
  /** Custom property that holds its colour. */
  colour: string;
}

export function lineOf(slot: number): Line {
  return {
    letter: String.fromCharCode(65 + (slot % 26)),
    colour: `--line-${slot % lineColours}`,
  };
}

/** The lowest slot that is free, so that a line keeps its colour while others come and go. */
export function freeSlot(taken: readonly number[]): number {
  let slot = 0;
  while (taken.includes(slot)) slot++;
  return slot;
}
