// How probable the sources of a network were, step by step, as bands that lie on each other.
import type { LikelySource, SearchStep } from '../worker/core';

export interface Band {
  key: string;
  source: LikelySource;
  /** Outline in a box of the given size, the first step at its left edge and a probability of 1 over its full height. */
  path: string;
}

export const sourceKey = ({ donor, donor_point, receiver_point }: LikelySource) =>
  `${donor ?? ''}:${donor_point}:${receiver_point}`;

/** The own input first, then donor by donor. */
function inOrder(a: LikelySource, b: LikelySource): number {
  return (
    (a.donor ?? -1) - (b.donor ?? -1) || a.donor_point - b.donor_point || a.receiver_point - b.receiver_point
  );
}

/**
 * The `most` sources of a network that were likeliest at any time. What is missing to the full height are the others,
 * and steps at which a source was too unlikely to be told.
 */
export function bandsOf(
  steps: readonly SearchStep[],
  network: number,
  width: number,
  height: number,
  most = 12,
): Band[] {
  const highest = new Map<string, LikelySource>();
  const rows = steps.map(({ likely }) => {
    const row = new Map<string, number>();
    for (const source of likely[network] ?? []) {
      const key = sourceKey(source);
      row.set(key, source.probability);
      if (source.probability > (highest.get(key)?.probability ?? 0)) highest.set(key, source);
    }
    return row;
  });
  const shown = [...highest.values()]
    .sort((a, b) => b.probability - a.probability)
    .slice(0, most)
    .sort(inOrder);
  const floor = rows.map(() => 0);
  const at = (index: number, share: number) =>
    `${round((index / Math.max(1, rows.length - 1)) * width)} ${round(height * (1 - share))}`;
  return shown.map((source) => {
    const key = sourceKey(source);
    const lower = [...floor];
    for (const [index, row] of rows.entries())
      floor[index] = Math.min(1, floor[index]! + (row.get(key) ?? 0));
    const along = floor.map((share, index) => at(index, share));
    const back = lower.map((share, index) => at(index, share)).reverse();
    return { key, source, path: `M${[...along, ...back].join('L')}Z` };
  });
}

const round = (value: number) => Math.round(value * 10) / 10;
