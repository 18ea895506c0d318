// The geometry of a plan as a railway map. Each network is a line from an image to its answer. Where networks share
// layers, their lines run side by side; where one leaves its donor, it curves away to its own layers.
import type { SourceSummary } from '../worker/core';
import { lineLength, type Measured, pointsAlong } from './lanes';

export interface MapStyle {
  /** Distance between lines that run side by side. */
  pitch: number;
  /** Distance between tracks. */
  row: number;
  /** Width of the curve from donor to receiver. */
  bend: number;
  /** Smallest distance between points. */
  gap: number;
  /** Room before the tracks and after them. */
  before: number;
  after: number;
}

/**
 * Where a network gets its features from, by index: null for its own input. One that is its own donor also keeps its
 * input; it skips its layers between the two points.
 */
export type Source = { donor: number; donorPoint: number; receiverPoint: number } | null;

/** The other network that a network reads, or -1. */
function donorOf(network: number, sources: readonly Source[]): number {
  const donor = sources[network]?.donor ?? -1;
  return donor === network ? -1 : donor;
}

export interface DrawnLine {
  network: number;
  path: string;
  end: { x: number; y: number };
}

export interface Spot {
  network: number;
  x: number;
  y: number;
}

/** Something that spans all lines of a track. */
export interface Span {
  x: number;
  top: number;
  bottom: number;
}

/** The layers of a network between two of its join points. */
export interface Piece extends Span {
  network: number;
  /** Index of the join point where it ends; one more than the last is the output. */
  point: number;
  /** Where it ends; `x` is where it starts. */
  end: number;
  /** The networks that use it. */
  users: number[];
}

export interface PlanMap {
  height: number;
  lines: DrawnLine[];
  points: Spot[];
  stations: Span[];
  inputs: Span[];
  adapters: Spot[];
  pieces: Piece[];
}

export function sourcesOf(summaries: readonly SourceSummary[]): Source[] {
  const names = summaries.map(({ network }) => network);
  return summaries.map((summary) =>
    summary.source === 'root'
      ? null
      : {
          donor: names.indexOf(summary.donor),
          donorPoint: summary.donor_point,
          receiverPoint: summary.receiver_point,
        },
  );
}

interface Track {
  start: number;
  points: number[];
  end: number;
}

/** Donors before their receivers. A source that names no network is taken as a root. */
function donorsFirst(sources: readonly Source[]): number[] {
  const order: number[] = [];
  const visit = (network: number, depth: number) => {
    const donor = donorOf(network, sources);
    if (donor >= 0 && depth < sources.length) visit(donor, depth + 1);
    if (!order.includes(network)) order.push(network);
  };
  sources.forEach((_, network) => {
    visit(network, 0);
  });
  return order;
}

function placeTracks(
  networks: readonly Measured[],
  sources: readonly Source[],
  scale: number,
  style: MapStyle,
): Track[] {
  const tracks: Track[] = [];
  for (const index of donorsFirst(sources)) {
    const network = networks[index]!;
    const length = lineLength(network, scale, style.gap);
    const along = pointsAlong(network, length, style.gap);
    const source = sources[index];
    const donor = donorOf(index, sources);
    const donorX = source ? tracks[donor]?.points[source.donorPoint] : undefined;
    const start = donorX === undefined ? style.before : donorX + style.bend;
    const origin = donorX === undefined || !source ? start : start - (along[source.receiverPoint] ?? 0);
    tracks[index] = { start, points: along.map((place) => origin + place), end: origin + length };
  }
  return tracks;
}

/** The largest scale at which every given set of sources fits the width. */
export function commonScale(
  networks: readonly Measured[],
  plans: readonly (readonly Source[])[],
  width: number,
  style: MapStyle,
): number {
  const longest = Math.max(1, ...networks.map(({ macs }) => macs));
  const room = width - style.after;
  const fits = (scale: number) =>
    plans.every((sources) => placeTracks(networks, sources, scale, style).every(({ end }) => end <= room));
  let low = 0;
  let high = Math.max(0, room - style.before) / longest;
  if (fits(high)) return high;
  for (let round = 0; round < 16; round++) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** The tracks that a network's line runs along, from its root to its own. */
function routeOf(network: number, sources: readonly Source[]): number[] {
  const route = [network];
  for (let donor = donorOf(network, sources); donor >= 0 && !route.includes(donor); ) {
    route.unshift(donor);
    donor = donorOf(donor, sources);
  }
  return route;
}

/**
 * The networks from top to bottom. Who leaves a track late stays next to it, so that no curve crosses a neighbour:
 * first those of lower number above their donor, then those of higher number below.
 */
function rowsOf(sources: readonly Source[], tracks: readonly Track[]): number[] {
  const leaveX = (network: number) => {
    const source = sources[network];
    return source ? (tracks[source.donor]?.points[source.donorPoint] ?? 0) : 0;
  };
  const family = (track: number): number[] => {
    const children = sources.flatMap((_, network) => (donorOf(network, sources) === track ? [network] : []));
    const above = children.filter((child) => child < track).sort((a, b) => leaveX(a) - leaveX(b) || a - b);
    const below = children.filter((child) => child > track).sort((a, b) => leaveX(b) - leaveX(a) || a - b);
    return [...above.flatMap(family), track, ...below.flatMap(family)];
  };
  return sources.flatMap((_, network) => (donorOf(network, sources) < 0 ? family(network) : []));
}

/** The order of the lines on a track, from top to bottom: each on the side where it will leave. */
function linesOn(track: number, routes: readonly number[][], rows: readonly number[]): number[] {
  const rowOf = (network: number) => rows.indexOf(network);
  const further = (network: number) => {
    const route = routes[network]!;
    return route.slice(route.indexOf(track) + 1);
  };
  const users = routes.flatMap((route, network) => (route.includes(track) ? [network] : []));
  return users.sort((a, b) => {
    const [left, right] = [further(a), further(b)];
    for (let step = 0; step < Math.max(left.length, right.length); step++) {
      const leftRow = rowOf(left[step] ?? left[step - 1] ?? track);
      const rightRow = rowOf(right[step] ?? right[step - 1] ?? track);
      if (leftRow !== rightRow) return leftRow - rightRow;
    }
    return rowOf(a) - rowOf(b);
  });
}

export function drawPlan(
  networks: readonly Measured[],
  sources: readonly Source[],
  scale: number,
  style: MapStyle,
): PlanMap {
  const tracks = placeTracks(networks, sources, scale, style);
  const routes = networks.map((_, network) => routeOf(network, sources));
  const rows = rowsOf(sources, tracks);
  const orders = networks.map((_, track) => linesOn(track, routes, rows));

  // Tracks lie below each other, each with room for the lines that run above and below its own.
  const centres: number[] = [];
  let bottom = 0;
  for (const track of rows) {
    const order = orders[track]!;
    const above = order.indexOf(track);
    centres[track] = bottom + style.row / 2 + above * style.pitch;
    bottom += style.row + (order.length - 1) * style.pitch;
  }
  const yOf = (network: number, track: number) => {
    const order = orders[track]!;
    return centres[track]! + (order.indexOf(network) - order.indexOf(track)) * style.pitch;
  };
  const leaveX = (track: number, next: number) => tracks[track]!.points[sources[next]!.donorPoint]!;
  /** The lines that have not left a track before. */
  const aboard = (track: number, x: number) =>
    orders[track]!.filter((network) => {
      const next = routes[network]![routes[network]!.indexOf(track) + 1];
      return next === undefined || leaveX(track, next) >= x;
    });
  const span = (track: number, x: number): Span => {
    const heights = aboard(track, x).map((network) => yOf(network, track));
    return { x, top: Math.min(...heights), bottom: Math.max(...heights) };
  };

  const map: PlanMap = {
    height: bottom,
    lines: [],
    points: [],
    stations: [],
    inputs: [],
    adapters: [],
    pieces: [],
  };
  for (const [network, route] of routes.entries()) {
    let path = '';
    for (const [leg, track] of route.entries()) {
      const y = yOf(network, track);
      if (leg === 0) path = `M${round(tracks[track]!.start)} ${round(y)}`;
      const next = route[leg + 1];
      const x = next === undefined ? tracks[track]!.end : leaveX(track, next);
      path += `H${round(x)}`;
      if (next === undefined) map.lines.push({ network, path, end: { x, y } });
      else path += curve(x, y, tracks[next]!.start, yOf(network, next));
    }
    const track = tracks[network]!;
    const source = sources[network];
    if (source && route.length > 1) {
      const fromY = yOf(network, source.donor);
      const y = yOf(network, network);
      map.adapters.push({ network, x: track.start - style.bend / 2, y: (fromY + y) / 2 });
    } else {
      map.inputs.push(span(network, track.start));
    }
    const isShortcut = source?.donor === network;
    if (source && isShortcut) {
      const [from, to] = [track.points[source.donorPoint] ?? 0, track.points[source.receiverPoint] ?? 0];
      map.adapters.push({ network, x: (from + to) / 2, y: yOf(network, network) });
    }
    const readers = sources.filter((other, reader) => other && donorOf(reader, sources) === network);
    const lent = new Set(readers.flatMap((other) => other?.donorPoint ?? []));
    for (const [point, x] of track.points.entries()) {
      const isKept = !source || point >= source.receiverPoint || (isShortcut && point <= source.donorPoint);
      if (lent.has(point)) map.stations.push(span(network, x));
      else if (isKept) map.points.push({ network, x, y: centres[network]! });
    }
    for (const [point, end] of [...track.points, track.end].entries()) {
      const isKept = !source || point > source.receiverPoint || (isShortcut && point <= source.donorPoint);
      const x = track.points[point - 1] ?? track.start;
      if (isKept)
        map.pieces.push({ ...span(network, end), network, point, x, end, users: aboard(network, end) });
    }
  }
  return map;
}

function curve(x1: number, y1: number, x2: number, y2: number): string {
  const middle = round((x1 + x2) / 2);
  return `C${middle} ${round(y1)} ${middle} ${round(y2)} ${round(x2)} ${round(y2)}`;
}

const round = (value: number) => Math.round(value * 10) / 10;
