// Pictures that were taken with the camera, as a set of images with labels.
import { csvOf } from '../report/csv';
import type { NamedFile } from '../worker/protocol';

export interface Snapshot {
  picture: Blob;
  /** What it shows, by task; empty where nobody said. */
  labels: Record<string, string>;
  /** Pictures that were taken one after the other look alike: all of a group are learnt from, or none of them is. */
  group: string;
}

/** The files of a data set: the pictures, and a table of their labels. */
export function filesOfSnapshots(snapshots: readonly Snapshot[], tasks: readonly string[]): NamedFile[] {
  const names = snapshots.map((_, index) => `picture-${String(index + 1).padStart(4, '0')}.png`);
  const said = tasks.filter((task) => snapshots.some(({ labels }) => labels[task]));
  const table = [
    ['file', 'group', ...said],
    ...snapshots.map(({ labels, group }, index) => [
      names[index],
      group,
      ...said.map((task) => labels[task]),
    ]),
  ];
  return [
    ...snapshots.map(({ picture }, index) => ({ path: names[index]!, file: picture })),
    { path: 'labels.csv', file: new Blob([csvOf(table)]) },
  ];
}
