//! Convolution and batch normalisation for training on the CPU.
//!
//! The functions take tensors of any device. On flex they run kernels of this module, forward and backward; on any
//! other backend they are burn's own. Results on flex don't depend on the number of threads.

mod autodiff;
mod backend;
mod correlate;
mod geometry;
mod normalise;
mod parallel;
mod source;
mod span;
mod tile;
mod weight;

#[cfg(test)]
mod tests;

use burn::Tensor;
use burn::backend::Dispatch;
use burn::tensor::ops::ConvOptions;

use backend::TrainingOps;

/// Two-dimensional convolution.
///
/// # Shapes
/// `input` `[batch, channels_in, height, width]`, `weight`
/// `[channels_out, channels_in / groups, kernel_height, kernel_width]`, `bias` `[channels_out]`; gives
/// `[batch, channels_out, output_height, output_width]`.
///
/// Groups, strides, dilation and uneven padding are all computed by the same kernels; what isn't `f32` is left to
/// burn. As with burn's function, sizes that make no convolution panic.
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::train_conv2d_biased(input, weight, bias.into_dispatch(), options),
        None => Dispatch::train_conv2d(input, weight, options),
    })
}

/// What [`batch_norm_train`] gives.
pub struct BatchNormOutput {
    /// The normalised input.
    pub output: Tensor<4>,
    /// Mean of the batch, `[channels]`, outside the gradient's graph.
    pub mean: Tensor<1>,
    /// Biased variance of the batch without `epsilon`, `[channels]`, outside the gradient's graph.
    pub variance: Tensor<1>,
}

/// Batch normalisation by the statistics of the batch itself, over every axis but the channels.
///
/// # Shapes
/// `input` `[batch, channels, height, width]`, `scale` and `shift` `[channels]`.
///
/// Source: Ioffe and Szegedy, "Batch Normalization", 2015, algorithm 1.
pub fn batch_norm_train(
    input: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    epsilon: f64,
) -> BatchNormOutput {
    let (input, scale, shift) = (input.into_dispatch(), scale.into_dispatch(), shift.into_dispatch());
    let (output, mean, variance) = Dispatch::train_batch_norm(input, scale, shift, epsilon);
    BatchNormOutput {
        output: Tensor::from_dispatch(output),
        mean: Tensor::from_dispatch(mean),
        variance: Tensor::from_dispatch(variance),
    }
}
