// Takes out of an artifact what never runs. burn learns the type of a tensor's numbers only while it runs, so that compilers
// keep its CPU backend for every type; Graftlab's numbers are 32 bits wide. After the book "Rust and WebAssembly", which does
// this by wasm-snip.
import binaryen from 'binaryen';

const backend = /\bburn_flex\b/;
/** Its tape, which keeps scalars as f64. */
const tape = /\bburn_autodiff\b/;
const numbers = /\b(half::(binary16::f16|bfloat::bf16)|f64)\b|_(f64|f16|bf16)$/;
/** Quantised numbers, saving memory by computing twice, and conversions between types. */
const features = /\b(QTensorOps|BalancedCheckpointing|TensorData>::try_cast_(inplace|clone))\b/;

/** Whether a function computes with numbers that are none of ours, or in a way that is not; `name` as demangled. */
function neverRuns(name) {
  const path = name.replaceAll(/\[[0-9a-f]+\]/g, '');
  return features.test(path) || (backend.test(path) && !tape.test(path) && numbers.test(path));
}

/** Makes every function that never runs a trap and nothing more. The module has its names. */
export function snip(module) {
  const functions = Array.from({ length: module.getNumFunctions() }, (_, index) =>
    binaryen.getFunctionInfo(module.getFunctionByIndex(index)),
  );
  // What is imported has no body to lose.
  const needless = functions.filter(({ name, base }) => !base && neverRuns(name));
  for (const { name, params, results } of needless) {
    module.removeFunction(name);
    module.addFunction(name, params, results, [], module.unreachable());
  }
}
