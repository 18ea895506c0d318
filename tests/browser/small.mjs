// Small networks, pictures and tables that a test makes for itself: ONNX's protobuf and PNG as far as they are needed.
import { crc32, deflateSync } from 'node:zlib';

// --- Protobuf

function varint(value) {
  const bytes = [];
  for (let left = value; ; left >>>= 7) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left & 127) | 128);
  }
}

const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);

/** A field of bytes, text, or a message given by its fields. */
function part(field, content) {
  const bytes = Array.isArray(content) ? Buffer.concat(content) : Buffer.from(content);
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

// --- ONNX; field numbers as in onnx.proto

const float = 1;
export const integers = (name, values) =>
  part(5, [part(1, name), ...values.map((value) => number(8, value)), number(20, 7)]);
const integer = (name, value) => part(5, [part(1, name), number(3, value), number(20, 2)]);

export const node = (operator, inputs, output, { name = '', domain = '', attributes = [] } = {}) =>
  part(1, [
    ...inputs.map((input) => part(1, input)),
    part(2, output),
    part(3, name),
    part(4, operator),
    ...attributes,
    part(7, domain),
  ]);

export const weight = (name, shape, value) => {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, value);
  return part(5, [
    ...shape.map((size) => number(1, size)),
    number(2, float),
    part(8, name),
    part(9, Buffer.from(values.buffer)),
  ]);
};

/** A weight that is the whole of another file. */
const outside = (name, shape, location) =>
  part(5, [
    ...shape.map((size) => number(1, size)),
    number(2, float),
    part(8, name),
    part(13, [part(1, 'location'), part(2, location)]),
    number(14, 1),
  ]);

/** An input or output; the first axis is the batch. */
const tensor = (field, [name, ...axes]) => {
  const dimensions = [part(1, [part(2, 'batch')]), ...axes.map((size) => part(1, [number(1, size)]))];
  return part(field, [part(1, name), part(2, [part(1, [number(1, float), part(2, dimensions)])])]);
};

/** An ONNX file, whether or not it makes sense. `inputs` and `outputs`: a name, then the axes after the batch. */
export function model({ nodes, inputs = [['image', 1, 8, 8]], outputs, weights = [], task, classes }) {
  const tasks = JSON.stringify([{ name: task, output: outputs[0][0], classes }]);
  const metadata = { 'graftlab.tasks': tasks, 'graftlab.pixels': 'unit' };
  return Buffer.concat([
    number(1, 8),
    part(7, [
      ...nodes,
      part(2, task),
      ...weights,
      ...inputs.map((input) => tensor(11, input)),
      ...outputs.map((output) => tensor(12, output)),
    ]),
    part(8, [part(1, ''), number(2, 17)]),
    ...Object.entries(metadata).map(([key, value]) => part(14, [part(1, key), part(2, value)])),
  ]);
}

/** Even draws from −1 to 1, always the same ones. */
function draws(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** What the first convolution of a network may have in a file of its own. */
export const firstWeight = (width = 8) => Buffer.from(new Float32Array(width * 9).fill(0.1).buffer);

/**
 * Two convolutions, pooling and a linear layer over 8 × 8 grey images, with random weights; those of the first convolution
 * in the file `beside`, if it is said.
 */
export function network(task, classes, { width = 8, seed = 1, beside } = {}) {
  const draw = draws(seed);
  const pads = integers('pads', [1, 1, 1, 1]);
  const halves = [integers('kernel_shape', [2, 2]), integers('strides', [2, 2])];
  return model({
    task,
    classes,
    nodes: [
      node('Conv', ['image', 'first'], 'c1', { attributes: [pads] }),
      node('Relu', ['c1'], 'r1'),
      node('MaxPool', ['r1'], 'p1', { attributes: halves }),
      node('Conv', ['p1', 'second'], 'c2', { attributes: [pads] }),
      node('Relu', ['c2'], 'r2'),
      node('GlobalAveragePool', ['r2'], 'average'),
      node('Flatten', ['average'], 'flat'),
      node('Gemm', ['flat', 'classifier'], 'logits', { attributes: [integer('transB', 1)] }),
    ],
    outputs: [['logits', classes.length]],
    weights: [
      beside ? outside('first', [width, 1, 3, 3], beside) : weight('first', [width, 1, 3, 3], draw),
      weight('second', [width, width, 3, 3], draw),
      weight('classifier', [classes.length, width], draw),
    ],
  });
}

// --- Images and labels

function chunk(name, content) {
  const body = Buffer.concat([Buffer.from(name), content]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(content.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A square grey picture as PNG. */
function png(size, pixel) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header[8] = 8;
  const rows = Array.from({ length: size }, () => Buffer.from([0, ...Array.from({ length: size }, pixel)]));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Dark and bright noise in turn, as `images/NNN.png`. */
export function pictures(count = 80) {
  const draw = draws(7);
  const one = (at) => png(8, () => Math.floor(50 + 50 * draw()) + 150 * (at % 2));
  return Array.from({ length: count }, (_, at) => [`images/${String(at).padStart(3, '0')}.png`, one(at)]);
}

/** A labels.csv for `pictures`, with the tasks shade and parity. */
export const table = (images) =>
  [
    'file,shade,parity',
    ...images.map(([name], at) => `${name},${['dark', 'bright'][at % 2]},${['even', 'odd'][(at >> 1) % 2]}`),
    '',
  ].join('\n');
