import 'fake-indexeddb/auto';
import { beforeEach, expect, test } from 'vitest';
import { Choices } from './choices.svelte';
import type { Checkpoint, SavedRun } from './run.svelte';
import { Store } from './store';

let name: string;
let count = 0;
beforeEach(() => {
  name = `graftlab ${++count}`;
});

const checkpoint = (startedAt: number) => ({ startedAt, bytes: new Uint8Array([startedAt]) }) as Checkpoint;
const run = (startedAt: number) =>
  ({
    startedAt,
    outcome: {
      report: { tasks: [], seconds: { total: 1 }, cost: { macs: { originals: 2, merged: 1 } } },
    },
  }) as unknown as SavedRun;
const lab = { networks: [], images: null, choices: new Choices().saved() };

test('of a run that is going on the newest checkpoint is kept, until there is none', async () => {
  const store = await Store.open(name);
  expect(await store.checkpoint()).toBeNull();
  await store.keepCheckpoint(checkpoint(1));
  await store.keepCheckpoint(checkpoint(2));
  await store.keepLab(lab);
  const later = await Store.open(name);
  expect(await later.checkpoint()).toEqual(checkpoint(2));
  await later.keepCheckpoint(null);
  expect(await later.lab()).toEqual(lab);
  expect(await (await Store.open(name)).checkpoint()).toBeNull();
});

test('a checkpoint that can’t be stored leaves the one before', async () => {
  const store = await Store.open(name);
  await store.keepCheckpoint(checkpoint(1));
  const unstorable = { ...checkpoint(2), settings: (() => {}) as never };
  await expect(store.keepCheckpoint(unstorable)).rejects.toMatchObject({ name: 'DataCloneError' });
  expect(await (await Store.open(name)).checkpoint()).toEqual(checkpoint(1));
});

test('beyond the most the oldest run goes, whatever order they come in', async () => {
  const store = await Store.open(name);
  for (let startedAt = 31; startedAt >= 1; startedAt--) await store.keepRun(run(startedAt));
  const kept = (await store.entries()).map(({ startedAt }) => startedAt);
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([30, 31, 2]);
  expect(await store.run(1)).toBeUndefined();
});

test('what is forgotten is gone', async () => {
  const store = await Store.open(name);
  await store.keepLab(lab);
  await store.keepRun(run(1));
  await store.keepCheckpoint(checkpoint(2));
  await store.forgetAll();
  const later = await Store.open(name);
  expect([await later.lab(), await later.entries(), await later.checkpoint()]).toEqual([null, [], null]);
  expect(await later.run(1)).toBeUndefined();
});
