// Keeps the lab in the browser, so that it opens without a network. The build puts `build` in front of this file:
// a version that changes with any file, the files that are stored at once, and the headers of every response.
/* global build */

const cacheName = `graftlab-${build.version}`;
const scope = new URL('./', globalThis.location.href);
// Tells whether a part is still being built: the server knows better, if there is one.
const changing = new URL('pkg/status.json', scope).href;

const open = () => caches.open(cacheName);

globalThis.addEventListener('install', (event) => {
  const requests = build.files.map((path) => new Request(new URL(path, scope), { cache: 'no-cache' }));
  event.waitUntil(open().then((cache) => cache.addAll(requests)));
});

globalThis.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith('graftlab-') && name !== cacheName && (await isOurs(name)))
          await caches.delete(name);
      await globalThis.clients.claim();
    })(),
  );
});

/** Another copy of the lab may lie under another path of this host. */
async function isOurs(name) {
  const [first] = await (await caches.open(name)).keys();
  return !first || first.url.startsWith(scope.href);
}

globalThis.addEventListener('message', (event) => {
  const { kind, addresses } = event.data ?? {};
  if (kind === 'take over') globalThis.skipWaiting();
  // What was loaded before this worker could see it.
  else if (kind === 'keep') event.waitUntil(keep(addresses));
});

async function keep(addresses) {
  const cache = await open();
  for (const address of addresses) {
    if (!isMine(address) || (await cache.match(address))) continue;
    const response = await fetch(address, { cache: 'force-cache' }).catch(() => null);
    if (response?.ok) await cache.put(address, response);
  }
}

const isMine = (address) => address.startsWith(scope.href) && !address.startsWith(globalThis.location.href);

globalThis.addEventListener('fetch', (event) => {
  const { request } = event;
  const address = request.url.split(/[?#]/)[0];
  if (request.method === 'GET' && isMine(address)) event.respondWith(answer(request, address));
});

async function answer(request, address) {
  const cache = await open();
  const stored = async () => (await cache.match(address)) ?? null;
  if (address === changing) return guarded((await fromServer(request, address, cache)) ?? (await stored()));
  return guarded((await stored()) ?? (await fromServer(request, address, cache)));
}

async function fromServer(request, address, cache) {
  const response = await fetch(request).catch(() => null);
  // A browser that refuses more storage still gets its answer.
  if (response?.ok) await cache.put(address, response.clone()).catch(() => {});
  return response;
}

/** The response with the lab's headers, also from a host that sets none. */
function guarded(response) {
  if (!response) return Response.error();
  if (response.type === 'error' || response.headers.has('Content-Security-Policy')) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(build.headers)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}
