// The networks of a run by their names and lines, as every chart and table shows them.
import type { NetworkCard } from '../worker/core';
import type { Line } from './lines';

export interface RunNetwork {
  card: NetworkCard;
  line: Line;
}

/** What a network is called among others: by its tasks, as the core does. */
export const labelOf = ({ name, tasks }: Pick<NetworkCard, 'name' | 'tasks'>) =>
  tasks.map((task) => task.name).join('+') || name;

/** The tasks of all networks in turn: the order in which the core tells losses and accuracies. */
export const tasksOf = (networks: readonly RunNetwork[]) =>
  networks.flatMap(({ card, line }) => card.tasks.map(({ name }) => ({ name, line })));

/** The line of the network that has a task. */
export const lineOfTask = (networks: readonly RunNetwork[], task: string | undefined) =>
  tasksOf(networks).find(({ name }) => name === task)?.line;

/** Networks as a plan's drawing takes them. */
export const drawnOf = (networks: readonly RunNetwork[]) =>
  networks.map(({ card, line }) => ({ measured: card, line, name: labelOf(card) }));

/** Whether these are the same networks, in the same order. */
export const areSame = (some: readonly RunNetwork[], others: readonly RunNetwork[]) => {
  const [a, b] = [some, others].map((networks) => JSON.stringify(networks.map(({ card }) => card)));
  return a === b;
};
