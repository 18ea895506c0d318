//! Flex, computed by the kernels for the CPU.

use std::sync::Arc;

use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::{Bytes, DType, Shape};
use graftlab_kernels::adam::{self, AdamStep};
use graftlab_kernels::correlate::{self, Correlate};
use graftlab_kernels::normalise::{self, Norm};
use graftlab_kernels::product::{self, Matrices};
use graftlab_kernels::{pool, weight};

use super::backend::{TrainingGradients, TrainingOps};
use super::conv::Conv;
use super::kept::Kept;

impl TrainingOps for Flex {
    fn train_matmul(left: FlexTensor, right: FlexTensor) -> FlexTensor {
        let mut shape = left.shape();
        let axes = shape.num_dims();
        let [inner, columns] = [axes - 2, axes - 1].map(|axis| right.shape()[axis]);
        let sizes = [shape[axes - 2], inner, columns];
        shape[axes - 1] = columns;
        tensor(product::products(&matrices(&left), &matrices(&right), sizes), shape)
    }

    fn train_conv2d(input: FlexTensor, weight: FlexTensor, conv: Conv) -> FlexTensor {
        convolved(input, weight, None, None, &conv)
    }

    fn train_conv2d_biased(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        conv: Conv,
    ) -> FlexTensor {
        convolved(input, weight, Some(bias), None, &conv)
    }

    fn infer_conv2d_bounded(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        conv: Conv,
        low: f32,
        high: f32,
    ) -> FlexTensor {
        convolved(input, weight, Some(bias), Some([low, high]), &conv)
    }

    fn train_conv2d_input(weight: FlexTensor, gradient: FlexTensor, conv: Conv) -> FlexTensor {
        let [weight, gradient] = [weight, gradient].map(Floats::of);
        tensor(correlate::input_gradient(&conv, gradient.slice(), weight.slice()), input_shape(&conv))
    }

    fn train_max_pool2d(input: FlexTensor, conv: Conv) -> (FlexTensor, FlexTensor) {
        let (output, chosen) = pool::max_pool(&conv, Floats::of(input).slice());
        let layout = Layout::contiguous(output_shape(&conv));
        (tensor(output, output_shape(&conv)), FlexTensor::new(Bytes::from_elems(chosen), layout, DType::I32))
    }

    fn train_clip(input: FlexTensor, low: f32, high: f32) -> FlexTensor {
        let shape = input.shape();
        tensor(pool::clip(Floats::of(input).slice(), [low, high]), shape)
    }

    fn train_adam(
        value: FlexTensor,
        gradient: FlexTensor,
        first: FlexTensor,
        second: FlexTensor,
        step: AdamStep,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let shape = value.shape();
        let [value, gradient, first, second] = [value, gradient, first, second].map(Floats::of);
        let moments = [first.slice(), second.slice()];
        let (value, [first, second]) = adam::adam(value.slice(), gradient.slice(), moments, &step);
        (tensor(value, shape.clone()), tensor(first, shape.clone()), tensor(second, shape))
    }

    fn train_batch_norm(
        input: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        norm: Norm,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let shape = input.shape();
        let channels = shape[1];
        let [input, scale, shift] = [input, scale, shift].map(Floats::of);
        let result = normalise::forward(input.slice(), shape[0], scale.slice(), shift.slice(), norm.epsilon);
        // In the same loop it was slower in WebAssembly, by a quarter of a step.
        let output = match norm.bounds {
            Some(bounds) => pool::clip(&result.output, bounds),
            None => result.output,
        };
        (tensor(output, shape), tensor(result.mean, [channels]), tensor(result.variance, [channels]))
    }
}

impl TrainingGradients for Flex {
    fn train_conv2d_weight(input: FlexTensor, gradient: FlexTensor, conv: Conv) -> FlexTensor {
        let [input, gradient] = [input, gradient].map(Floats::of);
        let shape = [conv.channels_out, conv.group_in(), conv.kernel[0], conv.kernel[1]];
        tensor(weight::weight_gradient(&conv, input.slice(), gradient.slice()), shape)
    }

    fn train_conv2d_bias(gradient: FlexTensor) -> FlexTensor {
        let shape = gradient.shape();
        let gradient = Floats::of(gradient);
        tensor(normalise::channel_sums(gradient.slice(), shape[0], shape[1]), [shape[1]])
    }

    fn train_max_pool2d_gradient(chosen: FlexTensor, gradient: FlexTensor, conv: Conv) -> FlexTensor {
        // As `train_max_pool2d` made it.
        let chosen = chosen.as_slice().unwrap_or_default();
        tensor(pool::max_pool_gradient(&conv, Floats::of(gradient).slice(), chosen), input_shape(&conv))
    }

    fn train_clip_gradient(clipped: FlexTensor, gradient: FlexTensor, low: f32, high: f32) -> FlexTensor {
        let shape = clipped.shape();
        let [clipped, gradient] = [clipped, gradient].map(Floats::of);
        tensor(pool::clip_gradient(clipped.slice(), gradient.slice(), [low, high]), shape)
    }

    fn train_batch_norm_gradients(
        input: FlexTensor,
        scale: FlexTensor,
        statistics: [FlexTensor; 2],
        output: Option<FlexTensor>,
        gradient: FlexTensor,
        norm: Norm,
    ) -> [FlexTensor; 3] {
        let shape = input.shape();
        let channels = shape[1];
        let gradient = masked(gradient, output, norm.bounds);
        let [input, scale] = [input, scale].map(Floats::of);
        let [mean, variance] = statistics.map(Floats::of);
        let statistics = normalise::Statistics {
            scale: scale.slice(),
            mean: mean.slice(),
            variance: variance.slice(),
            epsilon: norm.epsilon,
        };
        let result = normalise::backward(input.slice(), gradient.slice(), shape[0], statistics);
        [tensor(result.input, shape), tensor(result.scale, [channels]), tensor(result.shift, [channels])]
    }
}

/// The gradient where the output was not moved to a bound. What it is made of is let go here, so that its memory can be
/// used again at once.
fn masked(gradient: FlexTensor, output: Option<FlexTensor>, bounds: Option<[f32; 2]>) -> Floats {
    let gradient = Floats::of(gradient);
    match output.map(Floats::of).zip(bounds) {
        Some((output, bounds)) => {
            let shape = gradient.0.shape();
            Floats(tensor(pool::clip_gradient(output.slice(), gradient.slice(), bounds), shape))
        }
        None => gradient,
    }
}

fn convolved(
    input: FlexTensor,
    weight: FlexTensor,
    bias: Option<FlexTensor>,
    bounds: Option<[f32; 2]>,
    conv: &Conv,
) -> FlexTensor {
    let (input, weight, bias) = (Floats::of(input), Floats::of(weight), bias.map(Floats::of));
    let bias = bias.as_ref().map(Floats::slice);
    let output = match &conv.kept {
        Some(kept) => Prepared::kept(kept, conv, &weight).correlate.solve(input.slice(), bias, bounds),
        None => correlate::forward(conv, weight.slice()).solve(input.slice(), bias, bounds),
    };
    tensor(output, output_shape(conv))
}

/// Weights in the order of use, and the cut of the image.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// Kept, too, so that nobody may change it in its place or put another one there.
    weight: FlexTensor,
    batch: usize,
    input: [usize; 2],
    correlate: Arc<Correlate>,
}

impl Prepared {
    fn kept(kept: &Kept, conv: &Conv, weight: &Floats) -> Self {
        let current = |kept: &Self| {
            kept.batch == conv.batch
                && kept.input == conv.input
                && kept.weight.as_slice::<f32>().is_some_and(|kept| std::ptr::eq(kept, weight.slice()))
        };
        kept.cpu.get(current, || Self {
            weight: weight.0.clone(),
            batch: conv.batch,
            input: conv.input,
            correlate: Arc::new(correlate::forward(conv, weight.slice())),
        })
    }
}

/// A tensor of `f32` whose values lie one after the other.
pub(super) struct Floats(FlexTensor);

impl Floats {
    pub fn of(tensor: FlexTensor) -> Self {
        Self(tensor.to_contiguous())
    }

    pub fn slice(&self) -> &[f32] {
        // The functions of this room send nothing but `f32` here, and `of` has seen to the order.
        self.0.as_slice().unwrap_or_default()
    }
}

/// The last two axes as matrices, wherever their values lie.
fn matrices(tensor: &FlexTensor) -> Matrices<'_> {
    let layout = tensor.layout();
    let (leading, sizes) = (layout.num_dims() - 2, layout.shape());
    let mut starts = vec![layout.start_offset()];
    for (axis, &stride) in layout.strides()[..leading].iter().enumerate() {
        let steps = 0..sizes[axis] as isize;
        let along = |start: usize| steps.clone().map(move |step| start.wrapping_add_signed(step * stride));
        starts = starts.into_iter().flat_map(along).collect();
    }
    let strides = [layout.strides()[leading], layout.strides()[leading + 1]];
    Matrices { values: tensor.storage(), starts, strides }
}

fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(shape.into()), DType::F32)
}

fn input_shape(conv: &Conv) -> Shape {
    Shape::new([conv.batch, conv.channels_in, conv.input[0], conv.input[1]])
}

fn output_shape(conv: &Conv) -> Shape {
    Shape::new([conv.batch, conv.channels_out, conv.output[0], conv.output[1]])
}
