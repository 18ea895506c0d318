import { expect, test } from 'vitest';
import { javascriptSnippet } from './snippets';

const tasks = [
  { name: 'shape', classes: ['round', 'square'] },
  { name: 'shares', kind: 'labels', classes: ['red', 'green'] },
  { name: 'logits', kind: 'labels', classes: ['red', 'green', 'blue'] },
  { name: 'sizes', kind: 'values', classes: ['width', 'height'] },
] as never;

const scores = { shape: [1, 3], shares: [0.4, 0.6], logits: [-2, 0.4, 3], sizes: [12, -1] };

/** The function of the program, with a page around it that has just what it asks for. */
function classifyOf(program: string) {
  const ort = { Tensor: class {} };
  const canvas = class {
    getContext = () => ({ drawImage() {}, getImageData: () => ({ data: new Uint8ClampedArray(4) }) });
  };
  const body = program.replace(/^import .*$/m, '').replace('export ', '');
  const make = new Function('ort', 'createImageBitmap', 'OffscreenCanvas', `${body}\nreturn classify;`);
  return make(ort, async () => ({}), canvas);
}

test('the program for a page tells classes, labels and values apart', async () => {
  const classify = classifyOf(javascriptSnippet(tasks, [3, 1, 1]));
  const session = {
    inputNames: ['image'],
    outputNames: Object.keys(scores),
    run: async () =>
      Object.fromEntries(
        Object.entries(scores).map(([name, data]) => [name, { data: Float32Array.from(data) }]),
      ),
  };
  expect(await classify(session, null)).toEqual({
    shape: 'square',
    shares: ['green'],
    logits: ['green', 'blue'],
    sizes: { width: 12, height: -1 },
  });
});
