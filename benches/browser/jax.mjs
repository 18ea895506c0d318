// The networks in jax-js, jit-compiled. Arrays are counted: what is used again is passed as `.ref`.
import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import { adam, inputs, statisticsMomentum } from './inputs.mjs';

const perChannel = (vector) => vector.reshape([1, -1, 1, 1]);

const operators = {
  Conv({ strides, pads: [top, left, bottom, right], group }, [x, weight, bias]) {
    const pads = [
      [top, bottom],
      [left, right],
    ];
    const output = lax.convGeneralDilated(x, weight, strides, pads, { featureGroupCount: group });
    return bias ? output.add(perChannel(bias)) : output;
  },
  BatchNormalization({ epsilon }, [x, scale, bias, mean, variance], statistics) {
    let centred;
    let spread = variance;
    if (statistics) {
      const batchMean = np.mean(x.ref, [0, 2, 3]);
      centred = x.sub(perChannel(batchMean.ref));
      spread = np.mean(np.square(centred.ref), [0, 2, 3]);
      statistics.push(follow(mean, batchMean), follow(variance, spread.ref));
    } else {
      centred = x.sub(perChannel(mean));
    }
    const factor = scale.div(np.sqrt(spread.add(epsilon)));
    return centred.mul(perChannel(factor)).add(perChannel(bias));
  },
  Relu: (_, [x]) => nn.relu(x),
  Clip: ({ low, high }, [x]) => np.clip(x, low, high),
  Add: (_, [a, b]) => a.add(b),
  MaxPool({ kernel, strides, pads }, [x]) {
    if (pads.some((pad) => pad !== 0)) throw new Error('MaxPool with padding is not written here');
    return lax.reduceWindow(x, np.max, kernel, strides);
  },
  GlobalAveragePool: (_, [x]) => np.mean(x, [2, 3], { keepdims: true }),
  Flatten: (_, [x]) => x.reshape([x.shape[0], -1]),
  Gemm: ({ transposed }, [x, weight, bias]) =>
    np.matmul(x, transposed ? weight.transpose() : weight).add(bias),
};

/** Running statistics after a batch. */
const follow = (running, batch) =>
  running.mul(1 - statisticsMomentum).add(lax.stopGradient(batch).mul(statisticsMomentum));

/** Logits. Takes over the arrays of `weights`, each of which one node reads. */
function run(network, weights, images, statistics) {
  const uses = new Map();
  for (const id of network.nodes.flatMap(({ inputs }) => inputs)) uses.set(id, (uses.get(id) ?? 0) + 1);
  const values = new Map([...weights, [network.input, images]]);
  const take = (id) => {
    uses.set(id, uses.get(id) - 1);
    return uses.get(id) > 0 ? values.get(id).ref : values.get(id);
  };
  for (const node of network.nodes) {
    // The bounds of a Clip are in the node; nothing else reads them.
    const inputs = node.op === 'Clip' ? node.inputs.slice(0, 1) : node.inputs;
    values.set(node.output, operators[node.op](node, inputs.map(take), statistics));
  }
  return values.get(network.output);
}

const crossEntropy = (logits, labels) =>
  nn
    .logSoftmax(logits)
    .mul(labels)
    .sum()
    .mul(-1 / logits.shape[0]);

const zip = (ids, arrays) => ids.map((id, index) => [id, arrays[index]]);
const refs = (arrays) => arrays.map((array) => array.ref);

export async function open(backend, source, batch) {
  const network = await source.layers();
  const { images, pixels, labels, oneHot } = inputs(network, batch);
  if (!(await init(backend)).includes(backend))
    throw new Error(`jax-js could not start its ${backend} backend`);
  defaultDevice(backend);
  const array = ({ values, shape }) => np.array(values).reshape(shape);
  const x = array({ values: pixels, shape: images });
  const y = array({ values: oneHot, shape: labels });

  const layers = network.nodes.filter(({ op }) => op !== 'Clip');
  const running = layers.flatMap(({ op, inputs }) => (op === 'BatchNormalization' ? inputs.slice(3) : []));
  const used = new Set(layers.flatMap(({ inputs }) => inputs));
  const trained = [...network.weights.keys()].filter((id) => used.has(id) && !running.includes(id));
  const make = (ids) => ids.map((id) => array(network.weights.get(id)));
  const given = [make(trained), make(running)];

  const forward = jit((parameters, statistics, x, y) => {
    const weights = [...zip(trained, parameters), ...zip(running, statistics)];
    return crossEntropy(run(network, weights, x), y);
  });

  const loss = (parameters, statistics, x, y) => {
    const after = [];
    const weights = [...zip(trained, parameters), ...zip(running, statistics)];
    const logits = run(network, weights, x, after);
    return [crossEntropy(logits, y), after];
  };

  // `corrections` are 1 - beta^t of both moments.
  const update = jit((parameters, statistics, first, second, corrections, x, y) => {
    const [[value, after], gradients] = valueAndGrad(loss, { hasAux: true })(
      refs(parameters),
      statistics,
      x,
      y,
    );
    const next = { parameters: [], first: [], second: [] };
    for (const [index, parameter] of parameters.entries()) {
      const gradient = gradients[index];
      const m = first[index].mul(adam.beta1).add(gradient.ref.mul(1 - adam.beta1));
      const v = second[index].mul(adam.beta2).add(np.square(gradient).mul(1 - adam.beta2));
      const direction = m.ref
        .div(corrections[0].ref)
        .div(np.sqrt(v.ref.div(corrections[1].ref)).add(adam.epsilon));
      next.parameters.push(parameter.sub(direction.mul(adam.learningRate)));
      next.first.push(m);
      next.second.push(v);
    }
    for (const correction of corrections) correction.dispose();
    return { ...next, statistics: after, value };
  });

  const zeros = () => trained.map((id) => np.zeros(network.weights.get(id).shape));
  let state = { parameters: refs(given[0]), statistics: refs(given[1]), first: zeros(), second: zeros() };
  let time = 0;
  return {
    async forward() {
      return (await forward(refs(given[0]), refs(given[1]), x.ref, y.ref).data())[0];
    },
    async step() {
      time += 1;
      const corrections = [adam.beta1, adam.beta2].map((beta) => np.array(1 - beta ** time));
      const { parameters, statistics, first, second } = state;
      const { value, ...next } = update(parameters, statistics, first, second, corrections, x.ref, y.ref);
      // The loss is ready before the weights are.
      state = await blockUntilReady(next);
      return (await value.data())[0];
    },
  };
}
