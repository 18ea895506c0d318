//! Gradients of the operations, for any backend that has them.

use burn::backend::Autodiff;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::tensor::ops::ConvOptions;

use super::backend::TrainingOps;

/// What the backward pass of a convolution needs: input and weight, kept by the checkpointer, and the options.
type ConvState = (NodeId, NodeId, ConvOptions<2>);

#[derive(Debug)]
struct Conv;

impl<B: TrainingOps> Backward<B, 2> for Conv {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 2>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        conv_gradients::<B>(parents, ops.state, gradient, gradients, checkpointer);
    }
}

#[derive(Debug)]
struct ConvWithBias;

impl<B: TrainingOps> Backward<B, 3> for ConvWithBias {
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

fn conv_gradients<B: TrainingOps>(
    [input_node, weight_node]: [Option<NodeId>; 2],
    (input, weight, options): ConvState,
    gradient: FloatTensor<B>,
    gradients: &mut Gradients,
    checkpointer: &mut Checkpointer,
) {
    let input = checkpointer.retrieve_node_output::<FloatTensor<B>>(input);
    let weight = checkpointer.retrieve_node_output::<FloatTensor<B>>(weight);
    if let Some(node) = input_node {
        let (input, weight) = (input.clone(), weight.clone());
        gradients
            .register::<B>(node, B::train_conv2d_input(input, weight, gradient.clone(), options.clone()));
    }
    if let Some(node) = weight_node {
        gradients.register::<B>(node, B::train_conv2d_weight(input, weight, gradient, options));
    }
}

/// Kept by the checkpointer: input and scale; then mean, variance and epsilon.
type NormState<B> = (NodeId, NodeId, FloatTensor<B>, FloatTensor<B>, f64);

#[derive(Debug)]
struct Norm;

impl<B: TrainingOps> Backward<B, 3> for Norm {
    type State = NormState<B>;

    fn backward(self, ops: Ops<NormState<B>, 3>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (input, scale, mean, variance, epsilon) = ops.state;
        let input = checkpointer.retrieve_node_output::<FloatTensor<B>>(input);
        let scale = checkpointer.retrieve_node_output::<FloatTensor<B>>(scale);
        let (input, scale, shift) =
            B::train_batch_norm_gradients(input, scale, mean, variance, epsilon, gradient);
        for (parent, value) in ops.parents.into_iter().zip([input, scale, shift]) {
            if let Some(parent) = parent {
                gradients.register::<B>(parent.id, value);
            }
        }
    }
}

impl<B: TrainingOps, C: CheckpointStrategy> TrainingOps for Autodiff<B, C> {
    fn train_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), weight.node()];
        match Conv.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let state = (step.checkpoint(&input), step.checkpoint(&weight), options.clone());
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                step.finish(state, B::train_conv2d(input, weight, options))
            }
            OpsKind::UnTracked(step) => {
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                step.finish(B::train_conv2d(input, weight, options))
            }
        }
    }

    fn train_conv2d_biased(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        let (bias, node) = bias.into_parts();
        let nodes = [input.node(), weight.node(), node];
        match ConvWithBias.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let state = (step.checkpoint(&input), step.checkpoint(&weight), options.clone());
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                step.finish(state, B::train_conv2d_biased(input, weight, bias, options))
            }
            OpsKind::UnTracked(step) => {
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                step.finish(B::train_conv2d_biased(input, weight, bias, options))
            }
        }
    }

    fn train_batch_norm(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (shift, node) = shift.into_parts();
        let nodes = [input.node(), scale.node(), node];
        let (output, mean, variance) = match Norm.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let (input_id, scale_id) = (step.checkpoint(&input), step.checkpoint(&scale));
                let (input, scale) = (input.into_primitive(), scale.into_primitive());
                let (output, mean, variance) = B::train_batch_norm(input, scale, shift, epsilon);
                let state = (input_id, scale_id, mean.clone(), variance.clone(), epsilon);
                (step.finish(state, output), mean, variance)
            }
            OpsKind::UnTracked(step) => {
                let (input, scale) = (input.into_primitive(), scale.into_primitive());
                let (output, mean, variance) = B::train_batch_norm(input, scale, shift, epsilon);
                (step.finish(output), mean, variance)
            }
        };
        (output, FloatTensor::<Self>::new(mean), FloatTensor::<Self>::new(variance))
    }
}
