//! Nodes that work in any order of axes.

use super::{Layout, Turned, is_still};
use crate::graph::{Attribute, Constant, Node, TensorId};

/// Functions of one tensor, value by value; further inputs are numbers.
#[rustfmt::skip]
const EACH: &[&str] = &[
    "Abs", "Cast", "Ceil", "Celu", "Clip", "Cos", "Dropout", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid",
    "HardSwish", "Identity", "LeakyRelu", "Log", "Mish", "Neg", "Not", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid",
    "Sign", "Sin", "Softplus", "Softsign", "Sqrt", "Swish", "Tanh", "ThresholdedRelu",
];

/// Functions of several tensors that broadcast.
#[rustfmt::skip]
const TOGETHER: &[&str] = &[
    "Add", "And", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Mean", "Min", "Mul", "Or",
    "PRelu", "Pow", "Sub", "Sum", "Where", "Xor",
];

impl Layout {
    /// The node on its inputs as they are, and the order in which its outputs are then meant; `None` where it needs
    /// its inputs in the order that the network means.
    pub(super) fn follow(&mut self, node: &Node) -> Option<(Node, Vec<usize>)> {
        let first = node.inputs.iter().flatten().find_map(|id| self.turned.get(id)).cloned()?;
        match node.op_type.as_str() {
            each if EACH.contains(&each) => {
                let source = self.turned.get(&node.inputs.first().copied()??)?.source;
                Some((with_input(node, 0, source), first.order))
            }
            together if TOGETHER.contains(&together) => self.together(node, &first.order),
            "Concat" => {
                let (mut node, order) = self.together(node, &first.order)?;
                turn_axis(&mut node, None, &order)?;
                Some((node, order))
            }
            "LogSoftmax" | "Softmax" | "Split" | "LpNormalization" => {
                let default = if node.op_type == "Split" { 0 } else { -1 };
                let mut node = with_input(node, 0, self.turned.get(&node.inputs.first().copied()??)?.source);
                turn_axis(&mut node, Some(default), &first.order)?;
                Some((node, first.order))
            }
            "Pad" => self.pad(node, &first),
            "Resize" => self.resize(node, &first),
            "Slice" => {
                let rank = first.order.len();
                let starts = self.ints(node, 1)?.len();
                let axes = match node.inputs.get(3).copied().flatten() {
                    Some(_) => self.ints(node, 3)?,
                    None => (0..starts as i64).collect(),
                };
                let turned =
                    axes.iter().map(|entry| turn(*entry, rank, &first.order)).collect::<Option<Vec<_>>>()?;
                let mut sliced = with_input(node, 0, first.source);
                if sliced.inputs.len() < 4 {
                    sliced.inputs.resize(4, None);
                }
                sliced.inputs[3] = Some(self.list(node, "axes", turned));
                Some((sliced, first.order))
            }
            "Squeeze" => {
                let axes = self.axes(node, &first)?;
                let node_axes = axes.iter().map(|axis| first.order[*axis] as i64).collect();
                let mut squeezed = with_input(node, 0, first.source);
                squeezed.inputs[1] = Some(self.list(node, "axes", node_axes));
                Some((squeezed, without(&first.order, &axes)))
            }
            reduction if reduction.starts_with("Reduce") => {
                let axes = self.axes(node, &first)?;
                let node_axes = axes.iter().map(|axis| first.order[*axis] as i64).collect();
                let mut reduced = with_input(node, 0, first.source);
                reduced.inputs[1] = Some(self.list(node, "axes", node_axes));
                let keeps = node.attributes.get("keepdims") != Some(&Attribute::Int(0));
                let order = if keeps { first.order } else { without(&first.order, &axes) };
                Some((reduced, order))
            }
            // Where only axes of size 1 have moved, the values are in the same order.
            "Flatten" | "Reshape" if self.moves_nothing(&first) => {
                // The batch may be copied, if it comes first.
                let batch = usize::from(first.order.first() == Some(&0));
                let copies = || {
                    self.ints(node, 1).is_some_and(|target| target.iter().skip(batch).any(|size| *size == 0))
                };
                let whole_images = node.attributes.get("axis").is_none_or(|axis| *axis == Attribute::Int(1));
                if node.op_type == "Reshape" && copies()
                    || !whole_images
                    || batch == 0 && node.op_type == "Flatten"
                {
                    return None;
                }
                let rank = if node.op_type == "Flatten" { 2 } else { self.ints(node, 1)?.len() };
                Some((with_input(node, 0, first.source), (0..rank).collect()))
            }
            _ => None,
        }
    }

    /// All inputs in one order: turned alike, or constants that can be.
    fn together(&mut self, node: &Node, order: &[usize]) -> Option<(Node, Vec<usize>)> {
        let fits = |id: &TensorId| match self.turned.get(id) {
            Some(turned) => turned.order == order,
            None => self.graph.constants.get(id).is_some_and(|constant| constant.shape.len() <= order.len()),
        };
        if !node.inputs.iter().flatten().all(fits) {
            return None;
        }
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for id in &node.inputs {
            inputs.push(match id {
                None => None,
                Some(id) => match self.turned.get(id) {
                    Some(turned) => Some(turned.source),
                    None => Some(self.operand(*id, order)?),
                },
            });
        }
        Some((Node { inputs, ..node.clone() }, order.to_vec()))
    }

    fn pad(&mut self, node: &Node, first: &Turned) -> Option<(Node, Vec<usize>)> {
        let rank = first.order.len();
        let mut padded = with_input(node, 0, first.source);
        if node.inputs.get(3).copied().flatten().is_some() {
            let axes = self.ints(node, 3)?;
            let turned =
                axes.iter().map(|entry| turn(*entry, rank, &first.order)).collect::<Option<Vec<_>>>()?;
            padded.inputs[3] = Some(self.list(node, "axes", turned));
            return Some((padded, first.order.clone()));
        }
        let pads = self.ints(node, 1).filter(|pads| pads.len() == 2 * rank)?;
        let (begins, ends) = pads.split_at(rank);
        let back = super::inverse(&first.order);
        let turned =
            back.iter().map(|axis| begins[*axis]).chain(back.iter().map(|axis| ends[*axis])).collect();
        padded.inputs[1] = Some(self.list(node, "pads", turned));
        Some((padded, first.order.clone()))
    }

    fn resize(&mut self, node: &Node, first: &Turned) -> Option<(Node, Vec<usize>)> {
        let given = |place: usize| node.inputs.get(place).copied().flatten();
        if given(1).is_some() || node.attributes.contains_key("axes") {
            return None;
        }
        let back = super::inverse(&first.order);
        let mut resized = with_input(node, 0, first.source);
        if let Some(id) = given(2) {
            let scales =
                self.graph.constants.get(&id)?.as_f32().filter(|scales| scales.len() == back.len())?;
            let turned: Vec<f32> = back.iter().map(|axis| scales[*axis]).collect();
            let name = format!("{}/scales", node.name);
            resized.inputs[2] =
                Some(self.graph.add_constant(&name, Constant::f32(vec![turned.len()], turned)));
        }
        if given(3).is_some() {
            let sizes = self.ints(node, 3).filter(|sizes| sizes.len() == back.len())?;
            resized.inputs[3] =
                Some(self.list(node, "sizes", back.iter().map(|axis| sizes[*axis]).collect()));
        }
        Some((resized, first.order.clone()))
    }

    /// The axes that a reduction names, counted from the front.
    fn axes(&self, node: &Node, first: &Turned) -> Option<Vec<usize>> {
        let rank = first.order.len() as i64;
        let axes = self.ints(node, 1).filter(|axes| !axes.is_empty())?;
        let counted = axes.iter().map(|axis| if *axis < 0 { axis + rank } else { *axis });
        counted.map(|axis| usize::try_from(axis).ok().filter(|axis| *axis < first.order.len())).collect()
    }

    fn ints(&self, node: &Node, place: usize) -> Option<Vec<i64>> {
        let id = node.inputs.get(place).copied().flatten()?;
        Some(self.graph.constants.get(&id)?.as_i64()?.to_vec())
    }

    fn list(&mut self, node: &Node, name: &str, values: Vec<i64>) -> TensorId {
        self.graph.add_constant(&format!("{}/{name}", node.name), Constant::ints(values))
    }

    /// Whether the turned tensor has its values in the order of its source.
    fn moves_nothing(&self, turned: &Turned) -> bool {
        let sizes = self.sizes.get(&turned.source);
        let wide = |axis: &&usize| {
            sizes.and_then(|sizes| sizes.get(**axis)).is_none_or(|size| *size != 1) || **axis == 0
        };
        let moved: Vec<usize> = turned.order.iter().filter(wide).copied().collect();
        is_still(&turned.order) || moved.is_sorted()
    }
}

fn with_input(node: &Node, place: usize, source: TensorId) -> Node {
    let mut node = node.clone();
    node.inputs[place] = Some(source);
    node
}

/// The axis of the source that an axis of the turned tensor is.
fn turn(entry: i64, rank: usize, order: &[usize]) -> Option<i64> {
    let index = if entry < 0 { entry.checked_add(rank as i64)? } else { entry };
    Some(*order.get(usize::try_from(index).ok()?)? as i64)
}

/// Turns the attribute `axis`.
fn turn_axis(node: &mut Node, default: Option<i64>, order: &[usize]) -> Option<()> {
    let entry = match node.attributes.get("axis") {
        Some(Attribute::Int(entry)) => *entry,
        None => default?,
        Some(_) => return None,
    };
    let turned = turn(entry, order.len(), order)?;
    node.attributes.insert("axis".to_owned(), turned.into());
    Some(())
}

/// The order that is left once these axes of the turned tensor are gone.
fn without(order: &[usize], gone: &[usize]) -> Vec<usize> {
    let kept: Vec<usize> =
        (0..order.len()).filter(|axis| !gone.contains(axis)).map(|axis| order[axis]).collect();
    kept.iter().map(|axis| kept.iter().filter(|other| *other < axis).count()).collect()
}
