// A whole run within seconds: two small networks, 80 pictures, little training.
import { zip } from './pack.mjs';
import { network, pictures, table } from './small.mjs';

const images = pictures();

export const file = (name, buffer) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: Buffer.from(buffer),
});

export const small = {
  shade: network('shade', ['dark', 'bright']),
  parity: network('parity', ['even', 'odd'], { seed: 2 }),
  pictures: zip([...images, ['labels.csv', Buffer.from(table(images))]]),
};

/** Loads both networks and the pictures. */
export async function loadSmall(page) {
  const give = (area, ...files) => page.locator(`#${area} input[type=file]`).first().setInputFiles(files);
  await give('networks', file('shade.onnx', small.shade), file('parity.onnx', small.parity));
  await page.locator('.network').nth(1).waitFor();
  await give('data', file('pictures.zip', small.pictures));
  await page.locator('#data .total').getByText('80 images').waitFor();
}

/** Asks for little of everything, and for all that the networks cost. */
export async function askForLittle(page) {
  await page.getByText('All settings', { exact: false }).click();
  for (const [name, value] of [
    ['Calibration images', 24],
    ['Scoring images', 8],
    ['Plans compared', 2],
    ['Rounds', 1],
    ['Images in the last round', 64],
    ['Images', 320],
  ])
    await page.getByRole('spinbutton', { name, exact: true }).fill(String(value));
  await page.locator('#budget').fill('0.9');
}

/** Runs to the result. */
export async function runSmall(page) {
  await page.locator('#start').click();
  await page.locator('#results').waitFor({ timeout: 120_000 });
}
