//! The operations that backends may compute in their own way: flex does, in the file of that name, and the GPU, in the
//! folder `gpu`.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Scalar, TensorMetadata, backend_extension, get_or_init_device_settings};
use burn::tensor::{IntDType, Shape};

use super::geometry::Conv;

/// Operations with a forward pass and hand-written gradients; all tensors are `f32`. The defaults are burn's.
#[backend_extension(Flex, Cube: cfg(feature = "gpu"), Autodiff)]
pub(super) trait TrainingOps: Backend {
    fn train_conv2d(input: FloatTensor<Self>, weight: FloatTensor<Self>, conv: Conv) -> FloatTensor<Self> {
        Self::conv2d(input, weight, None, conv.options)
    }

    // On its own, for the macro takes no optional tensors.
    fn train_conv2d_biased(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self> {
        Self::conv2d(input, weight, Some(bias), conv.options)
    }

    /// A convolution whose output is moved between bounds.
    fn infer_conv2d_bounded(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
        low: f32,
        high: f32,
    ) -> FloatTensor<Self> {
        Self::train_clip(Self::train_conv2d_biased(input, weight, bias, conv), low, high)
    }

    /// Gradient of the input, from the output's.
    fn train_conv2d_input(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self> {
        Self::conv2d_x_backward(input, weight, gradient, conv.options)
    }

    /// Gradient of the weight, from the output's.
    fn train_conv2d_weight(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self> {
        Self::conv2d_weight_backward(input, weight, gradient, conv.options)
    }

    /// Gradient of the bias, from the output's: its sum over everything but the channels.
    fn train_conv2d_bias(gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        let channels = gradient.shape()[1];
        Self::float_reshape(Self::float_sum_dims(gradient, &[0, 2, 3]), Shape::new([channels]))
    }

    /// The maximum of each window that a depthwise convolution would read, padded alike on both sides; and what the
    /// gradient needs to know of the maxima chosen, which is the backend's own affair.
    fn train_max_pool2d(input: FloatTensor<Self>, conv: Conv) -> (FloatTensor<Self>, IntTensor<Self>) {
        let Conv { kernel, stride, padding, dilation, .. } = conv;
        let dtype = IntDType::I32;
        let result = Self::max_pool2d_with_indices(input, kernel, stride, padding, dilation, false, dtype);
        (result.output, result.indices)
    }

    /// Gradient of the input, from the output's.
    fn train_max_pool2d_gradient(
        input: FloatTensor<Self>,
        chosen: IntTensor<Self>,
        gradient: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self> {
        let Conv { kernel, stride, padding, dilation, .. } = conv;
        let result = Self::max_pool2d_with_indices_backward(
            input, kernel, stride, padding, dilation, false, gradient, chosen,
        );
        result.x_grad
    }

    fn train_clip(input: FloatTensor<Self>, low: f32, high: f32) -> FloatTensor<Self> {
        // A shader has no way to write an infinite bound.
        match (low.is_finite(), high.is_finite()) {
            (true, true) => Self::float_clamp(input, Scalar::Float(low.into()), Scalar::Float(high.into())),
            (true, false) => Self::float_clamp_min(input, Scalar::Float(low.into())),
            (false, true) => Self::float_clamp_max(input, Scalar::Float(high.into())),
            (false, false) => input,
        }
    }

    /// Gradient of the input, from the output's: nothing where the input lies outside.
    fn train_clip_gradient(
        input: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        low: f32,
        high: f32,
    ) -> FloatTensor<Self> {
        let dtype = get_or_init_device_settings::<Self>(&input.device()).bool_dtype;
        let mut gradient = gradient;
        if low.is_finite() {
            let below = Self::float_lower_elem(input.clone(), Scalar::Float(low.into()), dtype);
            gradient = Self::float_mask_fill(gradient, below, Scalar::Float(0.0));
        }
        if high.is_finite() {
            let above = Self::float_greater_elem(input, Scalar::Float(high.into()), dtype);
            gradient = Self::float_mask_fill(gradient, above, Scalar::Float(0.0));
        }
        gradient
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
