// Every step of the page, in both themes and from a phone to a wide screen.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axeViolations, startLab } from './harness.mjs';
import { askForLittle, loadSmall, runSmall } from './small-run.mjs';

let lab;
before(async () => {
  lab = await startLab();
});
after(() => lab?.close());

const widths = [360, 1024, 1600];

for (const [colorScheme, locale] of [
  ['light', 'en-GB'],
  ['dark', 'zh-TW'],
]) {
  test(`axe finds nothing on any step, and nothing is wider than the screen: ${colorScheme}, ${locale}`, {
    timeout: 400_000,
  }, async () => {
    const { page, context, problems } = await lab.openReady({ colorScheme });
    const look = async (where) => {
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 });
        // Charts learn of the new width a moment later.
        await page.waitForFunction(
          () => document.documentElement.scrollWidth <= document.documentElement.clientWidth,
          undefined,
          { timeout: 5000 },
        );
      }
      assert.deepEqual(await axeViolations(page), [], where);
    };
    await look('first view');
    await loadSmall(page);
    await askForLittle(page);
    await look('loaded');
    await runSmall(page);
    await page.getByRole('button', { name: 'Compare image by image' }).click();
    await page.getByRole('application', { name: /^Confusion matrix/ }).waitFor();
    await look('results');
    await page.locator('#start').click();
    await page.locator('#runs tbody tr').nth(1).waitFor({ timeout: 120_000 });
    for (const box of await page.locator('#runs').getByRole('checkbox').all()) await box.check();
    await look('past runs');
    if (locale === 'zh-TW') {
      await page.getByRole('button', { name: '繁體中文' }).click();
      await look('in Chinese');
    }
    assert.deepEqual(problems, []);
    await context.close();
  });
}

test('the tour leads along the page, and everything can be used meanwhile', async () => {
  const { page, context } = await lab.openReady();
  await page.getByRole('button', { name: 'Take the tour' }).click();
  const card = page.getByRole('dialog', { name: /^Tour/ });
  await card.getByText('1 of 6').waitFor();
  assert.equal(await card.evaluate((element) => element === document.activeElement), true);
  await card.getByRole('button', { name: 'Next' }).click();
  await card.getByText('2 of 6').waitFor();
  const inView = await page
    .locator('#data')
    .evaluate((element) => element.getBoundingClientRect().top < innerHeight);
  assert.ok(inView);
  assert.deepEqual(await axeViolations(page), []);
  await page.getByRole('radio', { name: 'Full' }).check();
  await page.keyboard.press('Escape');
  assert.equal(await card.count(), 0);
  await context.close();
});
