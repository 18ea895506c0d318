// What the user drops or chooses, sorted by what it is for.
import type { NamedFile } from '../worker/protocol';

export interface SortedFiles {
  networks: NamedFile[];
  zips: NamedFile[];
  /** Images and tables of labels. */
  images: NamedFile[];
  unknown: NamedFile[];
}

const imageEndings = /\.(png|jpe?g|webp|bmp|gif|csv|tsv)$/i;

export function sortFiles(files: readonly NamedFile[]): SortedFiles {
  const sorted: SortedFiles = { networks: [], zips: [], images: [], unknown: [] };
  for (const named of files) {
    if (/\.onnx$/i.test(named.path)) sorted.networks.push(named);
    else if (/\.zip$/i.test(named.path)) sorted.zips.push(named);
    else if (imageEndings.test(named.path)) sorted.images.push(named);
    else sorted.unknown.push(named);
  }
  return sorted;
}

/** The files of a file input; with their folders where a folder was chosen. */
export function filesOfInput(list: FileList): NamedFile[] {
  return [...list].filter(isVisible).map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** The files of a drop, folders included. */
export async function filesOfDrop(transfer: DataTransfer): Promise<NamedFile[]> {
  // Entries have to be taken before the first await: the list is emptied after the event.
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  const found: NamedFile[] = [];
  for (const entry of entries) await walk(entry, '', found);
  return found;
}

async function walk(entry: FileSystemEntry, folder: string, found: NamedFile[]): Promise<void> {
  if (!isVisible(entry)) return;
  const path = folder + entry.name;
  if (entry.isDirectory) {
    for (const child of await childrenOf(entry as FileSystemDirectoryEntry))
      await walk(child, `${path}/`, found);
  } else {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    found.push({ path, file });
  }
}

async function childrenOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const children: FileSystemEntry[] = [];
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (batch.length === 0) return children;
    children.push(...batch);
  }
}

/** Folders carry hidden files of the system. */
const isVisible = ({ name }: { name: string }) => !name.startsWith('.');
