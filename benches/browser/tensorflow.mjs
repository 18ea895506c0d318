// The networks in TensorFlow.js, in its own layout: [batch, height, width, channels].
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgpu';
import { adam, inputs, statisticsMomentum } from './inputs.mjs';

/** Padding as TensorFlow.js takes it: one number. */
function padding({ op, pads }) {
  if (pads.some((pad) => pad !== pads[0])) throw new Error(`${op} with uneven padding is not written here`);
  return pads[0];
}

const isDepthwise = ({ group }) => group > 1;

const operators = {
  Conv(node, [x, weight, bias]) {
    const convolve = isDepthwise(node) ? tf.depthwiseConv2d : tf.conv2d;
    const output = convolve(x, weight, node.strides, padding(node));
    return bias ? tf.add(output, bias) : output;
  },
  BatchNormalization(node, [x, scale, bias, mean, variance], statistics) {
    if (!statistics) return tf.batchNorm(x, mean, variance, bias, scale, node.epsilon);
    const batch = tf.moments(x, [0, 1, 2]);
    statistics.push([mean, tf.keep(batch.mean)], [variance, tf.keep(batch.variance)]);
    return tf.batchNorm(x, batch.mean, batch.variance, bias, scale, node.epsilon);
  },
  Relu: (_, [x]) => tf.relu(x),
  Clip: ({ low, high }, [x]) => tf.clipByValue(x, low, high),
  Add: (_, [a, b]) => tf.add(a, b),
  MaxPool: (node, [x]) => tf.maxPool(x, node.kernel, node.strides, padding(node)),
  GlobalAveragePool: (_, [x]) => tf.mean(x, [1, 2], true),
  Flatten: (_, [x]) => tf.reshape(x, [x.shape[0], -1]),
  Gemm: ({ transposed }, [x, weight, bias]) => tf.add(tf.matMul(x, weight, false, transposed), bias),
};

/** Logits. In training, batch statistics are used, and pushed to `statistics` with their running variables. */
function run(network, variables, images, statistics) {
  const values = new Map([[network.input, images]]);
  for (const node of network.nodes) {
    const operands = node.inputs.map((id) => values.get(id) ?? variables.get(id));
    values.set(node.output, operators[node.op](node, operands, statistics));
  }
  return values.get(network.output);
}

/** Weights as variables: convolutions [height, width, in, out], depthwise ones [height, width, channels, 1]. */
function makeVariables(network) {
  const kernels = new Map();
  const fixed = new Set();
  for (const { op, inputs, ...node } of network.nodes) {
    if (op === 'Conv') kernels.set(inputs[1], isDepthwise(node) ? [2, 3, 0, 1] : [2, 3, 1, 0]);
    if (op === 'BatchNormalization') for (const id of inputs.slice(3)) fixed.add(id);
  }
  const variables = new Map();
  for (const [id, { shape, values }] of network.weights) {
    const order = kernels.get(id);
    const variable = tf.tidy(() => {
      const tensor = tf.tensor(values, shape);
      return tf.variable(order ? tf.transpose(tensor, order) : tensor, !fixed.has(id));
    });
    variables.set(id, variable);
  }
  return variables;
}

const crossEntropy = (logits, labels) => tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), labels), 1)));

async function scalar(loss) {
  const [value] = await loss.data();
  loss.dispose();
  return value;
}

export async function open(backend, source, batch) {
  const network = await source.layers();
  const { images, pixels, labels, oneHot } = inputs(network, batch);
  setWasmPaths(new URL('tensorflow/', document.baseURI).href);
  if (!(await tf.setBackend(backend)))
    throw new Error(`TensorFlow.js could not start its ${backend} backend`);
  await tf.ready();
  const variables = makeVariables(network);
  const trained = [...variables.values()].filter(({ trainable }) => trainable);
  const x = tf.tidy(() => tf.transpose(tf.tensor(pixels, images), [0, 2, 3, 1]));
  const y = tf.tensor(oneHot, labels);
  const optimiser = tf.train.adam(adam.learningRate, adam.beta1, adam.beta2, adam.epsilon);
  return {
    forward: () => scalar(tf.tidy(() => crossEntropy(run(network, variables, x), y))),
    step() {
      const statistics = [];
      const loss = optimiser.minimize(
        () => crossEntropy(run(network, variables, x, statistics), y),
        true,
        trained,
      );
      for (const [running, batch] of statistics) {
        tf.tidy(() => running.assign(tf.add(running, tf.mul(tf.sub(batch, running), statisticsMomentum))));
        batch.dispose();
      }
      return scalar(loss);
    },
  };
}
