// The surface of the compute core, whose types are generated from Rust.
export type * from '../../../pkg/cpu/graftlab.js';
export type Core = typeof import('../../../pkg/cpu/graftlab.js');
