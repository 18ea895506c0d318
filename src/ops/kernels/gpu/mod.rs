//! What training spends its time on, and whatever needs products of matrices, on the GPU: those that come with burn would
//! be a seventh of the artifact.
//!
//! Memory loads are what a kernel spends its time on, so a thread computes a tile of pixels for several channels.

mod conv;
mod correlate;
mod cut;
mod direct;
mod elementwise;
mod matmul;
mod normalise;
mod pool;
mod sides;
mod softmax;
mod stencil;
#[cfg(test)]
mod tests;
mod weight;

use burn::backend::Cube;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::cubecl::calculate_cube_count_elemwise;
use burn::cubecl::client::Client;
use burn::cubecl::prelude::*;
use burn::tensor::{DType, Shape};

use super::backend::{TrainingGradients, TrainingOps};
use super::conv::Conv;
pub(super) use conv::Packed;
use graftlab_kernels::adam::AdamStep;
use graftlab_kernels::normalise::Norm;
use normalise::{batch_norm, batch_norm_gradients};

type CubeTensor = FloatTensor<Cube>;

impl TrainingOps for Cube {
    fn train_matmul(left: CubeTensor, right: CubeTensor) -> CubeTensor {
        matmul::matmul(left, right)
    }

    fn train_conv2d(input: CubeTensor, weight: CubeTensor, conv: Conv) -> CubeTensor {
        convolved(input, weight, None, None, &conv)
    }

    fn train_conv2d_biased(
        input: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        conv: Conv,
    ) -> CubeTensor {
        convolved(input, weight, Some(bias), None, &conv)
    }

    fn infer_conv2d_bounded(
        input: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        conv: Conv,
        low: f32,
        high: f32,
    ) -> CubeTensor {
        convolved(input, weight, Some(bias), Some([low, high]), &conv)
    }

    fn train_conv2d_input(weight: CubeTensor, gradient: CubeTensor, conv: Conv) -> CubeTensor {
        match conv::fits(&conv) {
            true => conv::input_gradient(weight, gradient, &conv),
            false => direct::input_gradient(weight, gradient, &conv),
        }
    }

    fn train_max_pool2d(input: CubeTensor, conv: Conv) -> (CubeTensor, IntTensor<Self>) {
        pool::max_pool(input, &conv)
    }

    fn train_clip(input: CubeTensor, low: f32, high: f32) -> CubeTensor {
        elementwise::clip(input, low, high)
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
        norm: Norm,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        batch_norm([input, scale, shift], norm)
    }
}

impl TrainingGradients for Cube {
    fn train_conv2d_weight(input: CubeTensor, gradient: CubeTensor, conv: Conv) -> CubeTensor {
        match conv::fits(&conv) {
            true => conv::weight_gradient(input, gradient, &conv),
            false => direct::weight_gradient(input, gradient, &conv),
        }
    }

    fn train_max_pool2d_gradient(chosen: IntTensor<Self>, gradient: CubeTensor, conv: Conv) -> CubeTensor {
        pool::max_pool_gradient(chosen, gradient, &conv)
    }

    fn train_clip_gradient(clipped: CubeTensor, gradient: CubeTensor, low: f32, high: f32) -> CubeTensor {
        elementwise::clip_gradient(clipped, gradient, low, high)
    }

    fn train_batch_norm_gradients(
        input: CubeTensor,
        scale: CubeTensor,
        statistics: [CubeTensor; 2],
        output: Option<CubeTensor>,
        gradient: CubeTensor,
        norm: Norm,
    ) -> [CubeTensor; 3] {
        batch_norm_gradients([input, scale, gradient], statistics, output, norm)
    }
}

fn convolved(
    input: CubeTensor,
    weight: CubeTensor,
    bias: Option<CubeTensor>,
    bounds: Option<[f32; 2]>,
    conv: &Conv,
) -> CubeTensor {
    match conv::fits(conv) {
        true => conv::forward(input, weight, bias, bounds, conv),
        false => direct::forward(input, weight, bias, bounds, conv),
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
