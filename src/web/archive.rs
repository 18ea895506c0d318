//! Checkpoints of a run, on their way to the page.

use std::cell::Cell;

use js_sys::{Function, Uint8Array};
use wasm_bindgen::JsValue;

use super::device;
use super::rest::Rest;
use crate::project::Archive;

/// Hands checkpoints to the page.
pub struct PageArchive<'a> {
    pub keep: Function,
    pub wanted: &'a Cell<bool>,
    pub rest: &'a Rest,
}

impl Archive for PageArchive<'_> {
    fn wants_now(&self) -> bool {
        self.wanted.get()
    }

    fn keep(&self, checkpoint: Vec<u8>) {
        self.wanted.set(false);
        // What a device that reports errors has computed is not worth going on from.
        if device::check_log().is_err() {
            return;
        }
        let _ = self.keep.call1(&JsValue::NULL, &Uint8Array::from(&checkpoint[..]));
        self.rest.begin();
    }
}
