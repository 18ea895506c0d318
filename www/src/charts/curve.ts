/** A running mean with the weight of the past `keep`, started without a bias towards zero. */
export function smoothed(values: readonly number[], keep = 0.9): number[] {
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return sum / weight;
  });
}

/** Moves places apart to at least `gap`, each as little as possible, within `low` and `high`; keeps their order. */
export function spread(places: readonly number[], gap: number, low: number, high: number): number[] {
  const order = places.map((_, index) => index).sort((a, b) => places[a]! - places[b]!);
  const moved = [...places];
  let limit = low;
  for (const index of order) {
    moved[index] = Math.max(moved[index]!, limit);
    limit = moved[index]! + gap;
  }
  limit = high;
  for (const index of order.toReversed()) {
    moved[index] = Math.min(moved[index]!, limit);
    limit = moved[index]! - gap;
  }
  return moved;
}
