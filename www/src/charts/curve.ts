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
