// What a plan's drawing says, in words.
import type { Texts } from '../text/en';
import type { PlanSummary } from '../worker/core';

export function planWords({ networks }: PlanSummary, texts: Texts['plan']): string {
  const sentences = networks.map((summary) => {
    if (summary.source === 'root') return texts.root(summary.network);
    const [from, to] = [summary.donor_point + 1, summary.receiver_point + 1];
    return summary.donor === summary.network
      ? texts.shortcut(summary.network, from, to)
      : texts.join(summary.network, summary.donor, from, to);
  });
  return sentences.join(' ');
}
