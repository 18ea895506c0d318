import { expect, test } from 'vitest';
import { preferred } from './language.svelte';

test.each([
  [['zh-TW', 'en'], 'zh-Hant'],
  [['zh-Hant-HK'], 'zh-Hant'],
  [['de', 'en-GB', 'zh'], 'en'],
  [['de'], 'en'],
])('a browser that wants %j gets %s', (wanted, code) => {
  expect(preferred(wanted)).toBe(code);
});
