//! The operations that backends may compute in their own way: flex does, in the file of that name, and the GPU, in the
//! folder `gpu`.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Scalar, TensorMetadata, backend_extension, get_or_init_device_settings};
use burn::tensor::Shape;

use super::conv::Conv;
use graftlab_kernels::adam::AdamStep;
use graftlab_kernels::normalise::Norm;

/// Operations, all of whose tensors are `f32`. The defaults are burn's.
#[backend_extension(Flex, Cube: cfg(feature = "gpu"), Autodiff)]
pub(super) trait TrainingOps: Backend {
    /// Products of as many matrices on both sides.
    fn train_matmul(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self>;

    fn train_conv2d(input: FloatTensor<Self>, weight: FloatTensor<Self>, conv: Conv) -> FloatTensor<Self>;

    // On its own, for the macro takes no optional tensors.
    fn train_conv2d_biased(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self>;

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

    /// Gradient of the input, from the output's; which is what a transposed convolution computes.
    fn train_conv2d_input(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self>;

    /// The maximum of each window that a depthwise convolution would read; and what the gradient needs to know of the
    /// maxima chosen, which is the backend's own affair.
    fn train_max_pool2d(input: FloatTensor<Self>, conv: Conv) -> (FloatTensor<Self>, IntTensor<Self>);

    fn train_clip(input: FloatTensor<Self>, low: f32, high: f32) -> FloatTensor<Self> {
        Self::float_clamp(input, Scalar::Float(low.into()), Scalar::Float(high.into()))
    }

    /// How far the softmax of each row of `logits / temperature` is from what it should be, and the gradient of that with
    /// respect to the logits: the cross-entropy with rows of `targets`, or, where these are a teacher's logits, the
    /// divergence from their softmax.
    fn train_softmax_loss(
        logits: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        temperature: f32,
        taught: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let over = |tensor| Self::float_div_scalar(tensor, Scalar::Float(temperature.into()));
        let log_softmax = |logits: FloatTensor<Self>| {
            let highest = Self::float_max_dim(logits.clone(), 1);
            let logits = Self::float_sub(logits, highest);
            let sum = Self::float_sum_dim(Self::float_exp(logits.clone()), 1);
            Self::float_sub(logits, Self::float_log(sum))
        };
        let logs = log_softmax(over(logits));
        let distance =
            |targets: FloatTensor<Self>, logs| Self::float_sum_dim(Self::float_mul(targets, logs), 1);
        let (targets, rows) = if taught {
            let wanted = log_softmax(over(targets));
            let targets = Self::float_exp(wanted.clone());
            (targets.clone(), distance(targets, Self::float_sub(wanted, logs.clone())))
        } else {
            (targets.clone(), Self::float_neg(distance(targets, logs.clone())))
        };
        let weight = Self::float_sum_dim(targets.clone(), 1);
        let gradient = Self::float_sub(Self::float_mul(Self::float_exp(logs), weight), targets);
        let batch = rows.shape()[0];
        (Self::float_reshape(rows, Shape::new([batch])), over(gradient))
    }

    /// Mean and variance, moved towards others by a share of the distance. Has no gradient.
    fn train_blend(
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        new_mean: FloatTensor<Self>,
        new_variance: FloatTensor<Self>,
        share: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let blend = |old: FloatTensor<Self>, new| {
            let distance = Self::float_sub(new, old.clone());
            Self::float_add(old, Self::float_mul_scalar(distance, Scalar::Float(share.into())))
        };
        (blend(mean, new_mean), blend(variance, new_variance))
    }

    /// The value and both moments after a step of the optimiser. Has no gradient.
    fn train_adam(
        value: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let times = |tensor, factor: f32| Self::float_mul_scalar(tensor, Scalar::Float(factor.into()));
        let over = |tensor, factor: f32| Self::float_div_scalar(tensor, Scalar::Float(factor.into()));
        let AdamStep { betas, corrections, epsilon, learning_rate, kept } = step;
        let square = Self::float_mul(gradient.clone(), gradient.clone());
        let first = Self::float_add(times(first, betas[0]), times(gradient, 1.0 - betas[0]));
        let second = Self::float_add(times(second, betas[1]), times(square, 1.0 - betas[1]));
        let root = Self::float_sqrt(over(second.clone(), corrections[1]));
        let root = Self::float_add_scalar(root, Scalar::Float(epsilon.into()));
        let delta = Self::float_div(over(first.clone(), corrections[0]), root);
        (Self::float_sub(times(value, kept), times(delta, learning_rate)), first, second)
    }

    /// The output, and mean and biased variance of the batch.
    fn train_batch_norm(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        norm: Norm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// What the backward passes of [`TrainingOps`] need besides. The defaults are burn's.
pub(super) trait TrainingGradients: TrainingOps {
    /// Gradient of the weight, from the output's.
    fn train_conv2d_weight(
        input: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self>;

    /// Gradient of the bias, from the output's: its sum over everything but the channels.
    fn train_conv2d_bias(gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        let channels = gradient.shape()[1];
        Self::float_reshape(Self::float_sum_dims(gradient, &[0, 2, 3]), Shape::new([channels]))
    }

    /// Gradient of what the maxima were chosen from, from the output's.
    fn train_max_pool2d_gradient(
        chosen: IntTensor<Self>,
        gradient: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self>;

    /// Gradient of the input, from the output's: nothing where the output is not between the ends.
    fn train_clip_gradient(
        clipped: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        low: f32,
        high: f32,
    ) -> FloatTensor<Self> {
        let dtype = get_or_init_device_settings::<Self>(&clipped.device()).bool_dtype;
        let below = Self::float_lower_equal_elem(clipped.clone(), Scalar::Float(low.into()), dtype);
        let above = Self::float_greater_equal_elem(clipped, Scalar::Float(high.into()), dtype);
        let gradient = Self::float_mask_fill(gradient, below, Scalar::Float(0.0));
        Self::float_mask_fill(gradient, above, Scalar::Float(0.0))
    }

    /// Gradients of input, scale and shift, from the output's; `output` is there if it was moved between bounds.
    fn train_batch_norm_gradients(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        statistics: [FloatTensor<Self>; 2],
        output: Option<FloatTensor<Self>>,
        gradient: FloatTensor<Self>,
        norm: Norm,
    ) -> [FloatTensor<Self>; 3];
}
