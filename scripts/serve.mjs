// A small static server for the built lab, on this machine only.
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { headers as labHeaders } from './headers.mjs';
import { main, Problem, say } from './log.mjs';
import { dist } from './paths.mjs';

const types = {
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.zip': 'application/zip',
};

/** The file below `folder` that a URL path names, or null. */
function fileFor(folder, path) {
  let name;
  try {
    name = decodeURIComponent(path);
  } catch {
    return null;
  }
  if (name.includes('\0')) return null;
  const file = resolve(join(folder, name.endsWith('/') ? `${name}index.html` : name));
  if (!file.startsWith(folder + sep)) return null;
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.isFile() ? { file, size: found.size, tag: `"${found.size}-${found.mtimeMs}"` } : null;
}

/** Answers one request from `folder`; false when there is no such file. */
export function answer(folder, path, request, response) {
  const found = fileFor(folder, path);
  if (!found) return false;
  response.setHeader('Content-Type', types[extname(found.file)] ?? 'application/octet-stream');
  response.setHeader('Cache-Control', 'no-cache');
  response.setHeader('ETag', found.tag);
  if (request.headers['if-none-match'] === found.tag) {
    response.writeHead(304).end();
    return true;
  }
  response.setHeader('Content-Length', found.size);
  if (request.method === 'HEAD') response.end();
  else
    createReadStream(found.file)
      .on('error', () => response.destroy())
      .pipe(response);
  return true;
}

function refuse(response, status, text) {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

function handler(folder, base, always, onRequest) {
  return (request, response) => {
    onRequest?.(request);
    for (const [name, value] of Object.entries(always)) response.setHeader(name, value);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refuse(response, 405, 'Only GET and HEAD.');
    const path = request.url.split(/[?#]/)[0];
    const inside = path.startsWith(base) && path.slice(base.length - 1);
    if (!inside || !answer(folder, inside, request, response)) refuse(response, 404, 'Not found.');
  };
}

const listen = (server, port, host) =>
  new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      done();
    });
  });

/**
 * Serves `folder` under the path `base`, at `port` or, where that is taken, at a free one.
 * Resolves to its address and a function that ends it. `onRequest` is told of each request before its answer.
 */
export async function serve({
  folder = dist,
  base = '/',
  port = 5173,
  host = '127.0.0.1',
  headers = labHeaders(),
  onRequest = undefined,
} = {}) {
  const server = createServer(handler(resolve(folder), base, headers, onRequest));
  try {
    await listen(server, port, host);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    await listen(server, 0, host);
  }
  const close = () =>
    new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    });
  const name = host === '127.0.0.1' ? 'localhost' : host;
  return { address: `http://${name}:${server.address().port}${base}`, close };
}

async function command() {
  if (!statSync(join(dist, 'index.html'), { throwIfNoEntry: false })) {
    throw new Problem('dist/ is not there.', 'Run: npm run build');
  }
  const { address } = await serve();
  say(`The lab is at ${address}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(command);
