// Sorts out what was dropped or chosen, and lets the lab take it in.
import { language } from '../text/language.svelte';
import type { NamedFile } from '../worker/protocol';
import { sortFiles } from './files';
import type { Lab } from './lab.svelte';
import { isProject } from './project-file';

/** Files of unknown kind that a message names. */
const named = 3;

export async function takeFiles(lab: Lab, files: readonly NamedFile[]): Promise<void> {
  const texts = language.texts.problem;
  if (lab.running) {
    lab.problems.add('networks', { message: texts.busy, hint: texts.busyHint });
    return;
  }
  const { networks, zips, images, unknown } = sortFiles(files);
  const [zip, ...more] = zips;
  if (lab.openProject && zip && (await isProject(zip.file))) return lab.openProject(zip.file);
  if (networks.length > 0 || unknown.length > 0) lab.problems.clear('networks');
  if (zips.length > 0 || images.length > 0) lab.problems.clear('data');
  const beside = new Set(unknown);
  for (const file of networks) await lab.addNetwork(file, undefined, beside);
  if (zip) await lab.loadImages({ zip }, zip.path);
  else if (images.length > 0) await lab.loadImages({ files: images });
  if (more.length > 0) lab.problems.add('data', { message: texts.oneZip, hint: texts.oneZipHint });
  if (beside.size > 0 && !zip && images.length === 0) {
    const names = [...beside].slice(0, named).map(({ path }) => path);
    if (beside.size > names.length) names.push('…');
    lab.problems.add('networks', {
      message: texts.unknownFiles(names.join(', ')),
      hint: texts.unknownFilesHint,
    });
  }
}
