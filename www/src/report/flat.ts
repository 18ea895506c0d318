/** Settings by their paths, as `train.temperature`, in words. */
export function flat(value: unknown, path = ''): [string, string][] {
  // Numbers may have been held in single precision.
  if (typeof value === 'number') return [[path, String(Number(value.toPrecision(6)))]];
  if (value === null || typeof value !== 'object') return [[path, String(value ?? '–')]];
  return Object.entries(value).flatMap(([name, inner]) => flat(inner, path ? `${path}.${name}` : name));
}
