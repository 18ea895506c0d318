import { expect, test, vi } from 'vitest';
import { createHandler } from './handler';
import type { BackendInUse, FromWorker, ToWorker } from './protocol';
import { cpuOnly, files } from './testing';

function setUp(around = cpuOnly) {
  const sent: FromWorker[] = [];
  const transferred: Transferable[] = [];
  const handle = createHandler({
    send: (message, transfer = []) => {
      sent.push(message);
      transferred.push(...transfer);
    },
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
  return { handle: handle as (message: ToWorker) => void, answerTo, sent, transferred };
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
    threads: async () => 0,
    loadCore: () => Promise.reject(new WebAssembly.RuntimeError('unreachable')),
  });
  handle(open);
  expect(await answerTo(1)).toMatchObject({ kind: 'fault', failure: { message: 'unreachable' } });
});

test('a run that is cancelled while it waits never starts', async () => {
  const { handle, answerTo } = setUp();
  handle(open);
  handle({ id: 2, method: 'run', args: { settings: {} as never, crew: 0 } });
  handle({ id: 2, method: 'cancel' });
  expect(await answerTo(2)).toMatchObject({ kind: 'failure', failure: { code: 'cancelled' } });
});

test('whether another address can be reached is answered while the core is busy', async () => {
  const { handle, answerTo, sent } = setUp({ ...cpuOnly, loadCore: () => new Promise(() => {}) });
  handle(open);
  handle({ id: 2, method: 'try_outside', args: {} });
  expect(await answerTo(2)).toMatchObject({ kind: 'value', value: 'refused' });
  expect(sent).toHaveLength(1);
});

test('checkpoints of a run are handed over, not copied', async () => {
  const { handle, answerTo, sent, transferred } = setUp();
  handle(open);
  const opened = await answerTo(1);
  if (opened.kind !== 'value') throw new Error('The core did not open.');
  const { settings } = opened.value as BackendInUse;
  handle({ id: 2, method: 'add_network', args: { file: files.network('character') } });
  handle({ id: 3, method: 'add_network', args: { file: files.network('typeface') } });
  handle({ id: 4, method: 'load_zip', args: { file: files.zip } });
  handle({ id: 5, method: 'run', args: { settings: settings.quick, crew: 0 } });
  await answerTo(5);
  const checkpoints = sent.flatMap((message) =>
    message.kind === 'event' && 'kind' in message.event && message.event.kind === 'checkpoint'
      ? message.event.checkpoint
      : [],
  );
  expect(checkpoints.length).toBeGreaterThan(0);
  for (const { buffer } of checkpoints) expect(transferred).toContain(buffer);
});

test('a file that has vanished is named', async () => {
  const { handle, answerTo } = setUp();
  handle(open);
  const file = { size: 9, arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotFoundError')) };
  handle({ id: 2, method: 'load_zip', args: { file: { path: 'images.zip', file: file as never } } });
  expect(await answerTo(2)).toMatchObject({ kind: 'failure', failure: { code: 'unreadable' } });
});

test('a file that no page has room for is refused before it is read', async () => {
  const { handle, answerTo } = setUp();
  handle(open);
  const arrayBuffer = vi.fn();
  const file = { size: 3e9, arrayBuffer } as never;
  handle({ id: 2, method: 'load_zip', args: { file: { path: 'holiday.zip', file } } });
  const answer = await answerTo(2);
  expect(answer).toMatchObject({ kind: 'failure', failure: { code: 'too_large' } });
  expect(JSON.stringify(answer)).toContain('holiday.zip is too large: 2.8 GiB');
  expect(arrayBuffer).not.toHaveBeenCalled();
});
