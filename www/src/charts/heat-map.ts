// The geometry of the heat map: all join points of all networks, down as donors and across as receivers.
import type { Cell } from '../state/run.svelte';
import type { NetworkCard } from '../worker/core';

export interface Place {
  network: number;
  point: number;
}

/** Every join point in turn, in the order of rows and columns. */
export function placesOf(cards: readonly NetworkCard[]): Place[] {
  return cards.flatMap((card, network) => card.join_points.map((_, point) => ({ network, point })));
}

export const cellKey = (donor: Place, receiver: Place) =>
  `${donor.network}.${donor.point}.${receiver.network}.${receiver.point}`;

export function keyed(cells: readonly Cell[]): Map<string, Cell> {
  return new Map(
    cells.map((cell) => [
      cellKey(
        { network: cell.donor, point: cell.donor_point },
        { network: cell.receiver, point: cell.receiver_point },
      ),
      cell,
    ]),
  );
}
