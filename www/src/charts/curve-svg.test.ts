import { expect, test } from 'vitest';
import { curveSvg, ticks } from './curve-svg';

test('ticks are round numbers within the range', () => {
  expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks(3, 97, 5)).toEqual([20, 40, 60, 80]);
  expect(ticks(2, 2, 5)).toEqual([2]);
});

const draw = (values: (number | null)[], name = 'task') =>
  curveSvg({
    title: 'Loss',
    steps: values.map((_, index) => index),
    series: [{ letter: 'A', name, colour: '#123456', values }],
    format: String,
  });

test('a gap in the values is no point, and nothing but gaps is no line', () => {
  const lines = (svg: string) => svg.match(/stroke="#123456"/g)?.length ?? 0;
  expect(draw([1, null, 3])).toMatch(/d="M[\d. ]+L[\d. ]+"/);
  expect(lines(draw([null, Number.NaN]))).toBe(0);
});

test('names cannot become markup', () => {
  expect(draw([1, 2], '<script>&"')).toContain('&lt;script&gt;&amp;&quot;');
});
