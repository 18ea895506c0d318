import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { Choices } from './choices.svelte';
import { isProject, NotAProject, type ProjectContent, packProject, unpackProject } from './project-file';

const bytes = (...values: number[]) => new Uint8Array(values);
const run = {
  startedAt: 5,
  networks: [],
  device: 'CPU',
  curve: { steps: [1], sum: [0.5], tasks: [[0.5]], learningRate: [0.1], imagesPerSecond: [9] },
  outcome: { report: { version: '1' }, onnx: bytes(1), safetensors: bytes(2), graft: bytes(3) },
} as unknown as ProjectContent['runs'][number];

function content(images: ProjectContent['lab']['images']): ProjectContent {
  const file = { path: 'folder/a.onnx', file: new Blob([bytes(8, 9)]) };
  const choices = new Choices();
  choices.budget = 0.3;
  return {
    lab: { networks: [{ slot: 2, file, options: { task: 'shade' } }], images, choices: choices.saved() },
    runs: [run],
  };
}

const bytesOf = async (blob: Blob) => [...new Uint8Array(await blob.arrayBuffer())];

describe('a project as a file', () => {
  test('comes back with networks, images, choices and runs', async () => {
    const before = content({ zip: { path: 'pictures.zip', file: new Blob([bytes(7)]) } });
    const zip = await packProject(before);
    expect(await isProject(zip)).toBe(true);
    const { lab, runs } = await unpackProject(zip);
    const [network] = lab.networks;
    expect(network).toMatchObject({ slot: 2, options: { task: 'shade' }, file: { path: 'folder/a.onnx' } });
    expect(await bytesOf(network!.file.file)).toEqual([8, 9]);
    expect(lab.images && 'zip' in lab.images && (await bytesOf(lab.images.zip.file))).toEqual([7]);
    expect(lab.choices).toEqual(before.lab.choices);
    expect(runs[0]).toMatchObject({ startedAt: 5, curve: run.curve, outcome: { report: { version: '1' } } });
    expect([...runs[0]!.outcome.graft!]).toEqual([3]);
  });

  test('keeps every byte of what is packed in several pieces', async () => {
    const large = new Uint8Array(9 * 2 ** 20 + 1).map((_, index) => index % 251);
    const images = { zip: { path: 'pictures.zip', file: new Blob([large]) } };
    const { lab } = await unpackProject(await packProject(content(images)));
    const back = lab.images && 'zip' in lab.images && (await lab.images.zip.file.arrayBuffer());
    expect(back && Buffer.compare(Buffer.from(back), large)).toBe(0);
  });

  test('keeps the paths of a folder of images, whatever they are', async () => {
    const files = ['../../etc/passwd', 'bilder/größe 1.png'].map((path) => ({
      path,
      file: new Blob([bytes(path.length)]),
    }));
    const { lab } = await unpackProject(await packProject(content({ files })));
    expect(lab.images && 'files' in lab.images && lab.images.files.map(({ path }) => path)).toEqual(
      files.map(({ path }) => path),
    );
  });

  test.each([
    ['no zip', new Blob(['hello'])],
    ['a zip of something else', new Blob([zipSync({ 'a.png': bytes(1) }) as BlobPart])],
    ['one that lacks a part', new Blob([zipSync({ 'graftlab.json': bytes(123, 125) }) as BlobPart])],
  ])('is not taken from %s', async (_, blob) => {
    await expect(unpackProject(blob)).rejects.toBeInstanceOf(NotAProject);
  });
});
