import { describe, expect, test } from 'vitest';
import { commonScale, drawPlan, type MapStyle, type Source, sourcesOf } from './plan-map';

const style: MapStyle = { pitch: 6, row: 40, bend: 50, gap: 10, before: 10, after: 100 };
const network = (macs: number, points = 4) => ({
  macs,
  join_points: Array.from({ length: points }, (_, index) => ({
    macs_before: (macs * (index + 1)) / (points + 1),
  })),
});
const trio = [network(900), network(600), network(500)];
/** The first and second network start inside the third. */
const intoThird: Source[] = [
  { donor: 2, donorPoint: 2, receiverPoint: 1 },
  { donor: 2, donorPoint: 0, receiverPoint: 2 },
  null,
];

describe('a drawing of a plan', () => {
  test('fits its width, at one scale for both', () => {
    const plans = [[null, null, null], intoThird];
    const scale = commonScale(trio, plans, 700, style);
    for (const sources of plans) {
      const ends = drawPlan(trio, sources, scale, style).lines.map(({ end }) => end.x);
      expect(Math.max(...ends)).toBeLessThanOrEqual(600);
    }
  });

  test('is to scale: without joins a line is as long as its MACs', () => {
    const { lines } = drawPlan(trio, [null, null, null], 0.5, style);
    expect(lines.map(({ end }) => end.x - style.before)).toEqual([450, 300, 250]);
  });

  test('has one input per root, one adapter per join, and a station per point that is lent', () => {
    const map = drawPlan(trio, intoThird, 0.5, style);
    expect([map.inputs.length, map.adapters.length, map.stations.length]).toEqual([1, 2, 2]);
    // Of the receivers only what is kept: three and two stops; of the donor the two that are no stations.
    expect(map.points).toHaveLength(3 + 2 + 2);
  });

  test('shows a shortcut on the network’s own line, without the points that it skips', () => {
    const map = drawPlan(
      trio,
      [{ donor: 0, donorPoint: 0, receiverPoint: 3 }, { ...intoThird[1]!, donor: 0 }, null],
      0.5,
      style,
    );
    expect([map.inputs.length, map.adapters.length, map.stations.length]).toEqual([2, 2, 1]);
    // Of the first line its last point beside the station, of the second two, of the third all four.
    expect(map.points).toHaveLength(1 + 2 + 4);
    const own = map.adapters.find(({ network }) => network === 0)!;
    expect(own.y).toBe(map.lines.find(({ network }) => network === 0)!.end.y);
  });

  test('keeps who leaves late next to the trunk, so that curves cross no line', () => {
    const { lines } = drawPlan(trio, intoThird, 0.5, style);
    const heights = [0, 1, 2].map((index) => lines.find(({ network }) => network === index)!.end.y);
    expect(heights[1]).toBeLessThan(heights[0]!);
    expect(heights[0]).toBeLessThan(heights[2]!);
  });

  test('runs shared lines side by side', () => {
    const { inputs } = drawPlan(trio, intoThird, 0.5, style);
    expect(inputs[0]!.bottom - inputs[0]!.top).toBe(2 * style.pitch);
  });

  test('follows a chain of donors', () => {
    const chain: Source[] = [
      null,
      { donor: 0, donorPoint: 1, receiverPoint: 1 },
      { donor: 1, donorPoint: 2, receiverPoint: 2 },
    ];
    const { lines } = drawPlan(trio, chain, 0.5, style);
    expect(lines.find(({ network }) => network === 2)!.path.match(/C/g)).toHaveLength(2);
  });
});

test('a plan names its donors; the drawing counts them', () => {
  const join = {
    donor_tensor: '',
    receiver_tensor: '',
    channels: [1, 1] as [number, number],
    donor_point: 3,
    receiver_point: 1,
  };
  expect(
    sourcesOf([
      { source: 'join', network: 'a', donor: 'b', ...join },
      { source: 'root', network: 'b' },
    ]),
  ).toEqual([{ donor: 1, donorPoint: 3, receiverPoint: 1 }, null]);
});
