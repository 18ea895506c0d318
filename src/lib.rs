//! Graftlab joins several pretrained image networks into one multi-task network.
//!
//! Each module is a room with one job and uses only the rooms below it; `ARCHITECTURE.md` shows the house.

#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
pub mod data;
#[cfg(not(target_arch = "wasm32"))]
pub mod evidence;
pub mod graph;
pub mod join;
pub mod net;
pub mod onnx;
pub mod ops;
pub mod platform;
#[cfg(not(target_arch = "wasm32"))]
pub mod pretrain;
pub mod project;
pub mod report;
pub mod search;
pub mod task_kind;
pub mod train;
#[cfg(target_arch = "wasm32")]
pub mod web;
