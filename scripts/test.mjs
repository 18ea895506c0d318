// `npm test`: every check, each with its output in logs/, shown only when it fails. `npm test -- rust web` runs some.
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { checks, groups } from './checks.mjs';
import { claimTarget } from './claim.mjs';
import { duration, main, Problem, say, step } from './log.mjs';
import { nativeTarget, root } from './paths.mjs';
import { logFile, tail } from './run.mjs';
import { setUp } from './setup.mjs';

function wantedGroups() {
  const named = process.argv.slice(2);
  const unknown = named.filter((name) => !groups.includes(name));
  if (unknown.length)
    throw new Problem(`Unknown: ${unknown.join(', ')}`, `npm test -- [${groups.join('|')}]…`);
  return named.length ? groups.filter((group) => named.includes(group)) : groups;
}

/** Runs one check; answers how many of its tests passed and failed. */
async function judge(check) {
  const counts = { passed: 0, failed: 0 };
  try {
    await check.before?.();
    await step(check.title, check.minutes, async () => {
      Object.assign(counts, await check.work());
      const { passed, failed } = counts;
      if (failed) throw new Problem(`${failed} failed`);
      return passed === 1 ? undefined : `${passed} passed`;
    });
  } catch (error) {
    counts.failed ||= 1;
    show(check, error);
  }
  return counts;
}

function show(check, error) {
  const file = check.log && logFile(check.log);
  if (file && existsSync(file))
    say(`${tail(file, { lines: 120, pick: check.faults })}\n(all of it: ${relative(root, file)})\n`);
  else say(`${error instanceof Problem ? error.message : error.stack}\n`);
}

await main(async () => {
  const started = Date.now();
  const wanted = wantedGroups();
  await setUp(...wanted);
  claimTarget(nativeTarget);
  const total = { passed: 0, failed: 0 };
  const wrong = [];
  for (const check of checks.filter(({ group }) => wanted.includes(group))) {
    const { passed, failed } = await judge(check);
    total.passed += passed;
    total.failed += failed;
    if (failed) wrong.push(check.title);
  }
  say(`\n${duration(Date.now() - started)}${wrong.length ? `; failed: ${wrong.join('; ')}` : ''}`);
  say(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed ? 1 : 0;
});
