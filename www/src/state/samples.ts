// The samples that come with the lab, read from its own address.
import type { NamedFile } from '../worker/protocol';

export interface Sample {
  name: string;
  title: string;
  /** Paths below `models/`. */
  networks: string[];
  data: string;
  /** A share of the networks' cost that suits them. */
  budget: number;
  quick_budget: number;
}

const address = (path: string) => new URL(`models/${path}`, document.baseURI);

/** A file of the site that could not be read. */
export class Unreadable extends Error {
  readonly path: string;

  constructor(path: string) {
    super(`${path} could not be read`);
    this.path = path;
  }
}

async function read(path: string): Promise<Response> {
  const response = await fetch(address(path)).catch(() => null);
  if (!response?.ok) throw new Unreadable(path);
  return response;
}

export async function listSamples(): Promise<Sample[]> {
  const path = 'samples/index.json';
  const { samples } = await (await read(path)).json().catch(() => {
    throw new Unreadable(path);
  });
  return samples;
}

export async function readFile(path: string): Promise<NamedFile> {
  const file = await (await read(path)).blob();
  return { path: path.slice(path.lastIndexOf('/') + 1), file };
}
