// Sets up what is missing. `npm run setup -- --dry-run` lists what is there and what would be done.
import { pathToFileURL } from 'node:url';
import { about, main, Problem, say, step } from './log.mjs';
import { things } from './tools.mjs';

const build = ['rust', 'npm', 'wasmTarget', 'bindgen', 'wasmPack'];

/** What each job needs. Binaryen and the browser driver come with the npm packages. */
export const needs = {
  build,
  rust: ['rust', 'lints'],
  wasm: build,
  web: build,
  page: [...build, 'chromium'],
  // Its tests compare with what Python writes.
  browser: [...build, 'chromium', 'python'],
  python: ['rust', 'python'],
};
needs.all = [...new Set(Object.values(needs).flat())];

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Problem(`Node ${process.versions.node} is too old.`, 'Install Node 20.19 or newer.');
}

/** Brings everything that the named jobs need; says only what it has to do. */
export async function setUp(...jobs) {
  checkNode();
  const wanted = new Set(jobs.flatMap((job) => needs[job]));
  for (const [id, thing] of Object.entries(things)) {
    if (!wanted.has(id) || thing.have()) continue;
    if (thing.minutes === 0) await thing.get();
    else await step(`Setting up ${thing.title}`, thing.minutes, thing.get);
  }
}

function dryRun(jobs) {
  const wanted = new Set(jobs.flatMap((job) => needs[job]));
  let minutes = 0;
  for (const [id, thing] of Object.entries(things)) {
    if (!wanted.has(id)) continue;
    const have = thing.have();
    if (have) {
      say(`have      ${thing.title}: ${have}`);
    } else if (thing.minutes === 0) {
      say(`MISSING   ${thing.title}: has to be installed by hand`);
    } else {
      minutes += thing.minutes;
      say(`would do  ${thing.title} (${about(thing.minutes)})`);
    }
  }
  say(minutes ? `\nIn all ${about(Math.max(1, minutes))} on two cores.` : '\nNothing to do.');
}

async function command() {
  const args = process.argv.slice(2);
  const jobs = args.filter((a) => !a.startsWith('--'));
  const unknown = [
    ...jobs.filter((j) => !(j in needs)),
    ...args.filter((a) => a.startsWith('--') && a !== '--dry-run'),
  ];
  if (unknown.length) {
    throw new Problem(
      `Unknown: ${unknown.join(', ')}`,
      `setup.mjs [--dry-run] [${Object.keys(needs).join('|')}]…`,
    );
  }
  if (jobs.length === 0) jobs.push('all');
  if (args.includes('--dry-run')) return dryRun(jobs);
  await setUp(...jobs);
  say('Everything is set up.');
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(command);
