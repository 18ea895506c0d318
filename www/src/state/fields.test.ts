import { expect, test } from 'vitest';
import { accepts, fieldKinds, fieldOf, withFields } from './fields';

test.each([
  ['count', 1, true],
  ['count', 0, false],
  ['count', 1.5, false],
  ['whole', 0, true],
  ['whole', 0.5, false],
  ['positive', 0, false],
  ['positive', 1e-6, true],
  ['weight', 0, true],
  ['weight', -0.1, false],
  ['weight', Number.NaN, false],
  ['share', 0.99, true],
  ['share', 1, false],
  ['switch', 1, false],
  ['switch', true, true],
  [['fitted', 'scratch'], 'scratch', true],
  [['fitted', 'scratch'], 'else', false],
  ['count', '1', false],
] as const)('a %s of %s is taken: %s', (kind, value, taken) => {
  expect(accepts(kind, value)).toBe(taken);
});

test('fields are changed in a copy, and what is not named stays', () => {
  const settings = { budget: 0.4, train: { temperature: 4, batch_size: 16 } };
  const changed = withFields(settings, {
    'train.temperature': 2,
    'train.augment.flip': true,
    'search.shortcuts': true,
  });
  expect(changed).toEqual({
    budget: 0.4,
    train: { temperature: 2, batch_size: 16, augment: { flip: true } },
    search: { shortcuts: true },
  });
  expect(settings.train.temperature).toBe(4);
  expect(fieldOf(changed, 'train.augment.flip')).toBe(true);
  expect(fieldOf(settings, 'search.warm_up')).toBeUndefined();
});

test('every kind of field has a name to show', async () => {
  const { en } = await import('../text/en');
  expect(Object.keys(en.fields.names).sort()).toEqual(Object.keys(fieldKinds).sort());
});
