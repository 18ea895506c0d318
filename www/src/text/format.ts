// Numbers as people read them.

// Between a number and its unit: narrow, and no line breaks there.
const space = '\u202f';

const cache = new Map<string, Intl.NumberFormat>();

function formatter(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale + JSON.stringify(options);
  let found = cache.get(key);
  if (!found) {
    found = new Intl.NumberFormat(locale, options);
    cache.set(key, found);
  }
  return found;
}

export function formatCount(value: number, locale: string): string {
  return formatter(locale, { maximumFractionDigits: 0 }).format(value);
}

export function formatDecimal(value: number, digits: number, locale: string): string {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  // The minus sign of typography, as Intl writes it for some locales only.
  return formatter(locale, options).format(value).replace('-', '−');
}

/** With its sign, and none for zero: a change. */
export function formatChange(value: number, digits: number, locale: string): string {
  const text = formatDecimal(value, digits, locale);
  const isZero = Number(value.toFixed(digits)) === 0;
  if (isZero) return formatDecimal(0, digits, locale);
  return value > 0 ? `+${text}` : text;
}

/** A number of any size: four digits that count. */
export function formatValue(value: number, locale: string): string {
  return formatter(locale, { maximumSignificantDigits: 4 }).format(value).replace('-', '−');
}

/** A share from 0 to 1. */
export function formatPercent(share: number, digits: number, locale: string): string {
  return `${formatDecimal(share * 100, digits, locale)}${space}%`;
}

/** Three digits and a prefix: 9.42 M. */
export function formatQuantity(value: number, locale: string): string {
  const prefixes: [number, string][] = [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ];
  // 999 600 is 1.00 M, not 1000 k.
  const found = prefixes.find(([factor]) => value >= factor * 0.9995);
  if (!found) return formatCount(value, locale);
  const scaled = value / found[0];
  const digits = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
  return `${formatDecimal(scaled, digits, locale)}${space}${found[1]}`;
}

/** Three digits, as times this short are rarely surer. */
export function formatMilliseconds(value: number, locale: string): string {
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${formatDecimal(value, digits, locale)}${space}ms`;
}

export function formatBytes(bytes: number, locale: string): string {
  return bytes < 1000 ? `${formatCount(bytes, locale)}${space}B` : `${formatQuantity(bytes, locale)}B`;
}

/** A moment, in milliseconds since 1970, by the clock of this place. */
export function formatMoment(moment: number, locale: string): string {
  return new Date(moment).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' });
}

export interface DurationUnits {
  seconds: string;
  minutes: string;
  hours: string;
}

/** Seconds in at most two units. */
export function formatDuration(seconds: number, units: DurationUnits): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}${space}${units.seconds}`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}${space}${units.minutes} ${whole % 60}${space}${units.seconds}`;
  return `${Math.floor(minutes / 60)}${space}${units.hours} ${minutes % 60}${space}${units.minutes}`;
}
