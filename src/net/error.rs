//! What can be wrong with a network.

use thiserror::Error;

use crate::ops::OpError;

/// Why a network cannot be used.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum NetError {
    #[error(transparent)]
    Operator(#[from] OpError),

    #[error(
        "the network must have a single image input of four axes [batch, channels, height, width]; found {found}. \
         Hint: export the network with only its image input"
    )]
    Input { found: String },

    #[error(
        "the image input has {channels} channels. Hint: networks on grey (1) or RGB (3) images are supported"
    )]
    Channels { channels: usize },

    #[error("the network has no output. Hint: export it with its logits as output")]
    NoOutput,

    #[error(
        "weight '{tensor}' holds NaN, which is no number. Hint: the training has failed; export an earlier state of it"
    )]
    NotANumber { tensor: String },

    #[error("the network has no output '{name}'. Hint: choose one of {names}")]
    NoSuchOutput { name: String, names: String },

    #[error(
        "the network has several outputs, {names}, but one task's name or classes were given. \
         Hint: say which output they belong to, as in NAME.onnx:output=NAME"
    )]
    ManyOutputs { names: String },

    #[error(
        "output '{output}' has shape {shape:?}; expected [batch, classes]. \
         Hint: Graftlab joins networks that classify whole images; \
         where there are several outputs, pick one, as in NAME.onnx:output=NAME"
    )]
    Output { output: String, shape: Vec<usize> },

    #[error(
        "task '{task}' names {names} classes, but its output has {outputs}. Hint: give one name per output"
    )]
    Classes { task: String, names: usize, outputs: usize },

    #[error(
        "the network does not say how its pixels are scaled. \
         Hint: choose one of bytes (0..255), unit (0..1), signed (-1..1) or imagenet (mean and deviation of ImageNet)"
    )]
    NeedsOptions,

    #[error("metadata '{key}' cannot be understood: {reason}. Hint: see docs/bring-your-own.md for its form")]
    Metadata { key: String, reason: String },

    #[error(
        "the results of the device differ from those of the CPU, by {difference:.0e} of the largest, so they cannot be \
         believed. Hint: use the CPU"
    )]
    DevicesDiffer { difference: f64 },

    #[error("the device failed: {reason}. Hint: run again on the CPU backend")]
    Device { reason: String },
}
