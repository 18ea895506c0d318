// Networks that the fake core knows, by the names of their files.
import type { JoinPointCard, NetworkCard } from '../core';

export interface Known {
  classes: string[];
  params: number;
  macs: number;
  accuracy: number;
  blocks: [channels: number, size: number, share: number][];
}

const letters = (from: string, count: number) =>
  Array.from({ length: count }, (_, i) => String.fromCharCode(from.charCodeAt(0) + i));

const vgg: Known['blocks'] = [
  [24, 32, 0.03],
  [24, 32, 0.28],
  [48, 16, 0.42],
  [48, 16, 0.62],
  [96, 8, 0.74],
  [96, 8, 0.91],
  [96, 4, 0.97],
  [128, 1, 0.985],
];
const resnet: Known['blocks'] = [
  [24, 32, 0.1],
  [24, 32, 0.33],
  [40, 16, 0.5],
  [40, 16, 0.66],
  [72, 8, 0.8],
  [72, 8, 0.96],
  [72, 1, 0.99],
];
const mobilenet: Known['blocks'] = [
  [16, 32, 0.09],
  [24, 32, 0.3],
  [40, 16, 0.47],
  [40, 16, 0.62],
  [64, 8, 0.76],
  [96, 8, 0.93],
  [96, 1, 0.98],
];

export const typeface: Known = {
  classes: ['serif', 'sans'],
  params: 174_000,
  macs: 6_600_000,
  accuracy: 0.948,
  blocks: resnet,
};

export const known: Record<string, Known> = {
  character: {
    classes: [...letters('0', 10), ...letters('A', 26), ...letters('a', 26)],
    params: 214_000,
    macs: 9_400_000,
    accuracy: 0.986,
    blocks: vgg,
  },
  typeface,
  emphasis: {
    classes: ['regular', 'bold', 'italic', 'bold italic'],
    params: 102_000,
    macs: 4_800_000,
    accuracy: 0.934,
    blocks: mobilenet,
  },
  garment: {
    classes: ['T-shirt', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'boot'],
    params: 190_000,
    macs: 8_100_000,
    accuracy: 0.921,
    blocks: resnet,
  },
  digit: { classes: letters('0', 10), params: 121_000, macs: 5_200_000, accuracy: 0.991, blocks: vgg },
};

/** The card of a network as if its file had been read. */
export function cardOf(name: string, task: string, { classes, params, macs, blocks }: Known): NetworkCard {
  const join_points = blocks.map(
    ([channels, size, share], index): JoinPointCard => ({
      tensor: `/features/block${index + 1}/Relu_output_0`,
      shape: [channels, size, size],
      macs_before: Math.round(macs * share),
      macs_after: Math.round(macs * (1 - share)),
    }),
  );
  const operators: [string, number][] = [
    ['Conv', blocks.length],
    ['BatchNormalization', blocks.length],
    ['Relu', blocks.length],
    ['Gemm', 1],
  ];
  return {
    name,
    tasks: [{ name: task, kind: 'class', classes }],
    input: [1, 32, 32],
    params,
    macs,
    opset: 17,
    operators,
    join_points,
  };
}
