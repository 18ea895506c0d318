import { expect, test } from 'vitest';
import { sortFiles } from './files';

test('files are sorted by what they are for, whatever the case of their ending', () => {
  const named = (path: string) => ({ path, file: new Blob() });
  const sorted = sortFiles(['a.ONNX', 'b.zip', 'set/c.JPG', 'labels.csv', 'thesis.pdf'].map(named));
  expect(Object.values(sorted).map((files: { path: string }[]) => files.map(({ path }) => path))).toEqual([
    ['a.ONNX'],
    ['b.zip'],
    ['set/c.JPG', 'labels.csv'],
    ['thesis.pdf'],
  ]);
});
