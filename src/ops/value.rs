//! A tensor whose rank is known only at run time.

use std::any::Any;

use burn::tensor::{Device, Gradients, Tensor, TensorData};

/// A float tensor of rank 1 to 6. A rank of 0 is kept as rank 1 with one element, which broadcasts alike.
#[derive(Clone, Debug)]
pub enum Value {
    R1(Tensor<1>),
    R2(Tensor<2>),
    R3(Tensor<3>),
    R4(Tensor<4>),
    R5(Tensor<5>),
    R6(Tensor<6>),
}

/// Runs `$body` with `$tensor` bound to the tensor inside `$value`, whatever its rank.
#[macro_export]
macro_rules! with_tensor {
    ($value:expr, $tensor:ident => $body:expr) => {
        match $value {
            $crate::ops::Value::R1($tensor) => $body,
            $crate::ops::Value::R2($tensor) => $body,
            $crate::ops::Value::R3($tensor) => $body,
            $crate::ops::Value::R4($tensor) => $body,
            $crate::ops::Value::R5($tensor) => $body,
            $crate::ops::Value::R6($tensor) => $body,
        }
    };
}

macro_rules! from_tensor {
    ($($rank:literal $variant:ident),*) => {
        $(impl From<Tensor<$rank>> for Value {
            fn from(tensor: Tensor<$rank>) -> Self {
                Self::$variant(tensor)
            }
        })*
    };
}

from_tensor!(1 R1, 2 R2, 3 R3, 4 R4, 5 R5, 6 R6);

impl Value {
    /// The largest rank there is.
    pub const MAX_RANK: usize = crate::graph::MAX_RANK;

    /// Puts host values on a device. `shape` has at most [`Value::MAX_RANK`] axes, which callers check first.
    pub fn from_host(values: &[f32], shape: &[usize], device: &Device) -> Self {
        let tensor = Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), device);
        Value::R1(tensor).reshape(shape)
    }

    pub fn dims(&self) -> Vec<usize> {
        with_tensor!(self, tensor => tensor.dims().to_vec())
    }

    pub fn rank(&self) -> usize {
        with_tensor!(self, tensor => tensor.dims().len())
    }

    /// The same values under another shape with as many elements.
    pub fn reshape(self, shape: &[usize]) -> Self {
        if self.dims() == shape {
            return self;
        }
        with_tensor!(self, tensor => match *shape {
            [] => tensor.reshape([1]).into(),
            [a] => tensor.reshape([a]).into(),
            [a, b] => tensor.reshape([a, b]).into(),
            [a, b, c] => tensor.reshape([a, b, c]).into(),
            [a, b, c, d] => tensor.reshape([a, b, c, d]).into(),
            [a, b, c, d, e] => tensor.reshape([a, b, c, d, e]).into(),
            [a, b, c, d, e, f] => tensor.reshape([a, b, c, d, e, f]).into(),
            _ => unreachable!("shapes of more than {} axes are refused when a network is read", Self::MAX_RANK),
        })
    }

    /// The tensor as one of rank `D`: axes of size 1 are added in front, or taken away there.
    pub fn to_rank<const D: usize>(self) -> Tensor<D> {
        with_tensor!(self, tensor => {
            let dims = tensor.dims();
            // A reshape costs a step of the backward pass, so a tensor of the right rank is handed out as it is.
            let mut slot = Some(tensor);
            let same: Option<Tensor<D>> = (&mut slot as &mut dyn Any).downcast_mut().and_then(Option::take);
            match (same, slot) {
                (Some(tensor), _) => tensor,
                (None, Some(tensor)) => {
                    let mut shape = [1; D];
                    let kept = dims.len().min(D);
                    shape[D - kept..].copy_from_slice(&dims[dims.len() - kept..]);
                    tensor.reshape(shape)
                }
                (None, None) => unreachable!("the slot is emptied only into `same`"),
            }
        })
    }

    /// Puts tensors of one rank together along `axis`.
    pub fn cat(values: Vec<Self>, axis: usize) -> Self {
        fn join<const D: usize>(values: Vec<Value>, axis: usize) -> Tensor<D> {
            Tensor::cat(values.into_iter().map(Value::to_rank).collect(), axis)
        }
        match values.iter().map(Self::rank).max().unwrap_or(1) {
            1 => join::<1>(values, axis).into(),
            2 => join::<2>(values, axis).into(),
            3 => join::<3>(values, axis).into(),
            4 => join::<4>(values, axis).into(),
            5 => join::<5>(values, axis).into(),
            _ => join::<6>(values, axis).into(),
        }
    }

    /// Applies an elementwise function that works at any rank.
    pub fn map(self, function: impl ElementWise) -> Self {
        match self {
            Value::R1(tensor) => function.apply(tensor).into(),
            Value::R2(tensor) => function.apply(tensor).into(),
            Value::R3(tensor) => function.apply(tensor).into(),
            Value::R4(tensor) => function.apply(tensor).into(),
            Value::R5(tensor) => function.apply(tensor).into(),
            Value::R6(tensor) => function.apply(tensor).into(),
        }
    }

    /// Applies a function of two tensors after giving both the same rank, as ONNX broadcasting does.
    pub fn zip(self, other: Self, function: impl Binary) -> Self {
        match self.rank().max(other.rank()) {
            1 => function.apply(self.to_rank::<1>(), other.to_rank()).into(),
            2 => function.apply(self.to_rank::<2>(), other.to_rank()).into(),
            3 => function.apply(self.to_rank::<3>(), other.to_rank()).into(),
            4 => function.apply(self.to_rank::<4>(), other.to_rank()).into(),
            5 => function.apply(self.to_rank::<5>(), other.to_rank()).into(),
            _ => function.apply(self.to_rank::<6>(), other.to_rank()).into(),
        }
    }

    pub fn device(&self) -> Device {
        with_tensor!(self, tensor => tensor.device())
    }

    /// The same tensor without its gradient history.
    pub fn detach(self) -> Self {
        self.map(Detach)
    }

    /// The same tensor as one whose gradient is wanted.
    pub fn require_gradient(self) -> Self {
        self.map(Leaf)
    }

    /// The gradient with respect to this tensor, if it was wanted and a loss depends on it.
    pub fn gradient(&self, gradients: &Gradients) -> Option<Self> {
        with_tensor!(self, tensor => tensor.grad(gradients).map(Self::from))
    }
}

/// A function from a tensor to one of the same rank.
pub trait ElementWise {
    fn apply<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D>;
}

/// A function of two tensors of the same rank, which broadcast against each other.
pub trait Binary {
    fn apply<const D: usize>(&self, left: Tensor<D>, right: Tensor<D>) -> Tensor<D>;
}

struct Leaf;

impl ElementWise for Leaf {
    fn apply<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D> {
        tensor.require_grad()
    }
}

struct Detach;

impl ElementWise for Detach {
    fn apply<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D> {
        tensor.detach()
    }
}
