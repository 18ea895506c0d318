// Answers the page's requests with the core. One request at a time, for the core has one state; only what urges a run
// overtakes.
import { openBackend, openBeside, type Surroundings } from './backend';
import { timings } from './benchmark';
import type { Outcome, Session } from './core';
import { CoreFailure, isFault, toFailure } from './failure';
import type {
  Args,
  FromWorker,
  Method,
  NamedFile,
  OutsideAnswer,
  Request,
  RunNews,
  ToWorker,
  Value,
} from './protocol';

/** Milliseconds. */
const progressEvery = 60;

/** What the handler needs from the worker it runs in. */
export interface Host {
  send(message: FromWorker, transfer?: Transferable[]): void;
  surroundings(base: string): Surroundings;
  tryOutside(): Promise<OutsideAnswer>;
}

export function createHandler(host: Host): (message: ToWorker) => void {
  let session: Session | null = null;
  /** Gives the core what decodes images. */
  let giveDecoder: (() => Promise<void>) | null = null;
  let running: number | null = null;
  /** Plans of the run that other workers judge. */
  const errands = new Map<number, { resolve(drop: number): void; reject(): void }>();
  let queue: Promise<void> = Promise.resolve();
  const cancelled = new Set<number>();

  function opened(): Session {
    if (!session) throw new CoreFailure({ code: 'not_open', message: 'The core has not been started.' });
    return session;
  }

  /** The session, ready to decode images. */
  async function forImages(): Promise<Session> {
    await giveDecoder?.();
    return opened();
  }

  async function answer(request: Request): Promise<Value<Method>> {
    switch (request.method) {
      case 'open': {
        const { base, wish, beside } = request.args;
        const around = host.surroundings(base);
        const { core, inUse, ...result } = await (beside
          ? openBeside(beside, around)
          : openBackend(wish, around));
        session = result.session;
        giveDecoder = async () => core.useDecoder(await around.loadDecoder());
        // Beside another worker it is for a run, during which nothing is asked of the server.
        if (beside) await giveDecoder();
        return inUse;
      }
      case 'add_network': {
        const { file, options } = request.args;
        return opened().addNetwork(file.path, await bytesOf(file), options);
      }
      case 'gather':
        return gather(opened(), request.args.file, request.args.beside);
      case 'remove_network':
        opened().removeNetwork(request.args.index);
        return null;
      case 'load_zip':
        return (await forImages()).loadZip(await bytesOf(request.args.file), reading(request.id));
      case 'load_files':
        return (await forImages()).loadFiles(await readAll(request.args.files), reading(request.id));
      case 'data_card':
        return opened().dataCard();
      case 'run':
        return run(request.id, opened(), request.args);
      case 'judge':
        return opened().judge(request.args.errand);
      case 'pictures':
        return opened().pictures(Uint32Array.from(request.args.indices));
      case 'compare_with':
        opened().compareWith(request.args.merged);
        return null;
      case 'answers':
        return opened().answers(reading(request.id));
      case 'ask':
        return opened().ask(await bytesOf({ path: 'The image', file: request.args.image }));
      case 'benchmark':
        return timings(opened(), await bytesOf(request.args.file));
      case 'try_outside':
        return host.tryOutside();
    }
  }

  /** Tells how far the reading is, not for every image. */
  function reading(id: number): (done: number, total: number) => void {
    let last = Number.NEGATIVE_INFINITY;
    return (done, total) => {
      const now = performance.now();
      if (now - last < progressEvery && done < total) return;
      last = now;
      host.send({ id, kind: 'event', event: { done, total } });
    };
  }

  async function run(id: number, core: Session, { settings, resume, crew }: Args<'run'>): Promise<Outcome> {
    if (cancelled.delete(id)) throw new CoreFailure({ code: 'cancelled', message: 'The run was stopped.' });
    running = id;
    const tell = (event: RunNews, transfer?: Transferable[]) =>
      host.send({ id, kind: 'event', event }, transfer);
    const keep = (checkpoint: Uint8Array) => tell({ kind: 'checkpoint', checkpoint }, [checkpoint.buffer]);
    const send = (errand: string) =>
      new Promise<number>((resolve, reject) => {
        const number = errands.size;
        errands.set(number, { resolve, reject });
        tell({ kind: 'errand', number, errand });
      });
    try {
      return await core.run(settings, (event) => tell(event), keep, resume, { size: crew, send });
    } finally {
      running = null;
      errands.clear();
      cancelled.delete(id);
    }
  }

  async function handle(request: Request): Promise<void> {
    const { id } = request;
    try {
      const value = await answer(request);
      host.send({ id, kind: 'value', value }, transferable(value));
    } catch (error) {
      host.send({ id, kind: isFault(error) ? 'fault' : 'failure', failure: toFailure(error) });
    }
  }

  return (message) => {
    if ('args' in message && message.method === 'try_outside') {
      // It needs no core, and is not to wait for a run.
      void handle(message);
    } else if ('args' in message) {
      queue = queue.then(() => handle(message));
    } else if (message.id === running) {
      if (message.method === 'errand_done') {
        const errand = errands.get(message.number);
        if (message.drop === null) errand?.reject();
        else errand?.resolve(message.drop);
      } else if (message.method === 'pause') session?.pause(message.paused);
      else if (message.method === 'cancel') session?.cancel();
      else session?.keepCheckpoint();
    } else if (message.method === 'cancel') {
      cancelled.add(message.id);
    }
  };
}

/** What the core takes at once; no page has room for much more. */
const mostBytes = 2 ** 30;

function checkSize(what: string, bytes: number): void {
  if (bytes <= mostBytes) return;
  const message = `${what} is too large: ${(bytes / 2 ** 30).toFixed(1)} GiB, where 1 GiB is the most.`;
  const hint = 'Bring fewer images, or smaller ones; a network must be smaller, too.';
  throw new CoreFailure({ code: 'too_large', message, hint });
}

async function bytesOf({ path, file }: NamedFile): Promise<Uint8Array> {
  checkSize(path, file.size);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    const message = `${path} can't be read any more.`;
    const hint = 'It was moved or changed after it was chosen. Choose it again.';
    throw new CoreFailure({ code: 'unreadable', message, hint });
  }
}

/** Files are found by their name; where several have it, by their whole path. */
async function gather(session: Session, file: NamedFile, beside: NamedFile[]): Promise<Value<'gather'>> {
  const bytes = await bytesOf(file);
  const folder = file.path.slice(0, file.path.lastIndexOf('/') + 1);
  const found = session.externalFiles(file.path, bytes).flatMap((path) => {
    const named = beside.filter((other) => nameOf(other.path) === nameOf(path));
    const match = named.find((other) => other.path === folder + path) ?? named[0];
    return match ? [{ path, match }] : [];
  });
  if (found.length === 0) return { file, used: [] };
  const files = [];
  for (const { path, match } of found) files.push({ path, bytes: await bytesOf(match) });
  const whole = session.withExternalFiles(file.path, bytes, files);
  return {
    file: { path: file.path, file: new Blob([whole as Uint8Array<ArrayBuffer>]) },
    used: found.map(({ match }) => match.path),
  };
}

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

async function readAll(files: NamedFile[]): Promise<{ path: string; bytes: Uint8Array }[]> {
  checkSize(
    'The folder',
    files.reduce((sum, { file }) => sum + file.size, 0),
  );
  const read = [];
  for (const file of files) read.push({ path: file.path, bytes: await bytesOf(file) });
  return read;
}

/** The files of an outcome are handed over, not copied. */
function transferable(value: Value<Method>): Transferable[] {
  return value !== null && typeof value === 'object' && 'onnx' in value
    ? [value.onnx, value.safetensors, ...(value.graft ? [value.graft] : [])].map(({ buffer }) => buffer)
    : [];
}
