//! Convolutions, batch normalisation, clipping and the optimiser on the GPU.
//!
//! Memory loads are what a kernel spends its time on, so a thread computes a tile of pixels for several channels.

mod conv;
mod correlate;
mod cut;
mod elementwise;
mod normalise;
mod softmax;
mod stencil;
#[cfg(test)]
mod tests;
mod weight;

use burn::backend::Cube;
use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;
use burn::cubecl::calculate_cube_count_elemwise;
use burn::cubecl::client::Client;
use burn::cubecl::prelude::*;
use burn::tensor::{DType, Shape};

use super::adam::AdamStep;
use super::backend::TrainingOps;
use super::geometry::Conv;
use conv::{fits, forward, input_gradient, weight_gradient};
use normalise::{batch_norm, batch_norm_gradients};

type CubeTensor = FloatTensor<Cube>;

impl TrainingOps for Cube {
    fn train_conv2d(input: CubeTensor, weight: CubeTensor, conv: Conv) -> CubeTensor {
        match fits(&conv) {
            true => forward(input, weight, None, None, &conv),
            false => Self::conv2d(input, weight, None, conv.options),
        }
    }

    fn train_conv2d_biased(
        input: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        conv: Conv,
    ) -> CubeTensor {
        match fits(&conv) {
            true => forward(input, weight, Some(bias), None, &conv),
            false => Self::conv2d(input, weight, Some(bias), conv.options),
        }
    }

    fn infer_conv2d_bounded(
        input: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        conv: Conv,
        low: f32,
        high: f32,
    ) -> CubeTensor {
        match fits(&conv) {
            true => forward(input, weight, Some(bias), Some([low, high]), &conv),
            false => Self::train_clip(Self::conv2d(input, weight, Some(bias), conv.options), low, high),
        }
    }

    fn train_conv2d_input(
        input: CubeTensor,
        weight: CubeTensor,
        gradient: CubeTensor,
        conv: Conv,
    ) -> CubeTensor {
        match fits(&conv) {
            true => input_gradient(weight, gradient, &conv),
            false => Self::conv2d_x_backward(input, weight, gradient, conv.options),
        }
    }

    fn train_conv2d_weight(
        input: CubeTensor,
        weight: CubeTensor,
        gradient: CubeTensor,
        conv: Conv,
    ) -> CubeTensor {
        match fits(&conv) {
            true => weight_gradient(input, gradient, &conv),
            false => Self::conv2d_weight_backward(input, weight, gradient, conv.options),
        }
    }

    fn train_clip(input: CubeTensor, low: f32, high: f32) -> CubeTensor {
        elementwise::clip(input, low, high)
    }

    fn train_clip_gradient(clipped: CubeTensor, gradient: CubeTensor, low: f32, high: f32) -> CubeTensor {
        elementwise::clip_gradient(clipped, gradient, low, high)
    }

    fn train_softmax_loss(
        logits: CubeTensor,
        targets: CubeTensor,
        temperature: f32,
        taught: bool,
    ) -> (CubeTensor, CubeTensor) {
        softmax::loss(logits, targets, temperature, taught)
    }

    fn train_blend(
        mean: CubeTensor,
        variance: CubeTensor,
        new_mean: CubeTensor,
        new_variance: CubeTensor,
        share: f32,
    ) -> (CubeTensor, CubeTensor) {
        elementwise::blend([mean, variance, new_mean, new_variance], share)
    }

    fn train_adam(
        value: CubeTensor,
        gradient: CubeTensor,
        first: CubeTensor,
        second: CubeTensor,
        step: AdamStep,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        elementwise::adam([value, gradient, first, second], &step)
    }

    fn train_batch_norm(
        input: CubeTensor,
        scale: CubeTensor,
        shift: CubeTensor,
        epsilon: f64,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        batch_norm([input, scale, shift], epsilon as f32)
    }

    fn train_batch_norm_gradients(
        input: CubeTensor,
        scale: CubeTensor,
        mean: CubeTensor,
        variance: CubeTensor,
        epsilon: f64,
        gradient: CubeTensor,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        batch_norm_gradients([input, scale, mean, variance, gradient], epsilon as f32)
    }
}

/// The tensor, its values one after the other.
fn contiguous(tensor: CubeTensor) -> CubeTensor {
    if tensor.is_contiguous() {
        return tensor;
    }
    let (client, device) = (tensor.client.clone(), tensor.device.clone());
    let copy = burn::cubecl::std::tensor::into_contiguous(&client, tensor.binding(), f32::elem_type_native());
    CubeTensor::new(client, copy.handle, *copy.metadata, device, DType::F32)
}

/// A tensor that is still to be written.
fn empty(like: &CubeTensor, shape: Shape) -> CubeTensor {
    let handle = like.client.empty(shape.num_elements() * size_of::<f32>());
    CubeTensor::new_contiguous(like.client.clone(), like.device.clone(), shape, handle, DType::F32)
}

/// All of a contiguous tensor.
fn buffer(tensor: &CubeTensor) -> BufferArg {
    // SAFETY: the length is the tensor's own.
    unsafe { BufferArg::from_raw_parts(tensor.handle.clone(), tensor.meta.shape().num_elements()) }
}

/// Groups of threads, at least `count` threads in all.
fn threads(client: &Client, count: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new_1d(64);
    (calculate_cube_count_elemwise(client, count, dim), dim)
}
