// What the processes that a script has started hold in memory. Linux only: it is read from /proc.
import { readdirSync, readFileSync } from 'node:fs';

/** Resident memory of all processes below this one, in MiB. */
export function memory() {
  const parents = new Map();
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      // The name, in parentheses, may hold anything.
      const [, parent] = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ').at(-1).split(' ');
      const pages = Number(readFileSync(`/proc/${id}/statm`, 'utf8').split(' ')[1]);
      parents.set(Number(id), { parent: Number(parent), bytes: pages * 4096 });
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (id) => id === process.pid || (parents.has(id) && isBelow(parents.get(id).parent));
  let bytes = 0;
  for (const [id, own] of parents) if (id !== process.pid && isBelow(id)) bytes += own.bytes;
  return bytes / 2 ** 20;
}
