//! Graftlab joins several pretrained image networks into one multi-task network.

#[cfg(target_arch = "wasm32")]
pub mod web;
