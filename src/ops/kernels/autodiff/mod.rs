//! Gradients of the operations, for any backend that has them.

mod backward;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::{Backward, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};

use super::backend::{TrainingGradients, TrainingOps};
use super::conv::Conv;
use backward::{
    BiasedConvolution, Clip, Convolution, MaxPool, NormState, Normalisation, Product, SoftmaxLoss,
    TransposedConvolution,
};
use graftlab_kernels::normalise::Norm;

impl<B: TrainingGradients, C: CheckpointStrategy> TrainingOps for Autodiff<B, C> {
    fn train_matmul(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        match Product.prepare::<C>([left.node(), right.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let state = [step.checkpoint(&left), step.checkpoint(&right)];
                step.finish(state, B::train_matmul(left.into_primitive(), right.into_primitive()))
            }
            OpsKind::UnTracked(step) => {
                step.finish(B::train_matmul(left.into_primitive(), right.into_primitive()))
            }
        }
    }

    fn train_conv2d(input: FloatTensor<Self>, weight: FloatTensor<Self>, conv: Conv) -> FloatTensor<Self> {
        let nodes = [input.node(), weight.node()];
        match Convolution.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let state = (step.checkpoint(&input), step.checkpoint(&weight), conv.clone());
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                step.finish(state, B::train_conv2d(input, weight, conv))
            }
            OpsKind::UnTracked(step) => {
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                step.finish(B::train_conv2d(input, weight, conv))
            }
        }
    }

    fn train_conv2d_biased(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self> {
        let (bias, node) = bias.into_parts();
        let nodes = [input.node(), weight.node(), node];
        match BiasedConvolution.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let state = (step.checkpoint(&input), step.checkpoint(&weight), conv.clone());
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                step.finish(state, B::train_conv2d_biased(input, weight, bias, conv))
            }
            OpsKind::UnTracked(step) => {
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                step.finish(B::train_conv2d_biased(input, weight, bias, conv))
            }
        }
    }

    fn train_conv2d_input(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self> {
        let nodes = [weight.node(), gradient.node()];
        match TransposedConvolution.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let state = (step.checkpoint(&weight), step.checkpoint(&gradient), conv.clone());
                let (weight, gradient) = (weight.into_primitive(), gradient.into_primitive());
                step.finish(state, B::train_conv2d_input(weight, gradient, conv))
            }
            OpsKind::UnTracked(step) => {
                let (weight, gradient) = (weight.into_primitive(), gradient.into_primitive());
                step.finish(B::train_conv2d_input(weight, gradient, conv))
            }
        }
    }

    fn train_max_pool2d(input: FloatTensor<Self>, conv: Conv) -> (FloatTensor<Self>, IntTensor<Self>) {
        let node = input.node();
        let (output, chosen) = B::train_max_pool2d(input.into_primitive(), conv.clone());
        let output = match MaxPool.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((chosen.clone(), conv), output),
            OpsKind::UnTracked(step) => step.finish(output),
        };
        (output, chosen)
    }

    fn train_clip(input: FloatTensor<Self>, low: f32, high: f32) -> FloatTensor<Self> {
        let node = input.node();
        let clipped = B::train_clip(input.into_primitive(), low, high);
        match Clip.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((clipped.clone(), low, high), clipped),
            OpsKind::UnTracked(step) => step.finish(clipped),
        }
    }

    fn train_softmax_loss(
        logits: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        temperature: f32,
        taught: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let node = logits.node();
        let (logits, targets) = (logits.into_primitive(), targets.into_primitive());
        let (rows, gradient) = B::train_softmax_loss(logits, targets, temperature, taught);
        let rows = match SoftmaxLoss.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish(gradient.clone(), rows),
            OpsKind::UnTracked(step) => step.finish(rows),
        };
        (rows, FloatTensor::<Self>::new(gradient))
    }

    fn train_blend(
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        new_mean: FloatTensor<Self>,
        new_variance: FloatTensor<Self>,
        share: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [mean, variance, new_mean, new_variance] =
            [mean, variance, new_mean, new_variance].map(FloatTensor::<Self>::into_primitive);
        let (mean, variance) = B::train_blend(mean, variance, new_mean, new_variance, share);
        (FloatTensor::<Self>::new(mean), FloatTensor::<Self>::new(variance))
    }

    fn train_batch_norm(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        norm: Norm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (shift, node) = shift.into_parts();
        let nodes = [input.node(), scale.node(), node];
        let (output, mean, variance) = match Normalisation.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let (input_id, scale_id) = (step.checkpoint(&input), step.checkpoint(&scale));
                let (input, scale) = (input.into_primitive(), scale.into_primitive());
                let (output, mean, variance) = B::train_batch_norm(input, scale, shift, norm);
                let statistics = [mean.clone(), variance.clone()];
                let state = NormState {
                    input: input_id,
                    scale: scale_id,
                    statistics,
                    output: norm.bounds.map(|_| output.clone()),
                    norm,
                };
                (step.finish(state, output), mean, variance)
            }
            OpsKind::UnTracked(step) => {
                let (input, scale) = (input.into_primitive(), scale.into_primitive());
                let (output, mean, variance) = B::train_batch_norm(input, scale, shift, norm);
                (step.finish(output), mean, variance)
            }
        };
        (output, FloatTensor::<Self>::new(mean), FloatTensor::<Self>::new(variance))
    }
}
