//! What can be wrong with an ONNX file.

use thiserror::Error;

/// Why a file cannot be read as a network, or a network not be written.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum OnnxError {
    #[error(
        "this is not an ONNX file: {reason}. \
         Hint: export the network with torch.onnx.export, tf2onnx or skl2onnx, and choose the .onnx file"
    )]
    NotOnnx { reason: String },

    #[error(
        "the file is damaged or cut short: {reason}. \
         Hint: compare its size with the original's, then copy or download it again"
    )]
    Damaged { reason: String },

    #[error(
        "the file uses operator set {opset}; versions {min} to {max} are supported. \
         Hint: convert it with onnx.version_converter, or export it again with opset_version=17"
    )]
    Opset { opset: i64, min: i64, max: i64 },

    #[error(
        "weights of the network are in another file, '{file}'. \
         Hint: give both files at once; on the command line, put it into the network's folder"
    )]
    ExternalData { file: String },

    #[error(
        "the file '{file}', which shall hold weights, {reason}. \
         Hint: save the network as one file: onnx.save(onnx.load(path), path, save_as_external_data=False)"
    )]
    ExternalFile { file: String, reason: String },

    #[error("tensor '{tensor}' {reason}. Hint: export the network in float32 with dense weights")]
    Tensor { tensor: String, reason: String },

    #[error(
        "input '{input}' {reason}. \
         Hint: export the network with float images of a fixed size; only the first axis, the batch, may be free"
    )]
    Input { input: String, reason: String },

    #[error("the network has no {what}. Hint: export it with an image as input and its logits as output")]
    Empty { what: &'static str },

    #[error(
        "node '{node}' reads '{tensor}', which nothing computes. \
         Hint: run onnx.checker.check_model on the file; it may have been cut by a tool"
    )]
    Missing { node: String, tensor: String },

    #[error(
        "the name '{tensor}' stands for two tensors. \
         Hint: run onnx.checker.check_model on the file; each name must be given once"
    )]
    Duplicate { tensor: String },

    #[error(
        "the nodes form a cycle through '{node}'. \
         Hint: run onnx.checker.check_model on the file; a network must not read its own outputs"
    )]
    Cycle { node: String },

    #[error(
        "node '{node}' uses operator {operator} (opset {opset}), which is not supported: {reason}. \
         Hint: docs/operators.md lists the supported operators; \
         export the network for inference, without branches and loops"
    )]
    Unsupported { node: String, operator: String, opset: i64, reason: String },
}
