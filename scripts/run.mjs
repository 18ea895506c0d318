// Starting other programs, with their output in a log file.
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { Problem } from './log.mjs';
import { logs, root } from './paths.mjs';

export const logFile = (name) => join(logs, `${name}.log`);

export function tail(file, lines = 60) {
  if (!existsSync(file)) return '';
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

/**
 * Runs a program to its end; stdout and stderr go to the log file `log`, which is started anew unless `append`.
 * Resolves to the exit code (null: it could not start, or ran past `seconds`).
 */
export async function attempt(command, args, { log, env, cwd = root, seconds, append = false, input }) {
  const file = logFile(log);
  mkdirSync(dirname(file), { recursive: true });
  const out = createWriteStream(file, { flags: append ? 'a' : 'w' });
  out.write(`$ ${[command, ...args].join(' ')}\n`);
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  if (input !== undefined) child.stdin.end(input);
  child.stdout.pipe(out, { end: false });
  child.stderr.pipe(out, { end: false });
  const limit = seconds && setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
  const code = await new Promise((resolve) => {
    child.on('error', (error) => {
      out.write(`${error.message}\n`);
      resolve(null);
    });
    child.on('close', resolve);
  });
  clearTimeout(limit);
  if (code === null) out.write(`(did not start, or was stopped${seconds ? ` after ${seconds} s` : ''})\n`);
  await new Promise((resolve) => out.end(resolve));
  return code;
}

/** As `attempt`, but anything except success is a `Problem` with the end of the log and a hint. */
export async function run(command, args, options) {
  const code = await attempt(command, args, options);
  if (code === 0) return;
  const file = logFile(options.log);
  throw new Problem(
    `${tail(file)}\n\n${command} failed; all its output is in ${relative(root, file)}`,
    options.hint,
  );
}

/** The trimmed output of a short command, or null when it fails or isn't there. */
export function ask(command, args, { env, seconds = 60 } = {}) {
  const done = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: seconds * 1000,
  });
  return done.status === 0 ? done.stdout.trim() : null;
}

/** The full path of a program on PATH, or null. */
export function which(name, path = process.env.PATH ?? '') {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    try {
      if (statSync(file).isFile() && statSync(file).mode & 0o111) return file;
    } catch {
      // not in this folder
    }
  }
  return null;
}
