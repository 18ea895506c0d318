//! Operators that change a tensor's shape and none of its values.

use super::axes::{axes, axis};
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::{Shape, elements};

pub const OPERATORS: &[Support] = &[
    Support::new("Flatten", &[1, 9, 11, 13, 21, 23, 24, 25]),
    Support::new("Reshape", &[5, 13, 14, 19, 21, 23, 24, 25])
        .limits("a target that is constant, or computed from shapes"),
    Support::new("Squeeze", &[1, 11, 13, 21, 23, 24, 25]).limits("constant axes"),
    Support::new("Transpose", &[1, 13, 21, 23, 24, 25]),
    Support::new("Unsqueeze", &[1, 11, 13, 21, 23, 24, 25]).limits("constant axes"),
];

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
            let target =
                view.ints_input(1, "shape")?.ok_or_else(|| view.invalid("input 'shape' is missing"))?;
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
            Self::Flatten { axis: end } if *end == input.len() as i64 => Ok(vec![input.iter().product(), 1]),
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

/// The shape that `Reshape` gives.
///
/// # Errors
///
/// The target does not fit the number of elements.
pub fn reshaped(input: &[usize], target: &[i64], copy_zeros: bool) -> Result<Shape, String> {
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
            Err(reason) => {
                unreachable!("`check_batch` has refused reshapes that hold for one batch only: {reason}")
            }
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
        x.permute(&order).into()
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{NodeTest, noise};

    #[test]
    fn shapes_are_those_of_onnx_and_values_stay() {
        let x = |op_type: &str| NodeTest::new(op_type).noise(&[2, 3, 1, 4]);
        for (test, expected) in [
            (x("Flatten"), &[2, 12][..]),
            (x("Flatten").with("axis", 0), &[1, 24]),
            (x("Flatten").with("axis", 4), &[24, 1]),
            (x("Flatten").with("axis", -1), &[6, 4]),
            (x("Reshape").ints(&[0, -1]), &[2, 12]),
            (x("Reshape").ints(&[4, -1, 2]), &[4, 3, 2]),
            (x("Reshape").ints(&[24]), &[24]),
            (x("Reshape").ints(&[0, 0, 4, -1]), &[2, 3, 4, 1]),
            (x("Squeeze"), &[2, 3, 4]),
            (x("Squeeze").ints(&[-2]), &[2, 3, 4]),
            (x("Squeeze").opset(11).with("axes", vec![2]), &[2, 3, 4]),
            (x("Unsqueeze").ints(&[0, -1]), &[1, 2, 3, 1, 4, 1]),
            (x("Unsqueeze").opset(7).with("axes", vec![1]), &[2, 1, 3, 1, 4]),
        ] {
            let (shape, values) = test.run();
            assert_eq!(shape, expected);
            assert_eq!(values, noise(24, 1));
        }
    }

    #[test]
    fn a_transpose_moves_values() {
        let x = || NodeTest::new("Transpose").tensor(&[1, 2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(x().run(), (vec![3, 2, 1], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
        assert_eq!(
            x().with("perm", vec![2, 0, 1]).run(),
            (vec![3, 1, 2], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0])
        );
    }

    #[test]
    fn gradients_are_those_of_differences() {
        NodeTest::new("Reshape").noise(&[2, 3, 2]).ints(&[3, -1]).check_gradients();
        NodeTest::new("Transpose").noise(&[2, 3, 2]).with("perm", vec![1, 2, 0]).check_gradients();
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let x = |op_type: &str| NodeTest::new(op_type).noise(&[2, 3, 1, 4]);
        for (test, reason) in [
            (x("Flatten").with("axis", 5), "no axis 5"),
            (x("Reshape").ints(&[5, -1]), "-1 stands for no whole number"),
            (x("Reshape").ints(&[5]), "the number of elements differs"),
            (x("Reshape").ints(&[-1, -1]), "not valid"),
            (x("Reshape").ints(&[0, -1]).with("allowzero", 1), "-1 stands for no whole number"),
            (x("Reshape").ints(&[i64::MAX, i64::MAX]), "too large"),
            (x("Reshape").ints(&[2, 3, 1, 1, 1, 1, 4]), "more than 6 axes"),
            (x("Reshape").noise(&[2]), "must be a constant list of integers"),
            (x("Squeeze").ints(&[1]), "axis 1 of [2, 3, 1, 4] is not of size 1"),
            (x("Unsqueeze").ints(&[1, 1]), "name one axis twice"),
            (x("Transpose").with("perm", vec![0, 1, 2, 2]), "does not order 4 axes"),
        ] {
            let error = test.error();
            assert!(error.contains(reason), "{error}");
        }
    }
}
