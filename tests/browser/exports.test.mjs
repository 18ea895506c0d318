// What can be taken along of a run: pictures, numbers, and the report.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { axeViolations, download, startLab } from './harness.mjs';
import { askForLittle, loadSmall, runSmall } from './small-run.mjs';

let lab;
let opened;
let report;
before(async () => {
  lab = await startLab();
  opened = await lab.openReady({ colorScheme: 'dark' });
  await loadSmall(opened.page);
  await askForLittle(opened.page);
  await opened.page.getByText('More ways to choose').click();
  await opened.page
    .locator('#search')
    .getByRole('radio', { name: /^Search/ })
    .check();
  await opened.page.getByRole('spinbutton', { name: 'Steps', exact: true }).fill('40');
  await runSmall(opened.page);
  report = JSON.parse(await download(opened.page, 'run.json'));
});
after(() => lab?.close());

/** A figure's file as text. */
async function take(heading, kind, name) {
  const { page } = opened;
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: `Save “${heading}” as ${kind}`, exact: true }).click(),
  ]);
  assert.equal(file.suggestedFilename(), name);
  return readFile(await file.path());
}

const rowsOf = (csv) => csv.toString().trim().split('\r\n').slice(1);

const figures = [
  ['Where could they join?', 'heat-map'],
  ['Loss', 'loss'],
  ['Accuracy on validation images', 'accuracy'],
  ['Learning rate', 'learning-rate'],
  ['Images per second', 'speed'],
  ['Where the search leaned', 'probabilities'],
  ['Cost against loss', 'pareto'],
  ['Networks before and after', 'plan'],
];

test('every chart can be had as a drawing that needs no style sheet, and as a picture', async () => {
  const { page, context } = opened;
  for (const [heading, name] of figures) {
    const svg = (await take(heading, 'SVG', `${name}.svg`)).toString();
    assert.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/, name);
    assert.doesNotMatch(svg, /var\(|class=|style=/, name);
    const other = await context.newPage();
    await other.goto(`data:image/svg+xml,${encodeURIComponent(svg)}`);
    const [width, height] = await other.evaluate(() => {
      const box = document.documentElement.getBBox();
      return [box.width, box.height];
    });
    assert.ok(width > 100 && height > 50, `${name}: ${width} × ${height}`);
    await other.close();
    const png = await take(heading, 'PNG', `${name}.png`);
    assert.equal(png.subarray(1, 4).toString(), 'PNG', name);
    assert.ok(png.length > 1000, name);
  }
  assert.equal(await page.locator('.paper').count(), 0);
});

test('the numbers behind the charts are those of run.json', async () => {
  const scores = rowsOf(await take('Where could they join?', 'CSV', 'heat-map.csv'));
  assert.equal(scores.length, report.candidates.length);
  const [, , , , agreement, kappa] = scores[0].split(',').map(Number);
  assert.ok(
    report.candidates.some((candidate) => candidate.agreement === agreement && candidate.kappa === kappa),
  );

  const plans = rowsOf(await take('Plans compared', 'CSV', 'plans.csv'));
  assert.equal(plans.length, report.judged.length);

  const losses = rowsOf(await take('Loss', 'CSV', 'loss.csv'));
  assert.equal(losses.at(-1).split(',')[0], String(report.curve.at(-1).step));

  const tasks = rowsOf(await take('Accuracy by task', 'CSV', 'accuracy-by-task.csv'));
  assert.deepEqual(
    tasks.map((row) => row.split(',').slice(0, 3)),
    report.tasks.map(({ name, test }) => [name, String(test.original), String(test.merged)]),
  );
  const steps = rowsOf(await take('Where the search leaned', 'CSV', 'probabilities.csv'));
  assert.equal(new Set(steps.map((row) => row.split(',')[0])).size, report.search_steps.length);
});

test('the points of the plot of plans open their plans, also from the keyboard', async () => {
  const { page } = opened;
  const points = page.getByRole('radiogroup', { name: 'Plans by cost and loss' }).getByRole('radio');
  assert.ok((await points.count()) >= 2);
  const chosen = page.getByRole('radio', { name: /, chosen$/ });
  assert.equal(await chosen.isChecked(), true);
  await chosen.focus();
  await page.keyboard.press('ArrowDown');
  const other = page.locator('#run input[type=radio]:focus');
  const [, cost] = (await other.getAttribute('aria-label')).match(/: (.+) of the cost/);
  await page.locator('#run .pareto').getByText(`${cost} of the cost`).waitFor();
  assert.equal(await chosen.isChecked(), false);
});

test('the layers between join points tell their shapes and their cost', async () => {
  const { page } = opened;
  const joined = page.locator('#results').getByRole('application', { name: /^Joined/ });
  await joined.focus();
  const note = page.locator('#piece-note');
  await note.getByText('Point at a stretch').waitFor();
  await page.keyboard.press('ArrowRight');
  assert.match(await note.textContent(), /from the image to 1/);
  assert.match(await note.textContent(), /1 × 8 × 8 → .* MACs/);
  await page.keyboard.press('ArrowRight');
  assert.match(await note.textContent(), /from 1 to 2/);
  assert.deepEqual(await axeViolations(page), []);
});

test('the run can be gone through again like a film', async () => {
  const { page } = opened;
  const run = page.locator('#run');
  await run.getByRole('button', { name: 'Replay' }).click();
  const film = run.getByRole('slider', { name: 'Go through the run' });
  assert.equal(await film.getAttribute('aria-valuetext'), 'Joins are scored');
  await run.getByText('Scores appear here.').waitFor();
  assert.equal(await run.locator('.pareto').count(), 0);
  await film.fill('0.5');
  await run.getByRole('heading', { name: 'Where the search leans' }).waitFor();
  await film.fill('1');
  assert.equal(await film.getAttribute('aria-valuetext'), 'The joined network learns');
  await run.locator('.pareto').waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await run.getByRole('button', { name: 'End the replay' }).click();
  assert.equal(await run.getByRole('heading', { name: 'Where the search leans' }).count(), 0);
});

test('the report is one page that needs nothing else', async () => {
  const { page } = opened;
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'report.html' }).click(),
  ]);
  const html = (await readFile(await file.path())).toString();
  const context = await lab.browser.newContext({ offline: true });
  const reader = await context.newPage();
  const asked = [];
  reader.on('request', ({ url }) => asked.push(url()));
  await reader.setContent(html);
  assert.deepEqual(asked, []);
  assert.equal(await reader.locator('figure').count(), figures.length);
  assert.equal(await reader.locator('script').count(), 0);
  const text = await reader.locator('body').textContent();
  for (const { name } of report.tasks) assert.ok(text.includes(name));
  assert.match(text, /train\.temperature\s*4/);
  assert.match(await reader.locator('#python').textContent(), /^import json\n/);
  assert.deepEqual(await axeViolations(reader), []);
  await context.close();
});
