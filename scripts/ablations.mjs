// `npm run ablations -- --out DIR`: one plan of the glyph sample, trained in other ways, with several seeds. Runs that are there
// already are not made again.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { main, Problem, say } from './log.mjs';
import { root } from './paths.mjs';

const usage = `npm run ablations -- --plan RUN.json --out DIR [options]
  --program FILE        the graftlab command line (default: on the path)
  --image-passes N      of every run (default: 20000)
  --seeds N             (default: 3)
  --only NAME,…         some of the ways`;

const train = (settings) => ({ train: settings });

/** What differs from the defaults, by name. */
export const ways = {
  'as by default': train({}),
  'without labels': { use_labels: false },
  'labels alone, no distillation': train({ distillation_weight: 0 }),
  'temperature 1': train({ temperature: 1 }),
  'with hints': train({ hint_weight: 1 }),
  'with self-distillation': train({ self_distillation_weight: 0.5 }),
  'all tasks weigh the same': train({ lagging_task_weight: 1 }),
  'fixed statistics': train({ fixed_statistics: true }),
  'trunk at a third of the learning rate': train({ trunk_learning_rate: 0.33 }),
  'learning rate 1e-3': train({ learning_rate: 1e-3 }),
  'images as they are': train({
    views: 1,
    augment: { shift_px: 0, rotate_deg: 0, scale: 0, brightness: 0, contrast: 0, noise: 0, flip: false },
  }),
  'random adapters': train({ start: 'random_adapters' }),
  'from scratch': train({ start: 'scratch' }),
};

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        plan: { type: 'string' },
        out: { type: 'string' },
        program: { type: 'string', default: 'graftlab' },
        'image-passes': { type: 'string', default: '20000' },
        seeds: { type: 'string', default: '3' },
        only: { type: 'string' },
      },
    });
    if (!values.plan || !values.out) throw new Error('--plan and --out are needed');
    return values;
  } catch (error) {
    throw new Problem(error.message, usage);
  }
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values) =>
  Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));

async function run() {
  const options = readOptions();
  const out = resolve(options.out);
  mkdirSync(out, { recursive: true });
  const names = options.only ? options.only.split(',') : Object.keys(ways);
  const rows = [];
  for (const name of names) {
    const reports = [];
    for (let seed = 0; seed < Number(options.seeds); seed += 1) {
      const place = join(out, `${name.replace(/[^a-z0-9]+/gi, '-')}-${options['image-passes']}-${seed}`);
      if (!existsSync(join(place, 'run.json'))) {
        mkdirSync(place, { recursive: true });
        const settings = join(place, 'settings.json');
        const { train: ours, ...rest } = ways[name];
        const training = { image_passes: Number(options['image-passes']), ...ours };
        writeFileSync(settings, JSON.stringify({ seed, ...rest, train: training }));
        const args = ['demo', '--settings', settings, '--plan', resolve(options.plan), '--out', place];
        const { status, stderr } = spawnSync(options.program, args, { cwd: root, encoding: 'utf8' });
        if (status !== 0) throw new Problem(`${name}, seed ${seed}: ${stderr.trim().split('\n').at(-1)}`);
      }
      reports.push(JSON.parse(readFileSync(join(place, 'run.json'), 'utf8')));
    }
    rows.push({ name, reports });
    say(`${name}: ${reports.map((report) => report.worst_drop_points.toFixed(2)).join(', ')}`);
  }
  writeFileSync(join(out, 'README.md'), page(rows, options));
}

function page(rows, options) {
  const { plan, tasks } = rows[0].reports[0];
  const line = ({ name, reports }) => {
    const drops = reports.map((report) => report.worst_drop_points);
    const each = tasks.map((_, task) =>
      mean(reports.map(({ tasks }) => (tasks[task].test.original - tasks[task].test.merged) * 100)).toFixed(2),
    );
    const seconds = mean(reports.map((report) => report.seconds.train)).toFixed(0);
    return `| ${name} | ${mean(drops).toFixed(2)} ± ${deviation(drops).toFixed(2)} | ${each.join(' | ')} | ${seconds} |`;
  };
  const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores`;
  return `# One plan, trained in other ways

Written by \`npm run ablations\`. One plan of the glyph sample (${(plan.relative_macs * 100).toFixed(1)} % of the originals' MACs), \
${options['image-passes']} image passes, ${options.seeds} seeds. Drops on the test split in points; the worst of the tasks, mean and \
standard deviation over the seeds, then each task's mean. Seconds of training on ${machine}, whatever else it did.

| | worst drop | ${tasks.map(({ name }) => name).join(' | ')} | seconds |
|---|--:|${tasks.map(() => '--:|').join('')}--:|
${rows.map(line).join('\n')}
`;
}

main(run);
