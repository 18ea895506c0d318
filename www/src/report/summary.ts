// What a report comes down to.
import type { Report } from '../worker/core';

/** Whether the joined network could be judged: only where some of the images for that are labelled. */
export const isJudged = ({ tasks }: Pick<Report, 'tasks'>) => tasks.some(({ test }) => test.merged != null);

/** How many times fewer MACs the joined network needs than the originals. */
export const timesFewer = ({ cost }: Pick<Report, 'cost'>) => cost.macs.originals / cost.macs.merged;
