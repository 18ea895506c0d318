// Programs that use merged.onnx elsewhere. What they need to know of it they read from the file, as far as it tells.
import type { Report } from '../worker/core';

/** Python with onnxruntime; also needs numpy and Pillow. Prints one line per task. */
export const pythonSnippet = `import json
import sys

import numpy as np
import onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession("merged.onnx")
image = session.get_inputs()[0]
_, channels, height, width = image.shape
tasks = json.loads(session.get_modelmeta().custom_metadata_map["graftlab.tasks"])

picture = Image.open(sys.argv[1]).convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
pixels = np.asarray(picture, dtype=np.float32)
if channels == 1:
    pixels = (pixels @ np.float32([0.2126, 0.7152, 0.0722])).round()[..., None]
# Values from 0 to 255, as images × channels × height × width.
pixels = pixels.transpose(2, 0, 1)[None]


def told(task, scores):
    named = list(zip(task["classes"], scores.tolist()))
    if task.get("kind") == "values":
        return dict(named)
    if task.get("kind") == "labels":
        # As shares from 0 to 1, or as logits.
        least = 0.5 if 0 <= scores.min() and scores.max() <= 1 else 0
        return [name for name, score in named if score > least]
    return task["classes"][scores.argmax()]


for task in tasks:
    scores = session.run([task["output"]], {image.name: pixels})[0][0]
    print(f"{task['name']}: {told(task, scores)}")
`;

/** JavaScript for a page with onnxruntime-web. `size`: channels, height and width. */
export function javascriptSnippet(
  tasks: Report['tasks'],
  [channels, height, width]: readonly [number, number, number],
): string {
  const known = Object.fromEntries(
    tasks.map(({ name, kind = 'class', classes }) => [name, { kind, classes }]),
  );
  return `import * as ort from 'onnxruntime-web';

const [channels, height, width] = [${channels}, ${height}, ${width}];
const tasks = ${JSON.stringify(known)};

function told({ kind, classes }, scores) {
  if (kind === 'values') return Object.fromEntries(classes.map((name, index) => [name, scores[index]]));
  if (kind === 'labels') {
    // As shares from 0 to 1, or as logits.
    const least = scores.every((score) => score >= 0 && score <= 1) ? 0.5 : 0;
    return classes.filter((_, index) => scores[index] > least);
  }
  return classes[scores.indexOf(Math.max(...scores))];
}

/** The class, labels or values of an image, a Blob or a File, for every task. */
export async function classify(session, image) {
  const bitmap = await createImageBitmap(image, { resizeWidth: width, resizeHeight: height });
  const canvas = new OffscreenCanvas(width, height).getContext('2d');
  canvas.drawImage(bitmap, 0, 0);
  const { data } = canvas.getImageData(0, 0, width, height);
  const size = width * height;
  // Values from 0 to 255, as images × channels × height × width.
  const pixels = new Float32Array(channels * size);
  for (let at = 0; at < size; at++) {
    const [red, green, blue] = data.subarray(4 * at);
    if (channels === 1) pixels[at] = Math.round(0.2126 * red + 0.7152 * green + 0.0722 * blue);
    else [red, green, blue].forEach((value, channel) => { pixels[channel * size + at] = value; });
  }
  const input = new ort.Tensor('float32', pixels, [1, channels, height, width]);
  const outputs = await session.run({ [session.inputNames[0]]: input });
  return Object.fromEntries(
    session.outputNames.map((name) => [name, told(tasks[name], [...outputs[name].data])]),
  );
}

// const session = await ort.InferenceSession.create('merged.onnx');
// console.log(await classify(session, file));
`;
}
