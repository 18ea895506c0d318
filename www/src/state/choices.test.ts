import { expect, test } from 'vitest';
import { budgetAbove, Choices } from './choices.svelte';

test.each([
  [0.427, 0.43],
  [0.43, 0.43],
  [0.29, 0.29],
  [0.57, 0.57],
  [0.4301, 0.44],
  [0.9999, 1],
])('a budget of %f is met by choosing %f', (nearest, chosen) => {
  expect(budgetAbove(nearest)).toBe(chosen);
});

test('the selector follows the effort until one is chosen by hand', () => {
  const choices = new Choices();
  choices.startFrom({ quick: { selector: 'share-all' }, full: { selector: 'differentiable' } });
  expect(choices.selector).toBe('share-all');
  choices.effort = 'full';
  expect(choices.selector).toBe('differentiable');
  choices.selector = 'random';
  choices.effort = 'quick';
  expect(choices.settings().selector).toBe('random');
});

test('what was chosen or restored before the core was ready stays', () => {
  const defaults = { seed: 1, use_labels: true, budget: 0.4 };
  const early = new Choices();
  Object.assign(early, { seed: 9, use_labels: false });
  early.suggest({ quick: 0.6, full: 0.7 });
  const restored = new Choices();
  restored.restore(early.saved());
  for (const choices of [early, restored]) {
    choices.startFrom({ quick: defaults, full: defaults });
    expect([choices.seed, choices.use_labels, choices.budget]).toEqual([9, false, 0.6]);
  }
  const untouched = new Choices();
  untouched.startFrom({ quick: defaults, full: defaults });
  expect([untouched.seed, untouched.budget]).toEqual([1, 0.4]);
});

test.each([
  ['12', 12],
  ['', 7],
  ['1.5', 7],
  ['-1', 7],
  ['4294967296', 7],
  ['4294967295', 4294967295],
])('the seed after “%s” was typed over 7 is %i', (typed, seed) => {
  const choices = new Choices();
  choices.seed = 7;
  choices.typeSeed(typed);
  expect(choices.seed).toBe(seed);
});

test('a field follows the effort until it is changed, and the core gets what is shown', () => {
  const choices = new Choices();
  choices.startFrom({ quick: { search: { finalists: 4 } }, full: { search: { finalists: 8 } } });
  expect(choices.field('search.finalists')).toBe(4);
  choices.effort = 'full';
  expect(choices.field('search.finalists')).toBe(8);
  expect(choices.setField('search.finalists', 12)).toBe(true);
  expect(choices.setField('search.finalists', 0)).toBe(false);
  choices.effort = 'quick';
  expect(choices.settings().search).toEqual({ finalists: 12 });
  expect(choices.changedFields).toEqual(['search.finalists']);
  choices.setField('search.finalists', 4);
  expect([choices.changedFields, choices.settings().search]).toEqual([[], { finalists: 4 }]);
});

test('a base is sent only where there is one', () => {
  const choices = new Choices();
  expect('base' in choices.settings()).toBe(false);
  choices.base = 'typeface';
  expect(choices.settings().base).toBe('typeface');
});
