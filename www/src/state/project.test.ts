import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EngineListener } from '../worker/engine';
import { Engine } from '../worker/engine';
import { files, InlineWorker } from '../worker/testing';
import { Lab } from './lab.svelte';
import { Project } from './project.svelte';
import type { Checkpoint } from './run.svelte';
import { Store } from './store';

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
  vi.stubGlobal('document', { baseURI: 'http://localhost/' });
  vi.stubGlobal('navigator', {
    locks: { request: (_: string, __: object, held: (lock: object) => unknown) => held({}) },
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function openLab() {
  const make = () => new InlineWorker();
  const lab = new Lab((listener: EngineListener) => new Engine(make, 'http://localhost/', listener));
  const project = new Project(lab);
  return { lab, project, opened: project.open() };
}

async function openPage() {
  const { opened, ...page } = openLab();
  await opened;
  return page;
}

/** Two runs, as the page would keep them. */
async function runTwice() {
  const { lab, project } = await openPage();
  await lab.addFiles([files.network('character'), files.network('emphasis'), files.zip]);
  await lab.start();
  const first = lab.run!;
  await lab.start();
  return { lab, project, first, second: lab.run! };
}

/** The seeds of all that is kept from here on: pages of other tests may still be keeping theirs. */
function keptSeeds(): () => number[] {
  const keep = vi.spyOn(Store.prototype, 'keepLab');
  return () => keep.mock.calls.map(([{ choices }]) => choices.seed);
}

const started = (project: Project) => project.entries.map(({ startedAt }) => startedAt);
const checkpoint = { startedAt: 1, bytes: new Uint8Array([1]) } as Checkpoint;
const refuse = (name: string) => () => Promise.reject(new DOMException('no', name));

test('past runs are listed newest first, in whatever order they came', async () => {
  const { project, first, second } = await runTwice();
  await project.add(second);
  await project.add(first);
  expect(started(project)).toEqual([second.startedAt, first.startedAt]);
  const later = await openPage();
  expect(started(later.project)).toEqual(started(project));
  expect((await later.project.find(first.startedAt))?.outcome?.report.tasks).toHaveLength(2);
});

test('a run that finds no room is listed, and kept once a past one is deleted', async () => {
  const { project, first, second } = await runTwice();
  await project.add(first);
  const noRoom = vi.spyOn(Store.prototype, 'keepRun').mockImplementation(refuse('QuotaExceededError'));
  await project.add(second);
  expect([project.keeping, started(project).length, project.hasUnkept]).toEqual(['full', 2, true]);
  await project.keepCheckpoint(null);
  expect(project.keeping).toBe('full');
  noRoom.mockRestore();
  await project.forget(first.startedAt);
  expect([project.keeping, project.hasUnkept]).toEqual(['kept', false]);
  expect(started((await openPage()).project)).toEqual([second.startedAt]);
});

test('a browser that refuses the lock keeps nothing', async () => {
  vi.stubGlobal('navigator', { locks: { request: refuse('SecurityError') } });
  const { lab, project } = await runTwice();
  await project.add(lab.run!);
  expect([project.keeping, project.hasUnkept]).toEqual(['refused', true]);
});

test('what is half loaded is not kept', async () => {
  const { lab, project } = await openPage();
  const seeds = keptSeeds();
  lab.choices.seed = 7;
  lab.busy = { what: 'data', name: '' };
  project.changed();
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(seeds()).not.toContain(7);
  lab.busy = null;
  project.changed();
  await vi.waitFor(() => expect(seeds()).toContain(7));
});

test('a setting changed while a project is coming back is kept', async () => {
  const { lab } = await openPage();
  const seeds = keptSeeds();
  lab.choices.seed = 4;
  await lab.addFiles([files.network('character'), files.zip]);
  await vi.waitFor(() => expect(seeds()).toContain(4));
  const opening = openLab();
  await vi.waitFor(() => expect(opening.lab.reading).not.toBeNull(), { interval: 1 });
  opening.lab.choices.seed = 5;
  await opening.opened;
  await vi.waitFor(() => expect(seeds()).toContain(5));
});

test('a full store is told from one that fails', async () => {
  const { project } = await openPage();
  const keep = vi.spyOn(Store.prototype, 'keepCheckpoint');
  keep.mockImplementation(refuse('QuotaExceededError'));
  await project.keepCheckpoint(checkpoint);
  expect([project.keeping, project.losesRun]).toEqual(['full', 'full']);
  keep.mockImplementation(refuse('UnknownError'));
  await project.keepCheckpoint(checkpoint);
  expect([project.keeping, project.losesRun]).toEqual(['failed', 'failed']);
  keep.mockRestore();
  await project.keepCheckpoint(checkpoint);
  expect([project.keeping, project.losesRun]).toEqual(['kept', null]);
});

test('a run that was broken off is back, until it is forgotten', async () => {
  const { project } = await openPage();
  await project.keepCheckpoint(checkpoint);
  const later = await openPage();
  expect(later.lab.checkpoint).toEqual(checkpoint);
  await later.project.forgetAll();
  expect([later.project.keeping, later.lab.checkpoint]).toEqual(['forgotten', null]);
  await later.project.keepCheckpoint({ ...checkpoint });
  expect((await openPage()).lab.checkpoint).toBeNull();
});
