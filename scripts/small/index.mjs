// Makes a WebAssembly module small when compressed: node scripts/small FILE FEATURE...
import { readFileSync, writeFileSync } from 'node:fs';
import binaryen from 'binaryen';
import { orderedNames, withNames } from './order.mjs';
import { snip } from './snip.mjs';

const [file, ...features] = process.argv.slice(2);

const read = (bytes) => {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(features.reduce((sum, feature) => sum | binaryen.Features[feature], 0));
  return module;
};

const module = read(readFileSync(file));
snip(module);
// Higher levels give fewer bytes, but more when compressed, and compute as fast.
binaryen.setOptimizeLevel(1);
binaryen.setShrinkLevel(1);
module.optimize();
// Names of like functions are alike: where to begin with looking for what is like what.
module.runPasses(['reorder-functions-by-name']);
const functions = Array.from({ length: module.getNumFunctions() }, (_, index) =>
  binaryen.getFunctionInfo(module.getFunctionByIndex(index)),
);
const imported = functions.filter(({ base }) => base).length;
const plain = module.emitBinary();
module.dispose();

const named = read(withNames(plain, orderedNames(plain, imported)));
named.runPasses(['reorder-functions-by-name']);
writeFileSync(file, named.emitBinary());
