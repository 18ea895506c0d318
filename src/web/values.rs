//! Values between Rust and JavaScript.

use serde::Serialize;
use wasm_bindgen::JsValue;

use super::failure::{Failure, bad_message};

/// A plain object of what a value serialises to.
pub fn to_js<T: Serialize + ?Sized>(value: &T) -> Result<JsValue, Failure> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(|error| bad_message(&error.to_string()))
}

/// The value that a plain object holds.
pub fn from_js<T: serde::de::DeserializeOwned>(value: JsValue) -> Result<T, Failure> {
    serde_wasm_bindgen::from_value(value).map_err(|error| bad_message(&error.to_string()))
}
