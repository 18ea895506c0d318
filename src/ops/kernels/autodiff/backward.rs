//! What each operation does with the gradient of its output.

use burn::backend::TensorMetadata;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::Shape;

use super::super::backend::{TrainingGradients, TrainingOps};
use super::super::conv::Conv;
use graftlab_kernels::normalise::Norm;

#[derive(Debug)]
pub(super) struct Product;

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
pub(super) type ConvState = (NodeId, NodeId, Conv);

#[derive(Debug)]
pub(super) struct Convolution;

impl<B: TrainingGradients> Backward<B, 2> for Convolution {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 2>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        conv_gradients::<B>(parents, ops.state, gradient, gradients, checkpointer);
    }
}

#[derive(Debug)]
pub(super) struct BiasedConvolution;

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
pub(super) struct TransposedConvolution;

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
pub(super) struct Normalisation;

#[derive(Clone, Debug)]
pub(super) struct NormState<B: TrainingOps> {
    /// Kept by the checkpointer.
    pub input: NodeId,
    pub scale: NodeId,
    /// Mean and variance of the batch.
    pub statistics: [FloatTensor<B>; 2],
    /// If it was moved between bounds.
    pub output: Option<FloatTensor<B>>,
    pub norm: Norm,
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
pub(super) struct MaxPool;

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
pub(super) struct Clip;

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
pub(super) struct SoftmaxLoss;

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
