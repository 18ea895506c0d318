// Debian's packages, where this machine has them and we may install them.
import { attempt, which } from './run.mjs';

export const canInstall = () => process.getuid?.() === 0 && which('apt-get') !== null;

let updated = false;

/** Installs Debian packages; false when that can't be done here. */
export async function aptInstall(packages, log) {
  if (!canInstall()) return false;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  if (!updated) {
    await attempt('apt-get', ['update'], { log, env, seconds: 300 });
    updated = true;
  }
  const args = ['install', '-y', '--no-install-recommends', ...packages];
  return (await attempt('apt-get', args, { log, env, seconds: 1200, append: true })) === 0;
}
