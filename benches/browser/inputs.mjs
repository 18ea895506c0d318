// The images and labels of src/project/bench.rs.

export const adam = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-5 };
export const statisticsMomentum = 0.1;

/** Images `[batch, channels, height, width]` with pixels from 0 to 1, and a label per image. */
export function inputs({ image, classes }, batch) {
  let state = 1;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
  const [channels, height, width] = image;
  const pixels = Float32Array.from({ length: batch * channels * height * width }, () => draw() / 2 ** 24);
  const oneHot = new Float32Array(batch * classes);
  for (let row = 0; row < batch; row++) oneHot[row * classes + (draw() % classes)] = 1;
  return { batch, images: [batch, ...image], pixels, labels: [batch, classes], oneHot };
}
