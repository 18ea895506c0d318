//! Operators that change a tensor's shape and none of its values.

use super::axes::{array, axes, axis};
use super::value::ElementWise;
use super::{Mode, NodeView, OpError, Operator, Outputs, Value, tensor};
use crate::graph::{Shape, elements};
use burn::tensor::Tensor;

pub const OPERATORS: &[&str] = &["Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze"];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    Ok(match view.op_type() {
        "Flatten" => {
            view.signature(&["input"], 0, 1)?;
            view.only(&["axis"])?;
            Box::new(Reshape::Flatten { axis: view.int("axis")?.unwrap_or(1) })
        }
        "Reshape" => {
            view.signature(&["data"], 1, 1)?;
            view.only(&["allowzero"])?;
            let target = view.ints_input(1, "shape")?.ok_or_else(|| view.invalid("input 'shape' is missing"))?;
            let copy_zeros = view.int("allowzero")?.unwrap_or(0) == 0;
            Box::new(Reshape::To { target, copy_zeros })
        }
        "Squeeze" => {
            view.signature(&["data"], 1, 1)?;
            view.only(&[])?;
            Box::new(Reshape::Squeeze { axes: view.ints_input(1, "axes")? })
        }
        "Transpose" => {
            view.signature(&["data"], 0, 1)?;
            view.only(&["perm"])?;
            Box::new(Transpose { order: view.ints("perm")?.map(<[i64]>::to_vec) })
        }
        _ => {
            view.signature(&["data"], 1, 1)?;
            view.only(&[])?;
            let axes = view.ints_input(1, "axes")?.ok_or_else(|| view.invalid("input 'axes' is missing"))?;
            Box::new(Reshape::Unsqueeze { axes })
        }
    })
}

#[derive(Debug)]
enum Reshape {
    /// ONNX `Flatten` (1, 9, 11, 13, 21 to 25).
    Flatten { axis: i64 },
    /// ONNX `Reshape` (5, 13, 14, 19, 21 to 25).
    To { target: Vec<i64>, copy_zeros: bool },
    /// ONNX `Squeeze` (13, 21 to 25); without axes all of size 1 go.
    Squeeze { axes: Option<Vec<i64>> },
    /// ONNX `Unsqueeze` (13, 21 to 25).
    Unsqueeze { axes: Vec<i64> },
}

impl Reshape {
    fn target(&self, input: &[usize]) -> Result<Shape, String> {
        match self {
            Self::Flatten { axis: end } if *end == input.len() as i64 => {
                Ok(vec![input.iter().product(), 1])
            }
            Self::Flatten { axis: split } => {
                let (rows, columns) = input.split_at(axis(*split, input.len())?);
                Ok(vec![rows.iter().product(), columns.iter().product()])
            }
            Self::To { target, copy_zeros } => reshaped(input, target, *copy_zeros),
            Self::Squeeze { axes: None } => Ok(input.iter().copied().filter(|size| *size != 1).collect()),
            Self::Squeeze { axes: Some(list) } => {
                let gone = axes(list, input.len())?;
                if let Some(axis) = gone.iter().find(|axis| input[**axis] != 1) {
                    return Err(format!("axis {axis} of {input:?} is not of size 1"));
                }
                let kept = input.iter().enumerate().filter(|(axis, _)| !gone.contains(axis));
                Ok(kept.map(|(_, size)| *size).collect())
            }
            Self::Unsqueeze { axes: list } => {
                let mut shape = input.to_vec();
                for axis in axes(list, input.len() + list.len())? {
                    shape.insert(axis, 1);
                }
                Ok(shape)
            }
        }
    }
}

fn reshaped(input: &[usize], target: &[i64], copy_zeros: bool) -> Result<Shape, String> {
    let fail = |reason: &str| format!("the shape {input:?} does not become {target:?}: {reason}");
    let mut shape = Vec::with_capacity(target.len());
    let mut inferred = None;
    for (index, size) in target.iter().enumerate() {
        shape.push(match *size {
            0 if copy_zeros => *input.get(index).ok_or_else(|| fail("a 0 has no axis to copy"))?,
            -1 if inferred.replace(index).is_none() => 1,
            size => usize::try_from(size).map_err(|_| fail("its sizes are not valid"))?,
        });
    }
    let given = elements(&shape).ok_or_else(|| fail("it is too large"))?;
    let count: usize = input.iter().product();
    if let Some(index) = inferred {
        if given == 0 || !count.is_multiple_of(given) {
            return Err(fail("-1 stands for no whole number"));
        }
        shape[index] = count / given;
    } else if given != count {
        return Err(fail("the number of elements differs"));
    }
    Ok(shape)
}

impl Operator for Reshape {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![self.target(inputs[0])?])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x = tensor(inputs, 0);
        match self.target(&x.dims()) {
            Ok(shape) => x.reshape(&shape).into(),
            Err(reason) => unreachable!("`check_batch` has refused reshapes that hold for one batch only: {reason}"),
        }
    }
}

/// ONNX `Transpose` (1, 13, 21 to 25); without an order the axes are reversed.
#[derive(Debug)]
struct Transpose {
    order: Option<Vec<i64>>,
}

impl Transpose {
    fn order(&self, rank: usize) -> Result<Vec<usize>, String> {
        let Some(order) = &self.order else {
            return Ok((0..rank).rev().collect());
        };
        if order.len() != rank || axes(order, rank).is_err() {
            return Err(format!("perm {order:?} does not order {rank} axes"));
        }
        order.iter().map(|entry| axis(*entry, rank)).collect()
    }
}

impl Operator for Transpose {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let order = self.order(inputs[0].len())?;
        Ok(vec![order.into_iter().map(|axis| inputs[0][axis]).collect()])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x = tensor(inputs, 0);
        // `shapes` has refused orders that do not fit.
        let order = self.order(x.rank()).unwrap_or_default();
        x.map(Permute(order)).into()
    }
}

struct Permute(Vec<usize>);

impl ElementWise for Permute {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if self.0.len() == D { x.permute(array::<D>(&self.0)) } else { x }
    }
}
