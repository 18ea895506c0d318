//! Putting tensors together along an axis and taking them apart.

use super::axes::{axes, axis, sliced};
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[Support] = &[
    Support::new("Concat", &[4, 11, 13]),
    Support::new("Slice", &[1, 10, 11, 13]).limits("constant ranges that keep something"),
    Support::new("Split", &[2, 11, 13, 18]).limits("constant sizes, none of them 0"),
];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    match view.op_type() {
        "Concat" => {
            view.signature(&vec!["inputs"; view.inputs().max(1)], 0, 1)?;
            view.only(&["axis"])?;
            let axis = view.int("axis")?.ok_or_else(|| view.invalid("attribute 'axis' is missing"))?;
            Ok(Box::new(Concat { axis }))
        }
        "Slice" => {
            view.signature(&["data"], 4, 1)?;
            view.only(&[])?;
            slice(view)
        }
        _ => {
            view.signature(&["input"], 1, view.outputs())?;
            view.only(&["axis", "num_outputs"])?;
            let declared = view.int("num_outputs")?.unwrap_or(view.outputs() as i64);
            if declared != view.outputs() as i64 {
                return Err(
                    view.invalid(format!("num_outputs is {declared}, its outputs are {}", view.outputs()))
                );
            }
            let sizes = view.ints_input(1, "split")?;
            Ok(Box::new(Split { axis: view.int("axis")?.unwrap_or(0), sizes, parts: view.outputs() }))
        }
    }
}

fn slice(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    let required = |index, name: &str| {
        view.ints_input(index, name)?.ok_or_else(|| view.invalid(format!("input '{name}' is missing")))
    };
    let (starts, ends) = (required(1, "starts")?, required(2, "ends")?);
    let axes = view.ints_input(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = view.ints_input(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(view.invalid("its starts, ends, axes and steps differ in number"));
    }
    let ranges = (0..starts.len()).map(|index| Range {
        axis: axes[index],
        start: starts[index],
        end: ends[index],
        step: steps[index],
    });
    Ok(Box::new(Slice { ranges: ranges.collect() }))
}

/// ONNX `Concat` (4, 11, 13).
#[derive(Debug)]
struct Concat {
    axis: i64,
}

impl Operator for Concat {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let mut shape = inputs[0].to_vec();
        let axis = axis(self.axis, shape.len())?;
        for other in &inputs[1..] {
            let fits = other.len() == shape.len()
                && (0..shape.len()).all(|index| index == axis || other[index] == shape[index]);
            if !fits {
                return Err(format!("the shapes {inputs:?} differ outside axis {axis}"));
            }
            shape[axis] = shape[axis].saturating_add(other[axis]);
        }
        Ok(vec![shape])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let values: Vec<Value> = (0..inputs.len()).map(|index| tensor(inputs, index)).collect();
        // `shapes` has refused an axis that is not there.
        let axis = axis(self.axis, values[0].rank()).unwrap_or(0);
        Value::cat(values, axis).into()
    }
}

/// ONNX `Slice` (10, 11, 13).
#[derive(Debug)]
struct Slice {
    ranges: Vec<Range>,
}

/// Indices from `start` to before `end`, both clamped to the axis.
#[derive(Debug)]
struct Range {
    axis: i64,
    start: i64,
    end: i64,
    step: i64,
}

impl Slice {
    /// Axes with the indices that are kept of them.
    fn kept(&self, input: &[usize]) -> Result<Vec<(usize, Vec<usize>)>, String> {
        // Ranges of one axis would have to be taken one after the other.
        axes(&self.ranges.iter().map(|range| range.axis).collect::<Vec<_>>(), input.len())?;
        let kept = self.ranges.iter().map(|range| {
            let axis = axis(range.axis, input.len())?;
            let indices = sliced(input[axis], range.start, range.end, range.step)?;
            if indices.is_empty() {
                return Err(format!("nothing is left of axis {axis} of {input:?}"));
            }
            Ok((axis, indices))
        });
        kept.collect()
    }
}

impl Operator for Slice {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let mut shape = inputs[0].to_vec();
        for (axis, indices) in self.kept(inputs[0])? {
            shape[axis] = indices.len();
        }
        Ok(vec![shape])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x = tensor(inputs, 0);
        // `shapes` has refused ranges that leave nothing.
        let kept = self.kept(&x.dims()).unwrap_or_default();
        kept.into_iter().fold(x, |x, (axis, indices)| x.select(axis, &indices)).into()
    }
}

/// ONNX `Split` (13, 18).
#[derive(Debug)]
struct Split {
    axis: i64,
    sizes: Option<Vec<i64>>,
    parts: usize,
}

impl Split {
    fn sizes(&self, input: &[usize]) -> Result<(usize, Vec<usize>), String> {
        let (axis, sizes) = split_sizes(self.axis, self.sizes.as_deref(), self.parts, input)?;
        if sizes.contains(&0) { Err(format!("a part of {sizes:?} is empty")) } else { Ok((axis, sizes)) }
    }
}

/// The axis of `Split`, and the sizes of all parts along it; equal ones where none are given, the last one smaller.
///
/// # Errors
///
/// The axis does not split into such parts.
pub fn split_sizes(
    along: i64,
    sizes: Option<&[i64]>,
    parts: usize,
    input: &[usize],
) -> Result<(usize, Vec<usize>), String> {
    let axis = axis(along, input.len())?;
    let whole = input[axis];
    let sizes: Option<Vec<usize>> = match sizes {
        Some(sizes) => sizes.iter().map(|size| usize::try_from(*size).ok()).collect(),
        None => {
            let part = whole.div_ceil(parts.max(1));
            Some((0..parts).map(|index| part.min(whole.saturating_sub(index * part))).collect())
        }
    };
    let sum = |sizes: &[usize]| sizes.iter().try_fold(0_usize, |sum, size| sum.checked_add(*size));
    match sizes {
        Some(sizes) if sizes.len() == parts && sum(&sizes) == Some(whole) => Ok((axis, sizes)),
        _ => Err(format!("axis {axis} of {input:?} does not split into {parts} such parts")),
    }
}

impl Operator for Split {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let (axis, sizes) = self.sizes(inputs[0])?;
        let with = |size| {
            let mut shape = inputs[0].to_vec();
            shape[axis] = size;
            shape
        };
        Ok(sizes.into_iter().map(with).collect())
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x = tensor(inputs, 0);
        // `shapes` has refused sizes that do not fit.
        let (axis, sizes) = self.sizes(&x.dims()).unwrap_or_default();
        let mut start = 0;
        let parts = sizes.into_iter().map(|size| {
            let part = x.clone().narrow(axis, start, size);
            start += size;
            part
        });
        Outputs { values: parts.collect(), statistics: None }
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{NodeTest, assert_close};

    fn x(op_type: &str) -> NodeTest {
        NodeTest::new(op_type).tensor(&[1, 4], &[1.0, 2.0, 3.0, 4.0])
    }

    #[test]
    fn tensors_are_put_together() {
        let (shape, values) = x("Concat").tensor(&[1, 2], &[5.0, 6.0]).with("axis", -1).run();
        assert_eq!(shape, [1, 6]);
        assert_close(&values, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn slices_are_clamped() {
        for (test, expected) in [
            (x("Slice").ints(&[1]).ints(&[3]).ints(&[1]), &[2.0, 3.0][..]),
            (x("Slice").ints(&[-2]).ints(&[i64::MAX]).ints(&[-1]), &[3.0, 4.0]),
            (x("Slice").ints(&[0, 0]).ints(&[1, 1]), &[1.0]),
            (x("Slice").ints(&[0]).ints(&[4]).ints(&[1]).ints(&[2]), &[1.0, 3.0]),
            (x("Slice").ints(&[-1]).ints(&[i64::MIN]).ints(&[1]).ints(&[-3]), &[4.0, 1.0]),
            (
                x("Slice").opset(9).with("starts", vec![1]).with("ends", vec![-1]).with("axes", vec![1]),
                &[2.0, 3.0],
            ),
        ] {
            assert_close(&test.run().1, expected);
        }
    }

    #[test]
    fn parts_of_a_split() {
        let parts = |test: NodeTest, count: usize| {
            test.outputs(count).run_all().into_iter().map(|(_, values)| values).collect::<Vec<_>>()
        };
        assert_eq!(
            parts(x("Split").with("axis", 1).with("num_outputs", 2), 2),
            [vec![1.0, 2.0], vec![3.0, 4.0]]
        );
        assert_eq!(parts(x("Split").ints(&[1, 3]).with("axis", 1), 2), [vec![1.0], vec![2.0, 3.0, 4.0]]);
        let old = x("Split").opset(11).with("split", vec![3, 1]).with("axis", 1);
        assert_eq!(parts(old, 2), [vec![1.0, 2.0, 3.0], vec![4.0]]);
        // The last part of an uneven split is smaller.
        let uneven = NodeTest::new("Split").tensor(&[3], &[1.0, 2.0, 3.0]);
        assert_eq!(parts(uneven, 2), [vec![1.0, 2.0], vec![3.0]]);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        NodeTest::new("Concat").noise(&[2, 2, 2]).noise(&[2, 1, 2]).with("axis", 1).check_gradients();
        NodeTest::new("Slice").noise(&[2, 4]).ints(&[1]).ints(&[3]).ints(&[1]).check_gradients();
        NodeTest::new("Slice").noise(&[2, 5]).ints(&[-1]).ints(&[0]).ints(&[1]).ints(&[-2]).check_gradients();
        NodeTest::new("Split").noise(&[2, 4]).ints(&[1, 3]).with("axis", 1).outputs(2).check_gradients();
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (test, reason) in [
            (x("Concat").noise(&[2, 2]).with("axis", 1), "differ outside axis 1"),
            (x("Concat"), "'axis' is missing"),
            (x("Slice").ints(&[0]).ints(&[4]).ints(&[1]).ints(&[0]), "a step of 0"),
            (x("Slice").ints(&[0, 0]).ints(&[3, 4]).ints(&[1, -1]), "name one axis twice"),
            (x("Slice").ints(&[3]).ints(&[2]).ints(&[1]), "nothing is left of axis 1"),
            (x("Split").ints(&[1, 1]).with("axis", 1).outputs(2), "does not split"),
            (x("Split").with("axis", 1).with("num_outputs", 3).outputs(2), "num_outputs is 3"),
        ] {
            let error = test.error();
            assert!(error.contains(reason), "{error}");
        }
    }
}
