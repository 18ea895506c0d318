//! Gradients of the operations, for any backend that has them.

use burn::backend::Autodiff;
use burn::backend::TensorMetadata;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};

use burn::tensor::Shape;

use super::backend::{TrainingGradients, TrainingOps};
use super::geometry::Conv;
use super::normalise::Norm;

#[derive(Debug)]
struct Product;

impl<B: TrainingGradients> Backward<B, 2> for Product {
    /// Left and right, kept by the checkpointer.
    type State = [NodeId; 2];

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let [left, right] = ops.state.map(|node| {
            let tensor = checkpointer.retrieve_node_output::<FloatTensor<B>>(node);
            let rank = tensor.shape().num_dims();
            B::float_swap_dims(tensor, rank - 2, rank - 1)
        });
        let [left_node, right_node] = ops.parents;
        if let Some(node) = left_node {
            gradients.register::<B>(node.id, B::train_matmul(gradient.clone(), right));
        }
        if let Some(node) = right_node {
            gradients.register::<B>(node.id, B::train_matmul(left, gradient));
        }
    }
}

/// What the backward pass of a convolution needs: input and weight, kept by the checkpointer, and the sizes.
type ConvState = (NodeId, NodeId, Conv);

#[derive(Debug)]
struct Convolution;

impl<B: TrainingGradients> Backward<B, 2> for Convolution {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 2>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        conv_gradients::<B>(parents, ops.state, gradient, gradients, checkpointer);
    }
}

#[derive(Debug)]
struct BiasedConvolution;

impl<B: TrainingGradients> Backward<B, 3> for BiasedConvolution {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 3>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let [input, weight, bias] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        if let Some(bias) = bias {
            gradients.register::<B>(bias, B::train_conv2d_bias(gradient.clone()));
        }
        conv_gradients::<B>([input, weight], ops.state, gradient, gradients, checkpointer);
    }
}

fn conv_gradients<B: TrainingGradients>(
    [input_node, weight_node]: [Option<NodeId>; 2],
    (input, weight, conv): ConvState,
    gradient: FloatTensor<B>,
    gradients: &mut Gradients,
    checkpointer: &mut Checkpointer,
) {
    let input = checkpointer.retrieve_node_output::<FloatTensor<B>>(input);
    let weight = checkpointer.retrieve_node_output::<FloatTensor<B>>(weight);
    if let Some(node) = input_node {
        gradients.register::<B>(node, B::train_conv2d_input(weight, gradient.clone(), conv.clone()));
    }
    if let Some(node) = weight_node {
        gradients.register::<B>(node, B::train_conv2d_weight(input, gradient, conv));
    }
}

#[derive(Debug)]
struct TransposedConvolution;

impl<B: TrainingGradients> Backward<B, 2> for TransposedConvolution {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 2>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (weight, input, conv) = ops.state;
        let weight = checkpointer.retrieve_node_output::<FloatTensor<B>>(weight);
        let input = checkpointer.retrieve_node_output::<FloatTensor<B>>(input);
        let [weight_node, input_node] = ops.parents;
        if let Some(node) = weight_node {
            gradients.register::<B>(node.id, B::train_conv2d_weight(gradient.clone(), input, conv.clone()));
        }
        if let Some(node) = input_node {
            gradients.register::<B>(node.id, B::train_conv2d(gradient, weight, conv));
        }
    }
}

#[derive(Debug)]
struct Normalisation;

#[derive(Clone, Debug)]
struct NormState<B: TrainingOps> {
    /// Kept by the checkpointer.
    input: NodeId,
    scale: NodeId,
    /// Mean and variance of the batch.
    statistics: [FloatTensor<B>; 2],
    /// If it was moved between bounds.
    output: Option<FloatTensor<B>>,
    norm: Norm,
}

impl<B: TrainingGradients> Backward<B, 3> for Normalisation {
    type State = NormState<B>;

    fn backward(self, ops: Ops<NormState<B>, 3>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let NormState { input, scale, statistics, output, norm } = ops.state;
        let input = checkpointer.retrieve_node_output::<FloatTensor<B>>(input);
        let scale = checkpointer.retrieve_node_output::<FloatTensor<B>>(scale);
        let found = B::train_batch_norm_gradients(input, scale, statistics, output, gradient, norm);
        for (parent, value) in ops.parents.into_iter().zip(found) {
            if let Some(parent) = parent {
                gradients.register::<B>(parent.id, value);
            }
        }
    }
}

#[derive(Debug)]
struct MaxPool;

impl<B: TrainingGradients> Backward<B, 1> for MaxPool {
    type State = (IntTensor<B>, Conv);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (chosen, conv) = ops.state;
        if let [Some(parent)] = ops.parents {
            gradients.register::<B>(parent.id, B::train_max_pool2d_gradient(chosen, gradient, conv));
        }
    }
}

#[derive(Debug)]
struct Clip;

impl<B: TrainingGradients> Backward<B, 1> for Clip {
    type State = (FloatTensor<B>, f32, f32);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (clipped, low, high) = ops.state;
        if let [Some(parent)] = ops.parents {
            gradients.register::<B>(parent.id, B::train_clip_gradient(clipped, gradient, low, high));
        }
    }
}

#[derive(Debug)]
struct SoftmaxLoss;

impl<B: TrainingGradients> Backward<B, 1> for SoftmaxLoss {
    /// Gradient of each row's loss with respect to its logits.
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let rows = gradients.consume::<B>(&ops.node);
        let batch = rows.shape()[0];
        let rows = B::float_reshape(rows, Shape::new([batch, 1]));
        if let [Some(parent)] = ops.parents {
            gradients.register::<B>(parent.id, B::float_mul(ops.state, rows));
        }
    }
}

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
        match MaxPool.prepare::<C>([input.node()]).compute_bound().stateful() {
            OpsKind::Tracked(step) => {
                let (output, chosen) = B::train_max_pool2d(input.into_primitive(), conv.clone());
                (step.finish((chosen.clone(), conv), output), chosen)
            }
            OpsKind::UnTracked(step) => {
                let (output, chosen) = B::train_max_pool2d(input.into_primitive(), conv);
                (step.finish(output), chosen)
            }
        }
    }

    fn train_clip(input: FloatTensor<Self>, low: f32, high: f32) -> FloatTensor<Self> {
        match Clip.prepare::<C>([input.node()]).compute_bound().stateful() {
            OpsKind::Tracked(step) => {
                let clipped = B::train_clip(input.into_primitive(), low, high);
                step.finish((clipped.clone(), low, high), clipped)
            }
            OpsKind::UnTracked(step) => step.finish(B::train_clip(input.into_primitive(), low, high)),
        }
    }

    fn train_softmax_loss(
        logits: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        temperature: f32,
        taught: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let targets = targets.into_primitive();
        let nodes = [logits.node()];
        let (rows, gradient) = match SoftmaxLoss.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => {
                let (rows, gradient) =
                    B::train_softmax_loss(logits.into_primitive(), targets, temperature, taught);
                (step.finish(gradient.clone(), rows), gradient)
            }
            OpsKind::UnTracked(step) => {
                let (rows, gradient) =
                    B::train_softmax_loss(logits.into_primitive(), targets, temperature, taught);
                (step.finish(rows), gradient)
            }
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
