// Curves as an SVG of their own: for files and reports, where there is no canvas.
import { spread } from './curve';

export interface SvgSeries {
  /** At its end and in the legend; none where it is the only one. */
  letter: string;
  name: string;
  colour: string;
  values: readonly (number | null)[];
  isReference?: boolean;
}

export interface SvgCurve {
  title: string;
  steps: readonly number[];
  series: readonly SvgSeries[];
  format: (value: number, step?: number) => string;
  fromZero?: boolean;
}

const [width, height] = [640, 260];
const [left, right, top, bottom] = [52, 34, 44, 28];
const ink = { soft: '#555a62', hair: '#dddcd7', ground: '#fdfdfc', strong: '#16181c' };

/** Round values from `low` to `high`, about `count` of them. */
export function ticks(low: number, high: number, count: number): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= count) ?? span;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

const escaped = (text: string) =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!);

export function curveSvg({ title, steps, series, format, fromZero = false }: SvgCurve): string {
  const known = series.flatMap(({ values }) =>
    values.filter((value) => value !== null && Number.isFinite(value)),
  ) as number[];
  const lowest = fromZero ? 0 : known.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const highest = known.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const room = (highest - lowest || Math.abs(highest) || 1) * 0.05;
  const [low, high] = known.length > 0 ? [fromZero ? 0 : lowest - room, highest + room] : [0, 1];
  const [start, end] = [fromZero ? 0 : (steps[0] ?? 0), Math.max(steps.at(-1) ?? 1, (steps[0] ?? 0) + 1)];
  const x = (step: number) => left + ((step - start) / (end - start)) * (width - left - right);
  const y = (value: number) => height - bottom - ((value - low) / (high - low)) * (height - top - bottom);
  const at = (value: number) => value.toFixed(1);

  const rows = ticks(low, high, 5);
  const rowStep = rows.length > 1 ? rows[1]! - rows[0]! : undefined;
  const grid = rows.map(
    (value) =>
      `<path d="M${left} ${at(y(value))}H${width - right}" stroke="${ink.hair}"/>` +
      `<text x="${left - 8}" y="${at(y(value) + 4)}" text-anchor="end">${escaped(format(value, rowStep))}</text>`,
  );
  const axis = ticks(start, end, 6).map(
    (step) => `<text x="${at(x(step))}" y="${height - 8}" text-anchor="middle">${step}</text>`,
  );
  const lines = series.map(({ colour, values, isReference }) => {
    const points = values.flatMap((value, index) =>
      value === null || !Number.isFinite(value) ? [] : `${at(x(steps[index]!))} ${at(y(value))}`,
    );
    const look = isReference ? 'stroke-width="1" stroke-dasharray="3 4"' : 'stroke-width="2"';
    return points.length > 0
      ? `<path d="M${points.join('L')}" fill="none" stroke="${colour}" ${look} stroke-linejoin="round"/>`
      : '';
  });
  const ends = series.flatMap(({ letter, colour, values, isReference }) => {
    const index = values.findLastIndex((value) => value !== null && Number.isFinite(value));
    return isReference || !letter || index < 0
      ? []
      : { letter, colour, x: x(steps[index]!) + 12, y: y(values[index]!) };
  });
  const heights = spread(
    ends.map((each) => each.y),
    15,
    top,
    height - bottom,
  );
  const letters = ends.map(({ letter, colour, x: cx }, index) => {
    const cy = heights[index] ?? 0;
    return (
      `<circle cx="${at(cx)}" cy="${at(cy)}" r="7.5" fill="${colour}"/>` +
      `<text x="${at(cx)}" y="${at(cy + 3.2)}" font-size="9" font-weight="700" fill="${ink.ground}" text-anchor="middle">${escaped(letter)}</text>`
    );
  });
  let legendAt = left;
  const legend = series
    .filter(({ isReference, letter }) => !isReference && letter)
    .map(({ letter, name, colour }) => {
      const words = `<circle cx="${legendAt + 6}" cy="32" r="6" fill="${colour}"/><text x="${legendAt + 6}" y="35" font-size="8" font-weight="700" fill="${ink.ground}" text-anchor="middle">${escaped(letter)}</text><text x="${legendAt + 18}" y="36">${escaped(name)}</text>`;
      legendAt += 34 + name.length * 7;
      return words;
    });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica Neue, Segoe UI, Arial, sans-serif" font-size="11" fill="${ink.soft}">` +
    `<rect width="${width}" height="${height}" fill="${ink.ground}"/>` +
    `<text x="${left}" y="16" font-size="13" font-weight="600" fill="${ink.strong}">${escaped(title)}</text>` +
    `${legend.join('')}${grid.join('')}${axis.join('')}${lines.join('')}${letters.join('')}</svg>`
  );
}
