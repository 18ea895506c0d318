// Networks as lines to scale: their length is their MACs, their join points lie where the MACs are spent.

/** What a drawing needs to know of a network. */
export interface Measured {
  macs: number;
  join_points: readonly { macs_before: number }[];
}

/** Pixels of a line at `scale` pixels per MAC, with room for `gap` between its points. */
export function lineLength({ macs, join_points }: Measured, scale: number, gap: number): number {
  return Math.max(macs * scale, gap * (join_points.length + 1));
}

/** Where the join points lie from the line's start: to scale, but at least `gap` apart. */
export function pointsAlong({ macs, join_points }: Measured, length: number, gap: number): number[] {
  const places: number[] = [];
  for (const { macs_before } of join_points) {
    const wanted = macs > 0 ? (macs_before / macs) * length : 0;
    places.push(Math.max(wanted, (places.at(-1) ?? 0) + gap));
  }
  let limit = length - gap;
  for (let index = places.length - 1; index >= 0; index--) {
    places[index] = Math.min(places[index]!, limit);
    limit = places[index]! - gap;
  }
  return places;
}
