//! The browser's side: what JavaScript may call.

use wasm_bindgen::prelude::wasm_bindgen;

/// The version of this crate, as in `Cargo.toml`.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
