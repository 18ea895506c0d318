//! Putting tensors together along an axis and taking them apart.

use burn::tensor::Tensor;

use super::axes::axis;
use super::value::ElementWise;
use super::{Mode, NodeView, OpError, Operator, Outputs, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[&str] = &["Concat", "Slice", "Split"];

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
                return Err(view.invalid(format!("num_outputs is {declared}, its outputs are {}", view.outputs())));
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
    if steps.iter().any(|step| *step != 1) {
        return Err(view.invalid(format!("only steps of 1 are supported, not {steps:?}")));
    }
    let ranges = axes.into_iter().zip(starts.into_iter().zip(ends)).collect();
    Ok(Box::new(Slice { ranges }))
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
            shape[axis] += other[axis];
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

/// ONNX `Slice` (10, 11, 13) with steps of 1: per axis a start and an end, which are clamped to the axis.
#[derive(Debug)]
struct Slice {
    ranges: Vec<(i64, (i64, i64))>,
}

impl Slice {
    /// Per axis the first index and the number of those that are kept.
    fn kept(&self, input: &[usize]) -> Result<Vec<(usize, usize)>, String> {
        let mut kept: Vec<(usize, usize)> = input.iter().map(|size| (0, *size)).collect();
        for (entry, (start, end)) in &self.ranges {
            let axis = axis(*entry, input.len())?;
            let size = input[axis] as i64;
            let clamp = |index: i64| (if index < 0 { index.saturating_add(size) } else { index }).clamp(0, size);
            let (start, end) = (clamp(*start), clamp(*end));
            if start >= end {
                return Err(format!("nothing is left of axis {axis} of {input:?}"));
            }
            kept[axis] = (start as usize, (end - start) as usize);
        }
        Ok(kept)
    }
}

impl Operator for Slice {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![self.kept(inputs[0])?.into_iter().map(|(_, size)| size).collect()])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x = tensor(inputs, 0);
        // `shapes` has refused ranges that leave nothing.
        let kept = self.kept(&x.dims()).unwrap_or_default();
        kept.into_iter().enumerate().fold(x, |x, (axis, (start, size))| x.map(Narrow { axis, start, size })).into()
    }
}

struct Narrow {
    axis: usize,
    start: usize,
    size: usize,
}

impl ElementWise for Narrow {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if x.dims()[self.axis] == self.size { x } else { x.narrow(self.axis, self.start, self.size) }
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
    /// The axis, and the sizes of all parts along it; equal ones where none are given, the last one smaller.
    fn sizes(&self, input: &[usize]) -> Result<(usize, Vec<usize>), String> {
        let axis = axis(self.axis, input.len())?;
        let whole = input[axis];
        let fail = || format!("axis {axis} of {input:?} does not split into {} such parts", self.parts);
        let sizes: Option<Vec<usize>> = match &self.sizes {
            Some(sizes) => sizes.iter().map(|size| usize::try_from(*size).ok()).collect(),
            None => {
                let part = whole.div_ceil(self.parts.max(1));
                Some((0..self.parts).map(|index| part.min(whole.saturating_sub(index * part))).collect())
            }
        };
        let sizes = sizes.ok_or_else(fail)?;
        let fits = sizes.len() == self.parts && sizes.iter().sum::<usize>() == whole && !sizes.contains(&0);
        if fits { Ok((axis, sizes)) } else { Err(fail()) }
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
            let part = x.clone().map(Narrow { axis, start, size });
            start += size;
            part
        });
        Outputs { values: parts.collect(), statistics: None }
    }
}
