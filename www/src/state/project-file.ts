// A project as one zip: what is loaded, what is chosen, and the runs that are kept.
import type { Unzipped } from 'fflate';
import type { LoadedData } from '../worker/engine';
import type { NamedFile } from '../worker/protocol';
import type { SavedLab } from './loaded';
import type { SavedRun } from './run.svelte';

export interface ProjectContent {
  lab: SavedLab;
  runs: SavedRun[];
}

/** Not a project, or one that a newer version has written. */
export class NotAProject extends Error {}

/** Raised when an older version could not read it. */
const format = 1;
const manifestName = 'graftlab.json';
/** Bytes that a project may unpack to. */
const mostBytes = 4 * 2 ** 30;

type Part = 'onnx' | 'safetensors' | 'graft';
const parts: Record<Part, string> = {
  onnx: 'merged.onnx',
  safetensors: 'merged.safetensors',
  graft: 'graft.onnx',
};

interface Manifest {
  format: number;
  networks: (Omit<SavedLab['networks'][number], 'file'> & { path: string })[];
  images: { zip: string } | { files: string[] } | null;
  choices: SavedLab['choices'];
  runs: number;
}

const json = (value: unknown) => new Blob([JSON.stringify(value, null, 1)]);

/** Packs a project. */
export async function packProject({ lab, runs }: ProjectContent): Promise<Blob> {
  const files: Record<string, Blob> = {};
  for (const [index, { file }] of lab.networks.entries()) files[`networks/${index}.onnx`] = file.file;
  const { images } = lab;
  if (images && 'zip' in images) files['images.zip'] = images.zip.file;
  else if (images) for (const [index, { file }] of images.files.entries()) files[`images/${index}`] = file;
  for (const [index, { outcome, ...run }] of runs.entries()) {
    files[`runs/${index}/progress.json`] = json(run);
    files[`runs/${index}/run.json`] = json(outcome.report);
    for (const [part, name] of Object.entries(parts) as [Part, string][]) {
      const bytes = outcome[part];
      if (bytes) files[`runs/${index}/${name}`] = new Blob([bytes as BlobPart]);
    }
  }
  const manifest: Manifest = {
    format,
    networks: lab.networks.map(({ file: { path }, ...rest }) => ({ path, ...rest })),
    images:
      images &&
      ('zip' in images ? { zip: images.zip.path } : { files: images.files.map(({ path }) => path) }),
    choices: lab.choices,
    runs: runs.length,
  };
  files[manifestName] = json(manifest);
  return zipped(files);
}

/** Bytes that are packed at a time: between two times the page may do something else. */
const piece = 4 * 2 ** 20;

/** One zip. What is in a project is packed already, so nothing is compressed. */
async function zipped(files: Record<string, Blob>): Promise<Blob> {
  const { Zip, ZipPassThrough } = await import('fflate');
  const parts: BlobPart[] = [];
  const zip = new Zip((error, bytes) => {
    if (error) throw error;
    parts.push(bytes as BlobPart);
  });
  for (const [name, file] of Object.entries(files)) {
    const entry = new ZipPassThrough(name);
    zip.add(entry);
    for (let at = 0; at < file.size; at += piece)
      entry.push(new Uint8Array(await file.slice(at, at + piece).arrayBuffer()));
    entry.push(new Uint8Array(), true);
  }
  zip.end();
  return new Blob(parts, { type: 'application/zip' });
}

/** Whether a zip is a project, told from its end, where its files are listed. */
export async function isProject(zip: Blob): Promise<boolean> {
  const end = new Uint8Array(await zip.slice(-65_536).arrayBuffer());
  return new TextDecoder('latin1').decode(end).includes(manifestName);
}

export async function unpackProject(zip: Blob): Promise<ProjectContent> {
  try {
    const { unzipSync } = await import('fflate');
    let bytes = 0;
    const files = unzipSync(new Uint8Array(await zip.arrayBuffer()), {
      filter: ({ originalSize }) => {
        bytes += originalSize;
        if (bytes > mostBytes) throw new NotAProject();
        return true;
      },
    });
    return contentOf(files);
  } catch (error) {
    throw error instanceof NotAProject ? error : new NotAProject(undefined, { cause: error });
  }
}

function contentOf(files: Unzipped): ProjectContent {
  const take = (name: string): Uint8Array => {
    const bytes = files[name];
    if (!bytes) throw new NotAProject();
    return bytes;
  };
  const read = <T>(name: string): T => JSON.parse(new TextDecoder().decode(take(name)));
  const named = (path: string, name: string): NamedFile => ({
    path,
    file: new Blob([take(name) as BlobPart]),
  });
  const manifest = read<Manifest>(manifestName);
  if (manifest.format !== format) throw new NotAProject();
  const networks = manifest.networks.map(({ path, ...rest }, index) => ({
    ...rest,
    file: named(path, `networks/${index}.onnx`),
  }));
  let images: LoadedData | null = null;
  if (manifest.images && 'zip' in manifest.images) images = { zip: named(manifest.images.zip, 'images.zip') };
  else if (manifest.images)
    images = { files: manifest.images.files.map((path, index) => named(path, `images/${index}`)) };
  const runs = Array.from({ length: manifest.runs }, (_, index): SavedRun => {
    const folder = `runs/${index}/`;
    const graft = files[folder + parts.graft];
    const outcome = {
      report: read<SavedRun['outcome']['report']>(`${folder}run.json`),
      onnx: take(folder + parts.onnx),
      safetensors: take(folder + parts.safetensors),
      ...(graft ? { graft } : {}),
    };
    return { ...read<Omit<SavedRun, 'outcome'>>(`${folder}progress.json`), outcome };
  });
  return { lab: { networks, images, choices: manifest.choices }, runs };
}
