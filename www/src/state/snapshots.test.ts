import { expect, test } from 'vitest';
import { filesOfSnapshots } from './snapshots';

const picture = new Blob(['pixels']);

test('pictures become files with a table of what they show, and of which were taken in one go', async () => {
  const files = filesOfSnapshots(
    [
      { picture, labels: { animal: 'cat, asleep', colour: '' }, group: '1' },
      { picture, labels: { animal: '', colour: '' }, group: '2' },
      { picture, labels: { animal: 'dog' }, group: '2' },
    ],
    ['animal', 'colour'],
  );
  expect(files.map(({ path }) => path)).toEqual([
    'picture-0001.png',
    'picture-0002.png',
    'picture-0003.png',
    'labels.csv',
  ]);
  // Of the colour nobody has said anything.
  expect(await files.at(-1)!.file.text()).toBe(
    'file,group,animal\r\npicture-0001.png,1,"cat, asleep"\r\npicture-0002.png,2,\r\npicture-0003.png,2,dog\r\n',
  );
});
