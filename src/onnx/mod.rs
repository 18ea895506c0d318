//! ONNX files: bytes to a [`Graph`](crate::graph::Graph) and back.
//!
//! Files of operator sets [`MIN_OPSET`] to [`MAX_OPSET`] are read. Whatever a file claims is checked here, so that
//! the rooms above may rely on the graph: every tensor has one origin, nodes are sorted, constants fill their shape.

mod attribute;
mod error;
mod external;
mod proto;
mod read;
mod tensor;
mod write;

pub use error::OnnxError;
pub use external::{external_files, with_external_files};
pub use read::{MAX_OPSET, MIN_OPSET, read};
pub use write::write;

#[cfg(test)]
mod tests;
