//! Computes on the host what is known before a network runs: shapes, and integers made from them.
//!
//! Exporters write `x.view(x.size(0), -1)` as a chain of `Shape`, `Gather`, `Unsqueeze` and `Concat` before a
//! `Reshape`. Shapes are those for a batch of one image; `infer` then lets the reshape take any batch.

use super::axes::axis;
use crate::graph::{Attribute, Constant, ConstantData, Graph, Node};

/// Operators that are supported only where their result is known before the network runs.
pub const OPERATORS: &[&str] = &["Gather", "Shape"];

/// `TensorProto.DataType` codes of floats and of integers.
const FLOATS: [i64; 4] = [1, 10, 11, 16];
const INTEGERS: [i64; 2] = [6, 7];

/// The constant that `node` yields, if it is a computation on integer constants or on a shape.
pub fn fold(graph: &Graph, node: &Node) -> Option<Constant> {
    if !node.domain.is_empty() || node.outputs.len() != 1 {
        return None;
    }
    let constant = |index: usize| graph.constants.get(node.inputs.get(index)?.as_ref()?);
    let ints = |index: usize| constant(index)?.as_i64();
    let int = |name: &str, default: i64| match node.attributes.get(name) {
        None => Some(default),
        Some(Attribute::Int(value)) => Some(*value),
        Some(_) => None,
    };
    match node.op_type.as_str() {
        "Shape" => {
            let shape = graph.tensor((*node.inputs.first()?)?).shape.as_ref()?;
            let clamp = |value: i64| {
                let rank = shape.len() as i64;
                (if value < 0 { value.saturating_add(rank) } else { value }).clamp(0, rank) as usize
            };
            let (start, end) = (clamp(int("start", 0)?), clamp(int("end", i64::MAX)?));
            let sizes: Vec<i64> = shape.get(start..end.max(start))?.iter().map(|size| *size as i64).collect();
            Some(Constant::ints(sizes))
        }
        "Identity" => constant(0).filter(|value| value.as_f32().is_none()).cloned(),
        "Cast" => cast(constant(0)?, int("to", 0)?),
        "Gather" => {
            let (data, indices) = (ints(0)?, ints(1)?);
            if constant(0)?.shape.len() != 1 || !matches!(int("axis", 0)?, 0 | -1) {
                return None;
            }
            let values: Vec<i64> = indices
                .iter()
                .map(|index| Some(data[axis(*index, data.len()).ok()?]))
                .collect::<Option<_>>()?;
            Some(Constant { shape: constant(1)?.shape.clone(), ..Constant::ints(values) })
        }
        "Concat" => {
            let parts: Option<Vec<&[i64]>> = (0..node.inputs.len()).map(ints).collect();
            let ranks_fit =
                (0..node.inputs.len()).all(|index| constant(index).is_some_and(|c| c.shape.len() == 1));
            ranks_fit.then(|| parts.map(|parts| Constant::ints(parts.concat())))?
        }
        // Of at most one value, these keep all values and only change the rank.
        "Squeeze" | "Unsqueeze" | "Reshape" | "Flatten" => {
            let values = ints(0)?;
            let rank = match node.op_type.as_str() {
                "Squeeze" => 0,
                "Unsqueeze" if constant(0)?.shape.is_empty() => 1,
                "Reshape" if ints(1)?.len() <= 1 && values.len() == 1 => ints(1)?.len(),
                _ => return None,
            };
            (values.len() == 1).then(|| Constant { shape: vec![1; rank], ..Constant::ints(values.to_vec()) })
        }
        "Slice" => {
            let values = ints(0)?;
            let (&[start], &[end]) = (ints(1)?, ints(2)?) else { return None };
            if !matches!(ints(3), None | Some([0 | -1])) || !matches!(ints(4), None | Some([1])) {
                return None;
            }
            let clamp = |value: i64| {
                let size = values.len() as i64;
                (if value < 0 { value.saturating_add(size) } else { value }).clamp(0, size) as usize
            };
            Some(Constant::ints(values.get(clamp(start)..clamp(end).max(clamp(start)))?.to_vec()))
        }
        "Add" => zip(constant(0)?, constant(1)?, i64::checked_add),
        "Sub" => zip(constant(0)?, constant(1)?, i64::checked_sub),
        "Mul" => zip(constant(0)?, constant(1)?, i64::checked_mul),
        "Div" => zip(constant(0)?, constant(1)?, i64::checked_div),
        _ => None,
    }
}

/// Casts between floats, integers and booleans; a cast of floats to floats is left to the operator.
fn cast(constant: &Constant, to: i64) -> Option<Constant> {
    let data = match &constant.data {
        ConstantData::I64(values) if FLOATS.contains(&to) => {
            ConstantData::F32(values.iter().map(|value| *value as f32).collect())
        }
        ConstantData::I64(_) if INTEGERS.contains(&to) => constant.data.clone(),
        ConstantData::Bool(values) if FLOATS.contains(&to) => {
            ConstantData::F32(values.iter().map(|value| f32::from(u8::from(*value))).collect())
        }
        ConstantData::F32(values) if INTEGERS.contains(&to) => {
            ConstantData::I64(values.iter().map(|value| *value as i64).collect())
        }
        _ => return None,
    };
    Some(Constant { shape: constant.shape.clone(), data })
}

/// An operation on two integer constants of one shape, or on one and a single value.
fn zip(left: &Constant, right: &Constant, operation: fn(i64, i64) -> Option<i64>) -> Option<Constant> {
    let (a, b) = (left.as_i64()?, right.as_i64()?);
    let (shape, count) = match (a.len(), b.len()) {
        _ if left.shape == right.shape => (&left.shape, a.len()),
        (_, 1) if right.shape.len() <= left.shape.len() => (&left.shape, a.len()),
        (1, _) if left.shape.len() <= right.shape.len() => (&right.shape, b.len()),
        _ => return None,
    };
    let at = |values: &[i64], index: usize| values.get(if values.len() == 1 { 0 } else { index }).copied();
    let values: Option<Vec<i64>> = (0..count).map(|index| operation(at(a, index)?, at(b, index)?)).collect();
    Some(Constant { shape: shape.clone(), ..Constant::ints(values?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::TensorId;

    fn folded(op_type: &str, attributes: &[(&str, i64)], inputs: &[Constant]) -> Option<Constant> {
        let mut graph = Graph::default();
        let ids: Vec<TensorId> =
            inputs.iter().map(|constant| graph.add_constant("c", constant.clone())).collect();
        let output = graph.add_node(op_type, "node", []);
        let node = &mut graph.nodes[0];
        assert_eq!(node.outputs, [output]);
        node.inputs = ids.into_iter().map(Some).collect();
        node.attributes = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let node = graph.nodes[0].clone();
        fold(&graph, &node)
    }

    fn list(values: &[i64]) -> Constant {
        Constant::ints(values)
    }

    fn scalar(value: i64) -> Constant {
        Constant { shape: vec![], ..Constant::ints(vec![value]) }
    }

    #[test]
    fn integers_are_computed() {
        let data = Constant::f32(vec![2, 3, 4], vec![0.0; 24]);
        for (op_type, attributes, inputs, expected) in [
            ("Shape", &[][..], &[data.clone()][..], list(&[2, 3, 4])),
            ("Shape", &[("start", 1), ("end", -1)], std::slice::from_ref(&data), list(&[3])),
            ("Gather", &[], &[list(&[5, 6, 7]), scalar(-1)], scalar(7)),
            ("Gather", &[("axis", 0)], &[list(&[5, 6, 7]), list(&[0, 2])], list(&[5, 7])),
            ("Concat", &[("axis", 0)], &[list(&[1]), list(&[2, 3])], list(&[1, 2, 3])),
            ("Unsqueeze", &[], &[scalar(4), list(&[0])], list(&[4])),
            ("Squeeze", &[], &[list(&[4]), list(&[0])], scalar(4)),
            ("Slice", &[], &[list(&[1, 2, 3]), list(&[-2]), list(&[i64::MAX])], list(&[2, 3])),
            ("Add", &[], &[list(&[1, 2]), scalar(3)], list(&[4, 5])),
            ("Sub", &[], &[scalar(1), scalar(3)], scalar(-2)),
            ("Mul", &[], &[scalar(2), list(&[1, 2])], list(&[2, 4])),
            ("Div", &[], &[list(&[7, -7]), list(&[2, 2])], list(&[3, -3])),
            ("Cast", &[("to", 1)], &[list(&[1, -2])], Constant::f32(vec![2], vec![1.0, -2.0])),
            ("Cast", &[("to", 7)], &[Constant::f32(vec![2], vec![1.9, -1.9])], list(&[1, -1])),
        ] {
            assert_eq!(folded(op_type, attributes, inputs), Some(expected), "{op_type} {inputs:?}");
        }
    }

    #[test]
    fn what_is_not_known_or_not_defined_is_left_alone() {
        for (op_type, inputs) in [
            ("Add", &[Constant::scalar(1.0), Constant::scalar(2.0)][..]),
            ("Add", &[list(&[1, 2]), list(&[1, 2, 3])]),
            ("Add", &[scalar(i64::MAX), scalar(1)]),
            ("Div", &[scalar(1), scalar(0)]),
            ("Gather", &[list(&[1]), scalar(1)]),
            ("Shape", &[]),
            ("Slice", &[list(&[1])]),
        ] {
            assert_eq!(folded(op_type, &[], inputs), None, "{op_type} {inputs:?}");
        }
    }
}
