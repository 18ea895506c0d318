//! The browser's door to the image decoders.
//!
//! A module of its own: they are as much code as a third of the core, which starts without them and calls them once there are
//! images. What memory they took for large images goes with them, too.

#![cfg(target_arch = "wasm32")]

use graftlab_images::ImageShape;
use wasm_bindgen::prelude::*;

/// Turns a Rust panic into a readable error. Runs when the module is loaded.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// Decodes one image file to bytes, `[channels, height, width]`; see [`graftlab_images::decode`].
///
/// # Errors
///
/// The reason, in words, why the file does not decode.
#[wasm_bindgen]
pub fn decode(bytes: &[u8], channels: usize, height: usize, width: usize) -> Result<Vec<u8>, String> {
    graftlab_images::decode(bytes, ImageShape { channels, height, width })
}
