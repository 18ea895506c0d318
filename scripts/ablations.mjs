// `npm run ablations`: plans of a bundled sample, trained in several ways, for several numbers of images, with several seeds. Runs
// that are there already are not made again.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { main, Problem, say } from './log.mjs';
import { root } from './paths.mjs';

const usage = `npm run ablations -- --plan [NAME=]RUN.json --out DIR [options]
  --sample NAME         (default: glyphs)
  --program FILE        the graftlab command line (default: on the path)
  --image-passes N,…    of every run (default: 20000)
  --seeds N             (default: 3)
  --only NAME,…         some of the ways
  --at-once N           runs side by side (default: one per core)`;

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
  'no activation after adapters': { search: { adapter_activation: false } },
  'random adapters': train({ start: 'random_adapters' }),
  'from scratch': train({ start: 'scratch' }),
};

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        plan: { type: 'string', multiple: true },
        out: { type: 'string' },
        sample: { type: 'string', default: 'glyphs' },
        program: { type: 'string', default: 'graftlab' },
        'image-passes': { type: 'string', default: '20000' },
        seeds: { type: 'string', default: '3' },
        only: { type: 'string' },
        'at-once': { type: 'string', default: String(cpus().length) },
      },
    });
    if (!values.plan || !values.out) throw new Error('--plan and --out are needed');
    const names = values.only?.split(',') ?? Object.keys(ways);
    const unknown = names.find((name) => !(name in ways));
    if (unknown)
      throw new Error(`there is no way '${unknown}'; the ways are ${Object.keys(ways).join(', ')}`);
    return {
      ...values,
      out: resolve(values.out),
      plans: values.plan.map((plan) => (plan.includes('=') ? plan.split('=') : ['plan', plan])),
      passes: values['image-passes'].split(',').map(Number),
      seeds: Number(values.seeds),
      names,
    };
  } catch (error) {
    throw new Problem(error.message, usage);
  }
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values) =>
  Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / Math.max(1, values.length - 1),
  );

const fileName = (...parts) => parts.join('-').replace(/[^a-z0-9]+/gi, '-');

/** Trains one plan in one way and answers with the report. */
async function trained({ plan: [label, file], name, passes, seed }, options) {
  const place = join(options.out, fileName(label, name, passes, seed));
  const report = join(place, 'run.json');
  if (!existsSync(report)) {
    mkdirSync(place, { recursive: true });
    const settings = join(place, 'settings.json');
    const { train: ours, ...rest } = ways[name];
    writeFileSync(settings, JSON.stringify({ seed, ...rest, train: { image_passes: passes, ...ours } }));
    const args = ['demo', '--sample', options.sample, '--settings', settings, '--plan', resolve(file)];
    const work = spawn(options.program, [...args, '--out', place], {
      cwd: root,
      env: { ...process.env, RAYON_NUM_THREADS: String(Math.max(1, cpus().length / options['at-once'])) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let told = '';
    work.stderr.on('data', (text) => {
      told = `${told}${text}`.slice(-2000);
    });
    const [status] = await once(work, 'close');
    if (status !== 0) throw new Problem(`${label}, ${name}, seed ${seed}: ${told.trim().split('\n').at(-1)}`);
  }
  return JSON.parse(readFileSync(report, 'utf8'));
}

async function run() {
  const options = readOptions();
  mkdirSync(options.out, { recursive: true });
  const rows = options.plans.flatMap((plan) =>
    options.names.flatMap((name) => options.passes.map((passes) => ({ plan, name, passes, reports: [] }))),
  );
  const work = rows.flatMap((row) => Array.from({ length: options.seeds }, (_, seed) => ({ row, seed })));
  const hand = async () => {
    for (let next = work.shift(); next; next = work.shift()) {
      const { row, seed } = next;
      row.reports[seed] = await trained({ ...row, seed }, options);
      const drop = row.reports[seed].worst_drop_points.toFixed(2);
      say(`${row.plan[0]}, ${row.name}, ${row.passes} images, seed ${seed}: ${drop}`);
    }
  };
  await Promise.all(Array.from({ length: Number(options['at-once']) }, hand));
  writeFileSync(join(options.out, 'README.md'), page(rows, options));
}

/** The worst of the tasks' drops: mean and standard deviation over the seeds. */
function worstDrop({ reports }) {
  const drops = reports.map((report) => report.worst_drop_points);
  return `${mean(drops).toFixed(2)} ± ${deviation(drops).toFixed(2)}`;
}

const tableOf = (head, rows) =>
  [head, head.map((_, at) => (at ? '--:' : '---')), ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');

/** Of one number of images every task, of several the worst drop of each. */
function page(rows, options) {
  const { tasks } = rows[0].reports[0];
  const label = ({ plan, name }) => (options.plans.length > 1 ? `${plan[0]}, ${name}` : name);
  const cost = ({ reports }) => `${(reports[0].plan.relative_macs * 100).toFixed(1)} %`;
  const dropOf = (report, task) => (report.tasks[task].test.original - report.tasks[task].test.merged) * 100;
  const ofOne = (row) => [
    label(row),
    cost(row),
    worstDrop(row),
    ...tasks.map((_, task) => mean(row.reports.map((report) => dropOf(report, task))).toFixed(2)),
    mean(row.reports.map((report) => report.seconds.train)).toFixed(0),
  ];
  const ofSeveral = (row) => [
    label(row),
    cost(row),
    ...rows.filter((other) => label(other) === label(row)).map(worstDrop),
  ];
  const table =
    options.passes.length > 1
      ? tableOf(
          ['', 'MACs', ...options.passes.map((passes) => `${passes} images`)],
          rows.filter(({ passes }) => passes === options.passes[0]).map(ofSeveral),
        )
      : tableOf(['', 'MACs', 'worst drop', ...tasks.map(({ name }) => name), 'seconds'], rows.map(ofOne));
  return `# Plans, trained in several ways

Written by \`npm run ablations\` with the sample \`${options.sample}\`, ${options.passes.join(', ')} image passes and \
${options.seeds} seeds. MACs relative to the originals apart. Drops on the test split in points: the worst of the tasks, mean and \
standard deviation over the seeds${options.passes.length > 1 ? '' : "; then each task's mean"}. \
Machine: ${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${options['at-once']} runs side by side.

${table}
`;
}

main(run);
