// Writes `dist/service-worker.js`: the worker's source behind what it has to know of this build.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { headers } from './headers.mjs';
import { dist, root } from './paths.mjs';

const name = 'service-worker.js';
/** Large, and not for everyone: stored when it is first used. */
const onDemand = /^(models\/.*\.(onnx|zip)|pkg\/(gpu|threads)\/.*)$/;
/** For the server, for people, and what changes while the server runs. */
const never = /^(_headers|pkg\/status\.json|.*\.(d\.ts|md)|.*\/?(LICENSE|package\.json)[^/]*)$/;

function filesIn(folder, path = '') {
  return readdirSync(join(folder, path))
    .sort()
    .flatMap((entry) => {
      const file = path ? `${path}/${entry}` : entry;
      return statSync(join(folder, file)).isDirectory() ? filesIn(folder, file) : [file];
    });
}

/** Any change of the build changes the version, and with it the file: browsers then fetch what is new. */
export function writeServiceWorker(folder = dist) {
  const files = filesIn(folder).filter((file) => file !== name && !never.test(file));
  const source = readFileSync(join(root, 'www', 'src', name), 'utf8');
  const hash = createHash('sha256').update(source).update(JSON.stringify(headers()));
  for (const file of files) hash.update(`\n${file}\n`).update(readFileSync(join(folder, file)));
  const build = {
    version: hash.digest('hex').slice(0, 12),
    // The page lies under the folder's own address.
    files: files.filter((file) => !onDemand.test(file)).map((file) => (file === 'index.html' ? './' : file)),
    headers: headers(),
  };
  writeFileSync(join(folder, name), `const build = ${JSON.stringify(build, null, 1)};\n${source}`);
}
