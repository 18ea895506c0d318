// How test runners print their counts, and where in a long log they print what failed.

/** All numbers that a pattern captures in a text, added up. */
const sum = (text, pattern) =>
  [...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);

/** Each answers the numbers of tests that passed and failed, and the part of the log that tells what was wrong. */
export const runners = {
  cargo: {
    counts: (text) => [
      sum(text, /^test result: .*?(\d+) passed;/gm),
      sum(text, /^test result: .*? (\d+) failed;/gm),
    ],
    faults: (text) =>
      text
        .split(/^ +(?=Running |Doc-tests )/m)
        .filter((part) => /FAILED|^error/m.test(part))
        .join('')
        .replace(/^test .* \.\.\. ok\n/gm, ''),
  },
  node: {
    counts: (text) => [sum(text, /^# pass (\d+)/gm), sum(text, /^# (?:fail|cancelled) (\d+)/gm)],
    faults: (text) => (text.match(/^ *not ok [\s\S]*?^ *\.\.\.$/gm) ?? [text]).join('\n'),
  },
  vitest: {
    counts: (text) => [sum(text, /^ *Tests .*?(\d+) passed/gm), sum(text, /^ *Tests .*?(\d+) failed/gm)],
    faults: (text) => text,
  },
  pytest: {
    counts: (text) => [
      sum(text, /^.*?(\d+) passed.* in /gm),
      sum(text, /(\d+) (?:failed|errors?)\b.* in /gm),
    ],
    faults: (text) => text,
  },
};
