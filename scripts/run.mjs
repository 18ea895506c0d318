// Starting other programs, with their output in a log file.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { Problem } from './log.mjs';
import { logs, root } from './paths.mjs';

export const logFile = (name) => join(logs, `${name}.log`);

/** The last lines of a log, or of the part of it that `pick` answers. */
export function tail(file, { lines = 60, pick = (text) => text } = {}) {
  if (!existsSync(file)) return '';
  return pick(readFileSync(file, 'utf8')).trimEnd().split('\n').slice(-lines).join('\n');
}

// Each program leads a process group of its own, so that it ends with all that it started.
const running = new Set();
const endGroup = (child) => {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
};
process.on('exit', () => running.forEach(endGroup));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

/**
 * Runs a program to its end; stdout and stderr go to the log file `log`, which is started anew unless `append`.
 * Resolves to the exit code (null: it could not start, or ran past `seconds`).
 */
export async function attempt(command, args, { log, env, cwd = root, seconds, append = false }) {
  const file = logFile(log);
  mkdirSync(dirname(file), { recursive: true });
  const out = openSync(file, append ? 'a' : 'w');
  const note = (text) => writeSync(out, `${text}\n`);
  note(`$ ${[command, ...args].join(' ')}`);
  const options = { cwd, env: { ...process.env, ...env }, stdio: ['ignore', out, out], detached: true };
  const child = spawn(command, args, options);
  running.add(child);
  const limit = seconds && setTimeout(() => endGroup(child), seconds * 1000);
  const code = await new Promise((resolve) => {
    child.on('error', (error) => {
      note(error.message);
      resolve(null);
    });
    child.on('exit', resolve);
  });
  clearTimeout(limit);
  running.delete(child);
  if (code === null) note(`(it did not start, or was ended${seconds ? ` after ${seconds} s` : ''})`);
  closeSync(out);
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
