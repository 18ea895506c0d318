import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { headers, metaPolicy } from './scripts/headers.mjs';
import { answer } from './scripts/serve.mjs';

const root = import.meta.dirname;

/** The dev server takes `pkg/` and `models/` from the checkout; `npm run build` copies them into `dist/`. */
const checkoutFolders: Plugin = {
  name: 'graftlab-checkout-folders',
  configureServer(server) {
    server.middlewares.use((request, response, next) => {
      const path = (request.url ?? '').split('?')[0] ?? '';
      const ours = /^\/(pkg|models)\//.exec(path);
      if (!ours || !answer(join(root, ours[1]!), path.slice(ours[0].length - 1), request, response)) next();
    });
  },
};

/** The page's own policy, for hosts that set no headers. */
const pagePolicy: Plugin = {
  name: 'graftlab-page-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: metaPolicy() },
      injectTo: 'head-prepend',
    },
  ],
};

export default defineConfig({
  root: join(root, 'www'),
  // Relative, so that the page works under any sub-path.
  base: './',
  cacheDir: join(root, 'node_modules', '.vite'),
  plugins: [svelte({ configFile: false }), checkoutFolders, pagePolicy],
  build: {
    outDir: join(root, 'dist'),
    emptyOutDir: true,
    target: 'es2023',
    // The policy allows no data: scripts or fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
  server: { host: '127.0.0.1', headers: headers({ dev: true }) },
  test: { include: ['src/**/*.test.ts'], passWithNoTests: true },
});
