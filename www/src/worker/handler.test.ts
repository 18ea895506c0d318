import { expect, test } from 'vitest';
import { createHandler } from './handler';
import type { FromWorker, ToWorker } from './protocol';
import { cpuOnly, files } from './testing';

function setUp(around = cpuOnly) {
  const sent: FromWorker[] = [];
  const handle = createHandler({
    send: (message) => sent.push(message),
    surroundings: () => around,
    tryOutside: async () => 'refused',
  });
  const answerTo = async (id: number) => {
    for (;;) {
      const found = sent.find((message) => message.id === id && message.kind !== 'event');
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve));
    }
  };
  return { handle: handle as (message: ToWorker) => void, answerTo };
}

const open = { id: 1, method: 'open', args: { base: 'http://localhost/', wish: 'cpu' } } as const;

test('a request before the core is open is a failure, not a fault', async () => {
  const { handle, answerTo } = setUp();
  handle({ id: 7, method: 'add_network', args: { file: files.network('character') } });
  expect(await answerTo(7)).toMatchObject({ kind: 'failure', failure: { code: 'not_open' } });
});

test('requests are answered one after the other, each with its own id', async () => {
  const { handle, answerTo } = setUp();
  handle(open);
  handle({ id: 2, method: 'add_network', args: { file: files.network('character') } });
  handle({ id: 3, method: 'add_network', args: { file: files.network('typeface') } });
  expect(await answerTo(2)).toMatchObject({ kind: 'value', value: { name: 'character' } });
  expect(await answerTo(3)).toMatchObject({ kind: 'value', value: { name: 'typeface' } });
});

test('a trap of the core is a fault', async () => {
  const { handle, answerTo } = setUp({
    ...cpuOnly,
    loadCore: () => Promise.reject(new WebAssembly.RuntimeError('unreachable')),
  });
  handle(open);
  expect(await answerTo(1)).toMatchObject({ kind: 'fault', failure: { message: 'unreachable' } });
});

test('a run that is cancelled while it waits never starts', async () => {
  const { handle, answerTo } = setUp();
  handle(open);
  handle({ id: 2, method: 'run', args: { settings: {} as never } });
  handle({ id: 2, method: 'cancel' });
  expect(await answerTo(2)).toMatchObject({ kind: 'failure', failure: { code: 'cancelled' } });
});

test('a file that has vanished is named', async () => {
  const { handle, answerTo } = setUp();
  handle(open);
  const file = { arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotFoundError')) };
  handle({ id: 2, method: 'load_zip', args: { file: { path: 'images.zip', file: file as never } } });
  expect(await answerTo(2)).toMatchObject({ kind: 'failure', failure: { code: 'unreadable' } });
});
