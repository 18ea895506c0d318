// Pictures of a finished run of the glyph sample. `npm run screenshot` writes docs/lab.png; with a folder as its
// argument, also the narrow page and the dark colours, into that folder. dist/ has to be built before.
import { join } from 'node:path';
import { ready, startLab } from '../tests/browser/harness.mjs';
import { main, step } from './log.mjs';
import { root } from './paths.mjs';

const views = [
  { name: 'lab', width: 1280, colorScheme: 'light' },
  { name: 'lab-dark', width: 1280, colorScheme: 'dark' },
  { name: 'lab-narrow', width: 360, colorScheme: 'light' },
  { name: 'lab-narrow-dark', width: 360, colorScheme: 'dark' },
];

/** The part of the page from an element's upper to its lower edge, in full width. */
async function picture(page, selector, { name, width, colorScheme }, folder) {
  await page.setViewportSize({ width, height: 900 });
  await page.emulateMedia({ colorScheme });
  // Drawings take the new width in the frame after.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const box = await page.locator(selector).evaluate((element) => {
    const { top, height } = element.getBoundingClientRect();
    return { top: top + scrollY, height };
  });
  const clip = { x: 0, y: box.top, width, height: box.height };
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true, clip });
}

await main(async () => {
  const folder = process.argv[2];
  const lab = await startLab();
  try {
    const { page } = await lab.open({ locale: 'en-GB', reducedMotion: 'reduce' });
    await ready(page);
    await step('Running the glyph sample', 2.5, async () => {
      await page.getByRole('button', { name: 'Load and run: Glyphs' }).click();
      await page.locator('#results').waitFor({ timeout: 20 * 60_000 });
    });
    for (const view of folder ? views : views.slice(0, 1))
      await picture(page, '#results', view, folder ?? join(root, 'docs'));
  } finally {
    await lab.close();
  }
});
