// What the processes that a script has started hold in memory. Linux only: it is read from /proc.
import { readdirSync, readFileSync } from 'node:fs';

/** Resident memory in MiB of the processes below this one, by what a browser says they are (`renderer`, `gpu-process`). */
export function memoryByProcess() {
  const processes = new Map();
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      // The name, in parentheses, may hold anything.
      const [, parent] = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ').at(-1).split(' ');
      const pages = Number(readFileSync(`/proc/${id}/statm`, 'utf8').split(' ')[1]);
      const type = readFileSync(`/proc/${id}/cmdline`, 'utf8').match(/--type=([\w-]+)/)?.[1] ?? 'browser';
      processes.set(Number(id), { parent: Number(parent), type, bytes: pages * 4096 });
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (id) => id === process.pid || (processes.has(id) && isBelow(processes.get(id).parent));
  const sums = {};
  for (const [id, { type, bytes }] of processes)
    if (id !== process.pid && isBelow(id)) sums[type] = (sums[type] ?? 0) + bytes / 2 ** 20;
  return sums;
}

/** What the parts of `memoryByProcess()` hold together. */
export const together = (parts) => Object.values(parts).reduce((sum, part) => sum + part, 0);
