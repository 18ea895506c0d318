// Sample packs as node sees them: a zip of pictures with a labels.csv.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, inflateRawSync } from 'node:zlib';
import { root } from '../../scripts/paths.mjs';

/** The files of a zip archive by name. */
function unzip(bytes) {
  const end = bytes.lastIndexOf(Buffer.from('504b0506', 'hex'));
  const count = bytes.readUInt16LE(end + 10);
  const files = new Map();
  for (let n = 0, at = bytes.readUInt32LE(end + 16); n < count; n++) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      bytes.readUInt16LE(at + offset),
    );
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const packed = bytes.subarray(start, start + bytes.readUInt32LE(at + 20));
    files.set(name, bytes.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed));
    at += 46 + nameLength + extraLength + commentLength;
  }
  return files;
}

/** A zip archive of files that are not compressed. */
export function zip(files) {
  const parts = [];
  const index = [];
  let at = 0;
  for (const [name, content] of files) {
    const entry = Buffer.alloc(26);
    entry.writeUInt16LE(20, 0);
    entry.writeUInt32LE(crc32(content), 10);
    entry.writeUInt32LE(content.length, 14);
    entry.writeUInt32LE(content.length, 18);
    entry.writeUInt16LE(Buffer.byteLength(name), 22);
    const offset = Buffer.alloc(14);
    offset.writeUInt32LE(at, 10);
    index.push(Buffer.concat([Buffer.from('504b01021400', 'hex'), entry, offset, Buffer.from(name)]));
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), entry, Buffer.from(name), content]);
    parts.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(index);
  const end = Buffer.alloc(22);
  end.write('504b0506', 'hex');
  end.writeUInt16LE(index.length, 8);
  end.writeUInt16LE(index.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, directory, end]);
}

/** A bundled sample pack: `rows` of its table as objects, and `files` by name. */
export function readPack(name) {
  const files = unzip(readFileSync(join(root, 'models', 'samples', `${name}.zip`)));
  const [header, ...lines] = files.get('labels.csv').toString().trim().split('\n');
  const columns = header.split(',');
  const rows = lines.map((line) => {
    const cells = line.split(',');
    if (cells.length !== columns.length || line.includes('"')) throw new Error(`quoted row: ${line}`);
    return Object.fromEntries(columns.map((column, at) => [column, cells[at]]));
  });
  return { rows, files };
}

/** A zip of the first images of each split, as many as `counts` says. */
export function smallPack({ rows, files }, counts) {
  const left = { ...counts };
  const chosen = rows.filter(({ split }) => left[split]-- > 0);
  const columns = Object.keys(rows[0]);
  const table = [columns.join(','), ...chosen.map((row) => columns.map((column) => row[column]).join(','))];
  return zip([
    ['labels.csv', Buffer.from(`${table.join('\n')}\n`)],
    ...chosen.map(({ file }) => [file, files.get(file)]),
  ]);
}
