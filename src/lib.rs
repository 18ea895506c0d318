//! Graftlab joins several pretrained image networks into one multi-task network.
//!
//! Each module is a room with one job and uses only the rooms below it; `ARCHITECTURE.md` shows the house.

pub mod graph;
pub mod onnx;
pub mod ops;
