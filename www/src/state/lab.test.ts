import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Engine, type EngineListener } from '../worker/engine';
import { pace } from '../worker/fake-core';
import { files, InlineWorker } from '../worker/testing';
import { budgetAbove } from './choices.svelte';
import { Lab } from './lab.svelte';

let lab: Lab;
let worker: InlineWorker;

function openLab(): Lab {
  const make = () => {
    worker = new InlineWorker();
    return worker;
  };
  return new Lab((listener: EngineListener) => new Engine(make, 'http://localhost/', listener));
}

beforeEach(() => {
  lab = openLab();
});

const names = () => lab.networks.map(({ card }) => card.name);

describe('files', () => {
  test('of all kinds are taken in one go', async () => {
    await lab.addFiles([files.zip, files.network('character'), files.network('typeface')]);
    expect(names()).toEqual(['character', 'typeface']);
    expect(lab.data?.tasks.map(({ name }) => name)).toEqual(['character', 'typeface']);
    expect(lab.missing).toBeNull();
  });

  test('that are images have the tasks of the networks that are there', async () => {
    await lab.addFiles([files.network('character'), files.zip]);
    await lab.addFiles([files.network('typeface')]);
    expect(lab.data?.tasks.map(({ name }) => name)).toEqual(['character', 'typeface']);
    await lab.removeNetwork(lab.networks[0]!.id);
    expect(lab.data?.tasks.map(({ name }) => name)).toEqual(['typeface']);
  });

  test('that are bad are named with a hint, and nothing loaded is lost', async () => {
    await lab.addFiles([files.network('character'), files.zip]);
    await lab.addFiles([files.notNetwork, files.network('typeface'), files.emptyZip]);
    expect(names()).toEqual(['character', 'typeface']);
    expect(lab.data?.images).toBeGreaterThan(0);
    expect(lab.problems.all.map(({ area, hint }) => [area, Boolean(hint)])).toEqual([
      ['networks', true],
      ['data', true],
    ]);
  });

  test('with weights beside them belong together, whatever comes first', async () => {
    await lab.addFiles([...files.split('character').reverse(), ...files.split('typeface')]);
    expect(names()).toEqual(['character', 'typeface']);
    expect(lab.problems.all).toEqual([]);
  });

  test('without their weights are refused, and other files are still told', async () => {
    const [network] = files.split('character');
    await lab.addFiles([network!, { path: 'thesis.pdf', file: new Blob() }]);
    expect(names()).toEqual([]);
    expect(lab.problems.all).toHaveLength(2);
  });

  test('that can’t be read are told', async () => {
    await lab.addFiles(Promise.reject(new DOMException('gone', 'NotFoundError')));
    const zip = { slice: () => ({ arrayBuffer: () => Promise.reject(new Error('moved')) }) };
    lab.openProject = async () => {};
    await lab.addFiles([{ path: 'images.zip', file: zip as never }]);
    expect(lab.problems.all.map(({ message }) => message)).toEqual(['gone', 'moved']);
  });

  test('that nobody can use are said so', async () => {
    await lab.addFiles([{ path: 'thesis.pdf', file: new Blob() }]);
    expect(lab.problems.all[0]?.message).toContain('thesis.pdf');
  });
});

describe('a network that says nothing of its task', () => {
  test('is asked about, and added with the answers', async () => {
    await lab.addFiles([files.network('species')]);
    expect(names()).toEqual([]);
    const [asked] = lab.unfinished;
    await lab.completeNetwork(asked!, {
      task: 'species',
      classes: ['oak', 'beech'],
      preprocessing: 'imagenet',
    });
    expect(names()).toEqual(['species']);
    expect(lab.unfinished).toEqual([]);
  });

  test('keeps its form when the answers are refused', async () => {
    await lab.addFiles([files.network('character'), files.network('species')]);
    await lab.completeNetwork(lab.unfinished[0]!, { task: 'character' });
    expect(lab.unfinished).toHaveLength(1);
    expect(lab.problems.all[0]?.message).toContain('character');
  });
});

describe('a run', () => {
  beforeEach(() => lab.addFiles([files.network('character'), files.network('emphasis'), files.zip]));

  test('ends with results of the networks it had, also after the list has changed', async () => {
    await lab.start();
    expect(lab.run?.status).toBe('finished');
    await lab.removeNetwork(lab.networks[0]!.id);
    expect(lab.run?.networks.map(({ line }) => line.letter)).toEqual(['A', 'B']);
    expect(lab.run?.outcome?.report.tasks).toHaveLength(2);
    expect(lab.outdated).toBe(true);
  });

  test('sends what was chosen', async () => {
    Object.assign(lab.choices, { budget: 0.6, use_labels: false, seed: 7, effort: 'quick' });
    await lab.start();
    expect(lab.run?.outcome?.report.settings).toMatchObject({
      budget: 0.6,
      use_labels: false,
      seed: 7,
      train: { image_passes: 4000 },
    });
  });

  test('that searches tells how sure it is, as its report does, and compares plans in rounds', async () => {
    lab.choices.effort = 'full';
    lab.choices.setField('search.finalist_rounds', 3);
    await lab.start();
    const { searchSteps, judged, outcome } = lab.run!;
    expect(outcome?.report.settings.selector).toBe('differentiable');
    expect(searchSteps.length).toBeGreaterThan(1);
    expect(outcome?.report.search_steps).toEqual(searchSteps);
    expect(new Set(judged.map(({ image_passes }) => image_passes)).size).toBe(3);
  });

  test('whose budget no plan meets offers the nearest, and then works', async () => {
    lab.choices.budget = 0.1;
    await lab.start();
    const [problem] = lab.problems.all;
    expect([lab.run?.status, lab.run?.phase, problem?.area]).toEqual(['failed', null, 'run']);
    lab.useBudget(budgetAbove(problem!.nearestBudget!));
    expect([lab.choices.budget, lab.problems.all, lab.missing]).toEqual([0.13, [], null]);
    expect([names().length, lab.data?.tasks.length]).toEqual([2, 2]);
    await lab.start();
    expect(lab.run?.status).toBe('finished');
  });

  test('that breaks is told, and can be started again', async () => {
    const run = lab.start();
    await vi.waitFor(() => expect(lab.run?.phase).not.toBeNull());
    worker.break();
    await run;
    expect(lab.run?.status).toBe('failed');
    expect(lab.problems.all.map(({ area }) => area)).toEqual(['core', 'run']);
    await vi.waitFor(() => expect(lab.core.state).toBe('ready'));
    await lab.start();
    expect(lab.run?.status).toBe('finished');
  });
});

describe('a run that was broken off', () => {
  const loaded = [files.network('character'), files.network('emphasis'), files.zip];

  beforeEach(async () => {
    await lab.addFiles(loaded);
    lab.choices.setField('train.image_passes', 12_800);
    const run = lab.start();
    await vi.waitFor(() => expect(lab.checkpoint).not.toBeNull(), { interval: 1 });
    worker.break();
    await run;
    await vi.waitFor(() => expect(lab.missing).toBeNull());
  });

  test('goes on after the core has broken, to the same result, and then there is nothing to go on with', async () => {
    expect([lab.run?.status, lab.checkpoint?.phase, lab.fits]).toEqual(['failed', 'distil', true]);
    const { startedAt } = lab.run!;
    await lab.goOn();
    expect([lab.run?.status, lab.run?.startedAt, lab.checkpoint]).toEqual(['finished', startedAt, null]);
    const { curve, outcome, cells, judged } = lab.run!;
    expect(curve.steps).toEqual(curve.steps.map((_, index) => index + 1));
    expect(judged).toMatchObject(outcome!.report.judged);
    await lab.start();
    expect(lab.run?.cells).toEqual(cells);
    expect(lab.run?.outcome?.report.curve).toEqual(outcome?.report.curve);
  });

  test('goes on in a page that was opened anew', async () => {
    const checkpoint = structuredClone(lab.checkpoint);
    lab = openLab();
    await lab.addFiles(loaded);
    lab.checkpoint = checkpoint;
    await lab.goOn();
    expect([lab.run?.status, lab.run?.settings.train?.image_passes]).toEqual(['finished', 12_800]);
  });

  test('waits for the networks it was started with', async () => {
    await lab.addFiles([files.network('typeface')]);
    const shown = lab.run;
    await lab.goOn();
    expect([lab.fits, lab.run === shown]).toEqual([false, true]);
    await lab.removeNetwork(lab.networks[2]!.id);
    expect(lab.fits).toBe(true);
  });

  test('can still go on when it was stopped before it had come as far again', async () => {
    pace.milliseconds = 10;
    const run = lab.goOn();
    await vi.waitFor(() => expect(lab.run?.phase).toBe('teachers'));
    lab.stop();
    await run;
    pace.milliseconds = 0;
    expect([lab.run?.status, lab.run?.outcome, lab.fits]).toEqual(['stopped', null, true]);
  });

  test('is over when it was stopped with a network', async () => {
    const run = lab.goOn();
    await vi.waitFor(() => expect(lab.run?.phase).toBe('distil'), { interval: 1 });
    lab.stop();
    await run;
    expect([lab.run?.status, lab.checkpoint]).toEqual(['stopped', null]);
    expect(lab.run?.outcome).not.toBeNull();
  });

  test('is told with a way out and let go of when the core does not know it', async () => {
    lab.checkpoint = { ...lab.checkpoint!, settings: { ...lab.checkpoint!.settings, seed: 9 } };
    await lab.goOn();
    expect([lab.run?.status, lab.checkpoint]).toEqual(['failed', null]);
    const problem = lab.problems.all.find(({ area }) => area === 'run');
    expect(problem?.message).toContain('can’t be continued');
    expect(problem?.hint).toBeTruthy();
    await lab.start();
    expect(lab.run?.status).toBe('finished');
  });

  test('stays on offer beside a run that fails before its own first checkpoint', async () => {
    lab.choices.budget = 0.1;
    await lab.start();
    expect([lab.run?.status, lab.fits]).toEqual(['failed', true]);
    lab.discard();
    expect(lab.fits).toBe(false);
  });
});
