// What networks answer, sorted: which class was taken for which, and where the joined network does other than its original.
import type { TaskAnswers } from '../worker/core';

export type Who = 'original' | 'merged';

export interface Confusion {
  classes: string[];
  /** Whether rows are labels; else they are the original's answers, as nothing is labelled. */
  byLabel: boolean;
  /** Images by row (what it is) and column (what was answered), as places in the task's lists. */
  cells: number[][][];
  /** The largest number of images in a cell off the diagonal. */
  mostWrong: number;
}

export function confusionOf(task: TaskAnswers, who: Who): Confusion {
  const byLabel = task.labels.some((label) => label != null);
  const truth = byLabel ? task.labels : task.original;
  const cells = task.classes.map(() => task.classes.map((): number[] => []));
  for (const [place, row] of truth.entries()) {
    const column = task[who][place];
    if (row != null && column !== undefined) cells[row]?.[column]?.push(place);
  }
  const wrong = cells.flatMap((columns, row) =>
    columns.map((cell, column) => (row === column ? 0 : cell.length)),
  );
  return { classes: task.classes, byLabel, cells, mostWrong: wrong.reduce((a, b) => Math.max(a, b), 0) };
}

export interface Groups {
  /** The original was right, the joined network is not. */
  lost: number[];
  /** The other way round. */
  gained: number[];
  bothWrong: number[];
  /** Where nothing is labelled: they differ. */
  differing: number[];
}

export function groupsOf({ labels, original, merged }: TaskAnswers): Groups {
  const groups: Groups = { lost: [], gained: [], bothWrong: [], differing: [] };
  for (const [place, label] of labels.entries()) {
    const [before, after] = [original[place], merged[place]];
    if (label == null) {
      if (before !== after) groups.differing.push(place);
    } else if (before === label && after !== label) groups.lost.push(place);
    else if (before !== label && after === label) groups.gained.push(place);
    else if (before !== label) groups.bothWrong.push(place);
  }
  return groups;
}
