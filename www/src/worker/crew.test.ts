import { describe, expect, test } from 'vitest';
import type { WorkerLike } from './client';
import { Crew, crewSize } from './crew';
import type { FromWorker, ToWorker } from './protocol';

test('as many workers as cores and memory bear, beside the one that runs', () => {
  expect(crewSize(1, 8, 0)).toBe(0);
  expect(crewSize(2, undefined, 0)).toBe(1);
  expect(crewSize(16, 8, 0)).toBe(7);
  expect(crewSize(8, 2, 0)).toBe(1);
  expect(crewSize(8, undefined, 0)).toBe(3);
  expect(crewSize(8, 8, 1.5 * 2 ** 30)).toBe(3);
  expect(crewSize(8, 8, 8 * 2 ** 30)).toBe(0);
});

/** A worker that answers each request as `answer` says; what that throws is a fault. */
class Answering implements WorkerLike {
  onmessage: WorkerLike['onmessage'] = null;
  onerror: WorkerLike['onerror'] = null;
  terminated = false;
  readonly #answer: (message: ToWorker) => unknown;

  constructor(answer: (message: ToWorker) => unknown) {
    this.#answer = answer;
  }

  postMessage(message: ToWorker): void {
    const reply = (): FromWorker => {
      try {
        return { id: message.id, kind: 'value', value: this.#answer(message) as never };
      } catch (error) {
        return { id: message.id, kind: 'fault', failure: { code: 'fault', message: String(error) } };
      }
    };
    queueMicrotask(() => this.onmessage?.({ data: reply() } as MessageEvent<FromWorker>));
  }

  terminate(): void {
    this.terminated = true;
  }
}

function crewOf(answers: ((message: ToWorker) => unknown)[]) {
  const workers: Answering[] = [];
  const make = () => {
    const worker = new Answering(answers[workers.length]!);
    workers.push(worker);
    return worker;
  };
  const loaded: string[] = [];
  const supplies = {
    networks: [{ file: { path: 'a.onnx', file: new Blob() } }],
    load: async () => loaded.push('images'),
  };
  const crew = new Crew(make, 'http://localhost/', 'cpu', answers.length, supplies, () => {});
  return { crew, workers, loaded };
}

const judging = (drop: (errand: string) => number) => (message: ToWorker) =>
  'args' in message && message.method === 'judge' ? drop(message.args.errand) : null;

describe('a crew', () => {
  test('judges errands as its members are free, each after loading what the run has', async () => {
    const { crew, loaded } = crewOf([judging(Number), judging(Number)]);
    const drops = await Promise.all(['1', '2', '3', '4', '5'].map((errand) => crew.judge(errand)));
    expect(drops).toEqual([1, 2, 3, 4, 5]);
    expect(loaded).toHaveLength(2);
  });

  test('leaves errands to the run when a member breaks, and goes on with the others', async () => {
    const breaks = judging((errand) => {
      if (errand === '2') throw new Error('out of memory');
      return Number(errand);
    });
    const { crew, workers } = crewOf([breaks]);
    expect(await Promise.all(['1', '2', '3'].map((errand) => crew.judge(errand)))).toEqual([1, null, null]);
    expect(workers[0]!.terminated).toBe(true);
    expect(await crew.judge('4')).toBeNull();
  });

  test('gives back what is abandoned, and then judges again', async () => {
    const { crew } = crewOf([judging(Number)]);
    const drops = ['1', '2', '3'].map((errand) => crew.judge(errand));
    crew.abandon();
    expect(await Promise.all(drops)).toEqual([null, null, null]);
    expect(await crew.judge('4')).toBe(4);
  });

  test('whose members cannot even open leaves all to the run', async () => {
    const { crew } = crewOf([
      () => {
        throw new Error('no memory');
      },
    ]);
    expect(await crew.judge('1')).toBeNull();
  });
});
