//! The operations that training spends its time on.
//!
//! The functions take tensors of any device, which hold `f32`. On flex they run the crate `graftlab-kernels`, forward and
//! backward, and burn's products of matrices; on WebGPU the kernels of the folder `gpu`. Results on flex don't depend on the
//! number of threads.

mod autodiff;
mod backend;
mod conv;
mod flex;
#[cfg(feature = "gpu")]
mod gpu;
mod kept;
mod memory;

#[cfg(test)]
mod tests;

use burn::Tensor;
use burn::backend::Dispatch;
use burn::tensor::Device;
use burn::tensor::ops::ConvOptions;

use backend::TrainingOps;
use conv::Conv;
pub use graftlab_kernels::adam::AdamStep;
use graftlab_kernels::normalise::Norm;
pub use kept::Kept;
pub use memory::keep_freed_memory;

/// Products of matrices.
///
/// # Shapes
/// `[..., rows, inner]` and `[..., inner, columns]`, whose leading axes broadcast against each other; gives
/// `[..., rows, columns]`. Other sizes panic.
pub fn matmul<const D: usize>(left: Tensor<D>, right: Tensor<D>) -> Tensor<D> {
    let (mut left_dims, mut right_dims) = (left.dims(), right.dims());
    for (left, right) in left_dims.iter_mut().zip(&mut right_dims).take(D.saturating_sub(2)) {
        let size = if *left == 1 { *right } else { *left };
        (*left, *right) = (size, size);
    }
    let wide = |tensor: Tensor<D>, dims| if tensor.dims() == dims { tensor } else { tensor.expand(dims) };
    let (left, right) = (wide(left, left_dims), wide(right, right_dims));
    Tensor::from_dispatch(Dispatch::train_matmul(left.into_dispatch(), right.into_dispatch()))
}

/// Two-dimensional convolution.
///
/// # Shapes
/// `input` `[batch, channels_in, height, width]`, `weight`
/// `[channels_out, channels_in / groups, kernel_height, kernel_width]`, `bias` `[channels_out]`; gives
/// `[batch, channels_out, output_height, output_width]`.
///
/// The kernels know groups, strides, dilation and uneven padding. Sizes that make no convolution panic.
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    infer_conv2d(input, weight, bias, options, None, None)
}

/// [`conv2d`], its output moved between bounds as by [`clip`]. What it makes of the weights alone is put into `kept`.
pub fn infer_conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
    bounds: Option<[f32; 2]>,
    kept: Option<&Kept>,
) -> Tensor<4> {
    let bounded = |output| match bounds {
        Some([low, high]) => clip(output, low, high),
        None => output,
    };
    let conv = Conv { kept: kept.cloned(), ..convolution(input.dims(), weight.dims(), options) };
    let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
    match (bias, bounds) {
        (Some(bias), Some([low, high])) => Tensor::from_dispatch(Dispatch::infer_conv2d_bounded(
            input,
            weight,
            bias.into_dispatch(),
            conv,
            low,
            high,
        )),
        (Some(bias), None) => {
            Tensor::from_dispatch(Dispatch::train_conv2d_biased(input, weight, bias.into_dispatch(), conv))
        }
        (None, _) => bounded(Tensor::from_dispatch(Dispatch::train_conv2d(input, weight, conv))),
    }
}

/// Two-dimensional transposed convolution, not padded.
///
/// # Shapes
/// `input` `[batch, channels_in, height, width]`, `weight`
/// `[channels_in, channels_out / groups, kernel_height, kernel_width]`; gives `[batch, channels_out, rows, columns]`,
/// `rows` and `columns` as large as the windows reach. Sizes that make no convolution panic.
pub fn conv_transpose2d(input: Tensor<4>, weight: Tensor<4>, window: ConvOptions<2>) -> Tensor<4> {
    let ([batch, _, height, width], [_, filters, kernel_height, kernel_width]) =
        (input.dims(), weight.dims());
    let reach = |axis: usize, size: usize, kernel: usize| {
        size.saturating_sub(1) * window.stride[axis] + window.dilation[axis] * kernel.saturating_sub(1) + 1
    };
    let output =
        [batch, filters * window.groups, reach(0, height, kernel_height), reach(1, width, kernel_width)];
    // It is the gradient of the input of a convolution that goes the other way.
    let conv = convolution(output, weight.dims(), window);
    Tensor::from_dispatch(Dispatch::train_conv2d_input(weight.into_dispatch(), input.into_dispatch(), conv))
}

/// The maximum over the windows that a depthwise convolution with such a kernel reads; what is padded loses against every
/// value.
///
/// # Shapes
/// `[batch, channels, height, width]` to `[batch, channels, output_height, output_width]`. Sizes that make no window
/// panic.
pub fn max_pool2d(input: Tensor<4>, kernel: [usize; 2], options: ConvOptions<2>) -> Tensor<4> {
    let [_, channels, _, _] = input.dims();
    let weight = [channels, 1, kernel[0], kernel[1]];
    let conv = convolution(input.dims(), weight, ConvOptions { groups: channels, ..options });
    Tensor::from_dispatch(Dispatch::train_max_pool2d(input.into_dispatch(), conv).0)
}

fn convolution(input: [usize; 4], weight: [usize; 4], options: ConvOptions<2>) -> Conv {
    let Some(conv) = Conv::new(input, weight, options) else {
        unreachable!("sizes that make no convolution are refused when a network is read")
    };
    conv
}

/// Each value, moved to the nearer end of `low ..= high` if it lies outside: ReLU, ReLU6 and ONNX `Clip`. Only values
/// between the ends get a gradient.
pub fn clip<const D: usize>(input: Tensor<D>, low: f32, high: f32) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::train_clip(input.into_dispatch(), low, high))
}

/// How far the softmax of each row of `logits / temperature` is from what it should be, in nats: its cross-entropy with
/// `targets`, or, where these are a teacher's logits, the divergence from their softmax at the same temperature. Only
/// `logits` get a gradient. `None` on the CPU, where burn's operations do this as well.
///
/// # Shapes
/// `logits` and `targets` `[batch, classes]`, `f32`; gives `[batch]`.
pub fn softmax_loss(
    logits: &Tensor<2>,
    targets: &Tensor<2>,
    temperature: f32,
    taught: bool,
) -> Option<Tensor<1>> {
    if logits.device().inner() == Device::flex() {
        return None;
    }
    let (logits, targets) = (logits.clone().into_dispatch(), targets.clone().into_dispatch());
    Some(Tensor::from_dispatch(Dispatch::train_softmax_loss(logits, targets, temperature, taught).0))
}

/// Mean and variance, moved towards others by a share of the distance.
///
/// # Shapes
/// All have one length. They are `f32`, on one device, and nothing is differentiated.
pub fn blend(old: [Tensor<1>; 2], new: [Tensor<1>; 2], share: f32) -> [Tensor<1>; 2] {
    let [[mean, variance], [new_mean, new_variance]] = [old, new].map(|pair| pair.map(Tensor::into_dispatch));
    let (mean, variance) = Dispatch::train_blend(mean, variance, new_mean, new_variance, share);
    [mean, variance].map(Tensor::from_dispatch)
}

/// One step of AdamW: the value and its two moments after it.
///
/// # Shapes
/// All tensors have one length. They are `f32`, on one device, outside automatic differentiation.
pub fn adam(
    value: Tensor<1>,
    gradient: Tensor<1>,
    moments: [Tensor<1>; 2],
    step: AdamStep,
) -> (Tensor<1>, [Tensor<1>; 2]) {
    let [first, second] = moments.map(Tensor::into_dispatch);
    let (value, gradient) = (value.into_dispatch(), gradient.into_dispatch());
    let (value, first, second) = Dispatch::train_adam(value, gradient, first, second, step);
    (Tensor::from_dispatch(value), [first, second].map(Tensor::from_dispatch))
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

/// Batch normalisation by the statistics of the batch itself, over every axis but the channels; its output is moved
/// between bounds as by [`clip`].
///
/// # Shapes
/// `input` `[batch, channels, height, width]`, none of them zero, `scale` and `shift` `[channels]`.
///
/// Source: Ioffe and Szegedy, "Batch Normalization", 2015, algorithm 1.
pub fn batch_norm_train(
    input: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    epsilon: f64,
    bounds: Option<[f32; 2]>,
) -> BatchNormOutput {
    let (input, scale, shift) = (input.into_dispatch(), scale.into_dispatch(), shift.into_dispatch());
    let norm = Norm { epsilon: epsilon as f32, bounds };
    let (output, mean, variance) = Dispatch::train_batch_norm(input, scale, shift, norm);
    BatchNormOutput {
        output: Tensor::from_dispatch(output),
        mean: Tensor::from_dispatch(mean),
        variance: Tensor::from_dispatch(variance),
    }
}
