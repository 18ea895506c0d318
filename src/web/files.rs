//! Files that the page has read, and those that belong to a network.

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use super::Session;
use super::failure::{Failure, bad_message};
use crate::onnx::{self, OnnxError};
use crate::project::ProjectError;

/// Paths and bytes of `{ path: string; bytes: Uint8Array }[]`.
pub fn read(files: &Array) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let read = files.iter().map(|file| {
        let field = |name: &str| Reflect::get(&file, &name.into()).map_err(|_| bad_message("a file"));
        let path = field("path")?.as_string().ok_or_else(|| bad_message("a file's path"))?;
        let bytes: Uint8Array = field("bytes")?.dyn_into().map_err(|_| bad_message("a file's bytes"))?;
        Ok((path, bytes.to_vec()))
    });
    read.collect()
}

#[wasm_bindgen]
impl Session {
    /// Paths of the files that hold weights of a network, relative to its folder; none for most networks.
    ///
    /// # Errors
    ///
    /// The file is no network, or names a path outside its folder.
    #[wasm_bindgen(js_name = externalFiles)]
    pub fn external_files(&self, file_name: &str, bytes: &[u8]) -> Result<Vec<String>, Failure> {
        Ok(onnx::external_files(bytes).map_err(in_file(file_name))?)
    }

    /// A network with all its weights in one file. The paths of `files` are those of `externalFiles`.
    ///
    /// # Errors
    ///
    /// A file that is not there or does not hold what the network says.
    #[wasm_bindgen(js_name = withExternalFiles)]
    pub fn with_external_files(
        &self,
        file_name: &str,
        bytes: &[u8],
        #[wasm_bindgen(unchecked_param_type = "{ path: string; bytes: Uint8Array }[]")] files: Array,
    ) -> Result<Vec<u8>, Failure> {
        let files = read(&files)?.into_iter().collect();
        Ok(onnx::with_external_files(bytes, &files).map_err(in_file(file_name))?)
    }
}

fn in_file(name: &str) -> impl Fn(OnnxError) -> ProjectError {
    move |source| ProjectError::Onnx { file: name.to_owned(), source }
}
