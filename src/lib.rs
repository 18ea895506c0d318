//! Graftlab joins several pretrained image networks into one multi-task network.

pub mod data;
#[cfg(not(target_arch = "wasm32"))]
pub mod pretrain;
