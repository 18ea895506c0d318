//! Graftlab joins several pretrained image networks into one multi-task network.

pub mod ops;
