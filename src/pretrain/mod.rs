//! Makes what is bundled.
mod backbone;
mod networks;
pub use backbone::{Family, backbone};
pub use networks::{RECIPES, Recipe, Trained, train_backbone};
