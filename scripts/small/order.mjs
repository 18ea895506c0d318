// The order of a module's functions. Compressors find what they have seen not long ago (gzip 32 KiB), so that functions are
// put behind those that they are like.

/** Bytes of code that are compared at a time. */
const grain = 6;
/** Functions that the next one is to be like. */
const recent = 40;
/** What more functions have than these tells little about them. */
const common = 600;
/** Added to a function's size, for small functions are easily like others. */
const offset = 60;

const afterHeader = 8;
const codeSection = 10;

/** Names for all functions, by which they sort into that order. `imported`: how many have no code. */
export function orderedNames(bytes, imported) {
  const code = functionBodies(bytes);
  const shared = sharedGrains(code);
  const order = arrange(shared, code.length);
  const digits = String(imported + code.length).length;
  const names = Array.from({ length: imported }, (_, index) => `i${index}`);
  order.forEach((index, place) => {
    names[imported + index] = `f${String(place).padStart(digits, '0')}`;
  });
  return names;
}

/** Which functions have a piece of code in common: the functions by piece, and the pieces by function. */
function sharedGrains(code) {
  const total = code.reduce((sum, body) => sum + Math.max(0, body.length - grain + 1), 0);
  const found = new Float64Array(total);
  const most = 2 ** 21;
  let end = 0;
  code.forEach((body, index) => {
    for (let at = 0; at + grain <= body.length; at++) {
      const low = body[at] | (body[at + 1] << 8) | (body[at + 2] << 16) | (body[at + 3] << 24);
      const high = body[at + 4] | (body[at + 5] << 8);
      const hash = (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)) >>> 0;
      found[end++] = hash * most + index;
    }
  });
  found.sort();
  const pieces = [];
  const functions = code.map(() => []);
  for (let at = 0; at < total; ) {
    const hash = Math.floor(found[at] / most);
    const holders = [];
    for (; at < total && Math.floor(found[at] / most) === hash; at++) {
      const index = found[at] % most;
      if (holders.at(-1) !== index) holders.push(index);
    }
    if (holders.length < 2 || holders.length > common) continue;
    for (const index of holders) functions[index].push(pieces.length);
    pieces.push(holders);
  }
  return { pieces, functions };
}

/** Always the function that is most like the last few; where none is like them, the first that is left. */
function arrange({ pieces, functions }, count) {
  const placed = new Uint8Array(count);
  const inSight = new Int32Array(pieces.length);
  const alike = new Int32Array(count);
  const candidates = new Set();
  const order = [];
  let first = 0;
  const see = (index) => {
    for (const piece of functions[index]) {
      if (inSight[piece]++ > 0) continue;
      for (const other of pieces[piece]) {
        alike[other]++;
        if (!placed[other]) candidates.add(other);
      }
    }
  };
  const forget = (index) => {
    for (const piece of functions[index])
      if (--inSight[piece] === 0) for (const other of pieces[piece]) alike[other]--;
  };
  while (order.length < count) {
    let best = -1;
    let most = 0;
    for (const index of candidates) {
      const likeness = alike[index] / (functions[index].length + offset);
      if (alike[index] === 0) candidates.delete(index);
      else if (likeness > most) [best, most] = [index, likeness];
    }
    if (best < 0) {
      while (placed[first]) first++;
      best = first;
    }
    placed[best] = 1;
    candidates.delete(best);
    order.push(best);
    see(best);
    if (order.length > recent) forget(order[order.length - 1 - recent]);
  }
  return order;
}

/** The code of each function that has some. */
function functionBodies(bytes) {
  let at = afterHeader;
  for (; bytes[at] !== codeSection; ) {
    const [size, body] = readLeb(bytes, at + 1);
    at = body + size;
  }
  const [, start] = readLeb(bytes, at + 1);
  let [count, next] = readLeb(bytes, start);
  return Array.from({ length: count }, () => {
    const [size, body] = readLeb(bytes, next);
    next = body + size;
    return bytes.subarray(body, next);
  });
}

/** A number, and where the next begins. */
function readLeb(bytes, at) {
  let value = 0;
  for (let shift = 1; ; shift *= 128) {
    const byte = bytes[at++];
    value += (byte & 127) * shift;
    if (byte < 128) return [value, at];
  }
}

/** The module with these names for its functions, which has none yet. */
export function withNames(bytes, names) {
  const entries = names.flatMap((name, index) => [...leb(index), ...text(name)]);
  const functions = [...leb(names.length), ...entries];
  const content = [...text('name'), 1, ...leb(functions.length), ...functions];
  return Buffer.concat([bytes, Buffer.from([0, ...leb(content.length), ...content])]);
}

const text = (characters) => [...leb(characters.length), ...Buffer.from(characters)];

function leb(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value & 127) | 128);
  return [...bytes, value];
}
