// The headers of every response: nothing from outside, no other origin, and isolated so that timers are fine-grained.

/** The content security policy. A worker takes its policy from its own response, so it goes on every file. */
export function policy({ dev = false } = {}) {
  const rules = {
    'default-src': "'none'",
    // The wasm core is compiled; no eval.
    'script-src': "'self' 'wasm-unsafe-eval'",
    'worker-src': "'self'",
    // Vite's dev server puts styles into the page and talks over a socket.
    'style-src': dev ? "'self' 'unsafe-inline'" : "'self'",
    'connect-src': dev ? "'self' ws://localhost:* ws://127.0.0.1:*" : "'self'",
    'img-src': "'self' blob: data:",
    'media-src': "'self' blob:",
    'font-src': "'self'",
    'manifest-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
  };
  return Object.entries(rules)
    .map((rule) => rule.join(' '))
    .join('; ');
}

/** The policy for a page's own `<meta>`, for hosts that set no headers; `frame-ancestors` is not allowed there. */
export const metaPolicy = () => policy().replace(/; frame-ancestors [^;]+/, '');

export const headers = (options) => ({
  'Content-Security-Policy': policy(options),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(self), microphone=(), geolocation=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
});

/** The same headers as a `_headers` file, which several static hosts read. */
export const headersFile = () =>
  ['/*', ...Object.entries(headers()).map(([name, value]) => `  ${name}: ${value}`), ''].join('\n');
