//! Which backend computes what: flex by the kernels beside this file, every other one by burn's operations.

use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, TensorMetadata, backend_extension};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Bytes, DType, Shape};

use super::geometry::Conv;
use super::{correlate, normalise, weight};

/// Operations with a forward pass and hand-written gradients. The defaults are burn's.
#[backend_extension(Flex, Cube: cfg(feature = "webgpu"), Autodiff)]
pub(super) trait TrainingOps: Backend {
    fn train_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::conv2d(input, weight, None, options)
    }

    // On its own, for the macro takes no optional tensors.
    fn train_conv2d_biased(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::conv2d(input, weight, Some(bias), options)
    }

    /// Gradient of the input, from the output's.
    fn train_conv2d_input(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::conv2d_x_backward(input, weight, gradient, options)
    }

    /// Gradient of the weight, from the output's.
    fn train_conv2d_weight(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::conv2d_weight_backward(input, weight, gradient, options)
    }

    /// Gradient of the bias, from the output's: its sum over everything but the channels.
    fn train_conv2d_bias(gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        let channels = gradient.shape()[1];
        Self::float_reshape(Self::float_sum_dims(gradient, &[0, 2, 3]), Shape::new([channels]))
    }

    /// The output, and mean and biased variance of the batch.
    fn train_batch_norm(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let result = Self::batch_norm_train(input, scale, shift, epsilon);
        (result.output, result.mean, result.variance)
    }

    /// Gradients of input, scale and shift, from the output's.
    fn train_batch_norm_gradients(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        epsilon: f64,
        gradient: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let result = Self::batch_norm_train_backward(input, scale, mean, variance, epsilon, gradient);
        (result.x_grad, result.gamma_grad, result.beta_grad)
    }
}

#[cfg(feature = "webgpu")]
impl TrainingOps for burn::backend::Cube {}

impl TrainingOps for Flex {
    fn train_conv2d(input: FlexTensor, weight: FlexTensor, options: ConvOptions<2>) -> FlexTensor {
        convolve(input, weight, None, options)
    }

    fn train_conv2d_biased(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        options: ConvOptions<2>,
    ) -> FlexTensor {
        convolve(input, weight, Some(bias), options)
    }

    fn train_conv2d_input(
        input: FlexTensor,
        weight: FlexTensor,
        gradient: FlexTensor,
        options: ConvOptions<2>,
    ) -> FlexTensor {
        let Some(conv) = sizes(&input, &weight, &options) else {
            return Self::conv2d_x_backward(input, weight, gradient, options);
        };
        let (weight, gradient) = (Floats::of(weight), Floats::of(gradient));
        tensor(correlate::input_gradient(&conv, gradient.slice(), weight.slice()), input.shape())
    }

    fn train_conv2d_weight(
        input: FlexTensor,
        weight: FlexTensor,
        gradient: FlexTensor,
        options: ConvOptions<2>,
    ) -> FlexTensor {
        let Some(conv) = sizes(&input, &weight, &options) else {
            return Self::conv2d_weight_backward(input, weight, gradient, options);
        };
        let (input, gradient) = (Floats::of(input), Floats::of(gradient));
        tensor(weight::weight_gradient(&conv, input.slice(), gradient.slice()), weight.shape())
    }

    fn train_conv2d_bias(gradient: FlexTensor) -> FlexTensor {
        let shape = gradient.shape();
        let gradient = Floats::of(gradient);
        tensor(normalise::channel_sums(gradient.slice(), shape[0], shape[1]), [shape[1]])
    }

    fn train_batch_norm(
        input: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        epsilon: f64,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let shape = input.shape();
        if [&input, &scale, &shift].iter().any(|tensor| tensor.dtype() != DType::F32)
            || shape.num_elements() == 0
        {
            let result = Self::batch_norm_train(input, scale, shift, epsilon);
            return (result.output, result.mean, result.variance);
        }
        let (input, scale, shift) = (Floats::of(input), Floats::of(scale), Floats::of(shift));
        let channels = shape[1];
        let result =
            normalise::forward(input.slice(), shape[0], scale.slice(), shift.slice(), epsilon as f32);
        (tensor(result.output, shape), tensor(result.mean, [channels]), tensor(result.variance, [channels]))
    }

    fn train_batch_norm_gradients(
        input: FlexTensor,
        scale: FlexTensor,
        mean: FlexTensor,
        variance: FlexTensor,
        epsilon: f64,
        gradient: FlexTensor,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let shape = input.shape();
        let tensors = [&input, &scale, &mean, &variance, &gradient];
        if tensors.iter().any(|tensor| tensor.dtype() != DType::F32) || shape.num_elements() == 0 {
            let result = Self::batch_norm_train_backward(input, scale, mean, variance, epsilon, gradient);
            return (result.x_grad, result.gamma_grad, result.beta_grad);
        }
        let [input, scale, mean, variance, gradient] =
            [input, scale, mean, variance, gradient].map(Floats::of);
        let channels = shape[1];
        let statistics = normalise::Statistics {
            scale: scale.slice(),
            mean: mean.slice(),
            variance: variance.slice(),
            epsilon: epsilon as f32,
        };
        let result = normalise::backward(input.slice(), gradient.slice(), shape[0], statistics);
        (tensor(result.input, shape), tensor(result.scale, [channels]), tensor(result.shift, [channels]))
    }
}

fn convolve(
    input: FlexTensor,
    weight: FlexTensor,
    bias: Option<FlexTensor>,
    options: ConvOptions<2>,
) -> FlexTensor {
    let conv = match sizes(&input, &weight, &options) {
        Some(conv) if bias.as_ref().is_none_or(|bias| bias.dtype() == DType::F32) => conv,
        _ => return Flex::conv2d(input, weight, bias, options),
    };
    let (input, weight, bias) = (Floats::of(input), Floats::of(weight), bias.map(Floats::of));
    let output = correlate::forward(&conv, input.slice(), weight.slice(), bias.as_ref().map(Floats::slice));
    tensor(output, [conv.batch, conv.channels_out, conv.output[0], conv.output[1]])
}

/// Sizes of a convolution that the kernels compute.
fn sizes(input: &FlexTensor, weight: &FlexTensor, options: &ConvOptions<2>) -> Option<Conv> {
    if input.dtype() != DType::F32 || weight.dtype() != DType::F32 {
        return None;
    }
    Conv::new(input.shape().dims(), weight.shape().dims(), options)
}

/// A tensor whose floats lie one after the other.
struct Floats(FlexTensor);

impl Floats {
    fn of(tensor: FlexTensor) -> Self {
        Self(tensor.to_contiguous())
    }

    fn slice(&self) -> &[f32] {
        // `sizes` and the other callers have made sure of the type, `of` of the order.
        self.0.as_slice().unwrap_or_default()
    }
}

fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(shape.into()), DType::F32)
}
