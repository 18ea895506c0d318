// Scores, plans and reports as the core would find them, made up.
import type { DataCard, NetworkCard, Outcome, PlanSummary, SearchStep, Settings } from '../core';
import { failure } from './failure';
import { known } from './networks';

export const version = '0.1.0';

/** Every join of one network into another, with scores that look like the core's. */
export function candidates(cards: NetworkCard[]) {
  return cards.flatMap((donorCard, donor) =>
    cards.flatMap((receiverCard, receiver) =>
      donor === receiver
        ? []
        : donorCard.join_points.flatMap((_, donor_point) =>
            receiverCard.join_points.map((_, receiver_point) => {
              const from = donor_point / (donorCard.join_points.length - 1);
              const to = receiver_point / (receiverCard.join_points.length - 1);
              const fit = Math.exp(-3.5 * (from - to) ** 2) * (1 - 0.35 * to * (1 - from));
              const chance = 1 / receiverCard.tasks[0]!.classes.length;
              const agreement = chance + (1 - chance) * fit * (0.95 - 0.35 * Math.abs(from - 0.6));
              const r_squared = 0.2 + 0.75 * fit;
              return {
                donor,
                donor_point,
                receiver,
                receiver_point,
                agreement,
                kappa: (agreement - chance) / (1 - chance),
                divergence: 2 * (1 - fit),
                r_squared,
              };
            }),
          ),
    ),
  );
}

/** A plan in which the last network carries the others. */
export function planOf(cards: NetworkCard[], kept: number): PlanSummary {
  const root = cards.at(-1)!;
  const total = cards.reduce((sum, card) => sum + card.macs, 0);
  let macs = root.macs;
  const networks = cards.map((card, index): PlanSummary['networks'][number] => {
    if (card === root) return { source: 'root', network: card.name };
    const donor_point = root.join_points.length - 1 - ((index + kept) % 3);
    const receiver_point = card.join_points.length - 1 - ((index * 2 + 12 - kept) % 4);
    const from = root.join_points[donor_point]!;
    const to = card.join_points[receiver_point]!;
    macs += to.macs_after + from.shape[0] * to.shape[0] * to.shape[1] * to.shape[2];
    return {
      source: 'join',
      network: card.name,
      donor: root.name,
      donor_point,
      donor_tensor: from.tensor,
      receiver_point,
      receiver_tensor: to.tensor,
      channels: [from.shape[0], to.shape[0]],
    };
  });
  return { networks, macs, relative_macs: macs / total };
}

/** What a search decides, and on what grounds. */
export type Found = Pick<Outcome['report'], 'plan' | 'judged' | 'search_steps'>;

/** A search that starts with even chances and comes to favour one source per network. */
export function searchSteps(cards: NetworkCard[]): SearchStep[] {
  const root = cards.length - 1;
  return Array.from({ length: 60 }, (_, index) => {
    const done = index / 59;
    const likely = cards.map((card, network) => {
      const sources = card.join_points.map((_, receiver_point) => ({
        donor: network === root ? 0 : root,
        donor_point: Math.max(0, receiver_point - 1),
        receiver_point,
      }));
      const favourite = network === root ? 0 : 4 - (network % 3);
      const options = [{ donor: undefined, donor_point: 0, receiver_point: 0 }, ...sources];
      const weights = options.map((_, at) => Math.exp(-6 * done * Math.abs(at - favourite) * (1 + at / 20)));
      const sum = weights.reduce((a, b) => a + b, 0);
      return options
        .map((option, at) => ({ ...option, probability: weights[at]! / sum }))
        .toSorted((a, b) => b.probability - a.probability)
        .slice(0, 6);
    });
    return {
      step: Math.round(40 + 360 * done),
      steps: 400,
      temperature: 5 * 0.02 ** done,
      expected_cost: 0.74 - 0.36 * done,
      entropy: (1 - done) ** 1.5,
      likely,
    };
  });
}

export type Trained = Outcome['report']['curve'];

/** Checkpoints: how far training has come, and of which run. */
export const kept = {
  write: (curve: Trained, settings: Settings) =>
    new TextEncoder().encode(JSON.stringify({ curve, settings })),
  read(checkpoint: Uint8Array, settings: Settings): Trained {
    const found = JSON.parse(new TextDecoder().decode(checkpoint));
    if (JSON.stringify(found.settings) === JSON.stringify(settings)) return found.curve;
    throw failure('bad_checkpoint', 'The checkpoint is of another run.', 'Start it as it was started.');
  },
};

/** What a run leaves: numbers that fit each other, and files of nothing. */
export function outcome(
  settings: Settings,
  cards: NetworkCard[],
  data: DataCard,
  { plan, judged, search_steps }: Found,
  curve: Trained,
  device: string,
  seconds: number,
): Outcome {
  const drops = [0.0048, -0.0012, 0.0031, 0.002];
  const tasks = cards.map((card, index) => {
    const original = known[card.name]?.accuracy ?? 0.9;
    const scores = {
      original,
      merged: original - drops[index % 4]!,
      agreement: 0.978 - index * 0.009,
      images: data.test,
      labelled: data.test,
    };
    return { name: card.tasks[0]!.name, classes: card.tasks[0]!.classes, validation: scores, test: scores };
  });
  const total = (key: 'macs' | 'params') => cards.reduce((sum, card) => sum + card[key], 0);
  const saved = total('macs') - plan.macs;
  const report: Outcome['report'] = {
    schema_version: 1,
    version,
    device,
    settings,
    plan,
    tasks,
    worst_drop_points: 0.48,
    candidates: [],
    judged,
    search_steps,
    cost: {
      macs: { originals: total('macs'), merged: plan.macs },
      params: { originals: total('params'), merged: Math.round(total('params') * 0.58) },
      milliseconds: { originals: total('macs') / 5e6, merged: plan.macs / 4e6 },
      macs_shared: Math.round(saved * 0.7),
      macs_skipped: Math.round(saved * 0.3),
    },
    seconds: { teachers: 2, search: 5, train: seconds, evaluate: 1, total: seconds + 8 },
    curve,
    data: {
      images: data.images,
      train: data.train,
      architecture: data.architecture,
      validation: data.validation,
      test: data.test,
      skipped: data.skipped.length,
    },
    stopped: false,
  };
  const files = { onnx: new Uint8Array(412_000).fill(8), safetensors: new Uint8Array(398_000) };
  return settings.base ? { report, ...files, graft: new Uint8Array(120_000).fill(8) } : { report, ...files };
}
