use super::*;
use crate::graph::{Attribute, ConstantData, TensorId};

fn computed(op_type: &str, attributes: &[(&str, Attribute)], inputs: &[Constant]) -> Option<Constant> {
    let mut graph = Graph::default();
    let ids: Vec<TensorId> =
        inputs.iter().map(|constant| graph.add_constant("c", constant.clone())).collect();
    graph.add_node(op_type, "node", []);
    let node = &mut graph.nodes[0];
    node.inputs = ids.iter().copied().map(Some).collect();
    node.attributes = attributes.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
    let node = graph.nodes[0].clone();
    compute(&graph, &node, |index| graph.constants.get(&ids[index]).cloned())?.pop()
}

fn list(values: &[i64]) -> Constant {
    Constant::ints(values)
}

fn table(shape: &[usize], values: &[i64]) -> Constant {
    Constant { shape: shape.to_vec(), ..Constant::ints(values) }
}

fn scalar(value: i64) -> Constant {
    table(&[], &[value])
}

fn floats(values: &[f32]) -> Constant {
    Constant::f32(vec![values.len()], values)
}

fn flags(values: &[bool]) -> Constant {
    Constant { shape: vec![values.len()], data: ConstantData::Bool(values.into()) }
}

#[test]
fn values_are_moved() {
    let data = Constant::f32(vec![2, 3, 4], vec![0.0; 24]);
    for (op_type, attributes, inputs, expected) in [
        ("Shape", &[][..], &[data.clone()][..], list(&[2, 3, 4])),
        ("Shape", &[("start", 1.into()), ("end", (-1).into())], std::slice::from_ref(&data), list(&[3])),
        ("Size", &[], std::slice::from_ref(&data), scalar(24)),
        ("Gather", &[], &[list(&[5, 6, 7]), scalar(-1)], scalar(7)),
        (
            "Gather",
            &[("axis", 1.into())],
            &[table(&[2, 2], &[1, 2, 3, 4]), list(&[1])],
            table(&[2, 1], &[2, 4]),
        ),
        ("Concat", &[("axis", 0.into())], &[list(&[1]), list(&[2, 3])], list(&[1, 2, 3])),
        (
            "Concat",
            &[("axis", 1.into())],
            &[table(&[2, 1], &[1, 2]), table(&[2, 1], &[3, 4])],
            table(&[2, 2], &[1, 3, 2, 4]),
        ),
        ("Unsqueeze", &[], &[scalar(4), list(&[0])], list(&[4])),
        ("Unsqueeze", &[("axes", vec![0].into())], &[scalar(4)], list(&[4])),
        ("Squeeze", &[], &[list(&[4]), list(&[0])], scalar(4)),
        ("Slice", &[], &[list(&[1, 2, 3]), list(&[-2]), list(&[i64::MAX])], list(&[2, 3])),
        (
            "Slice",
            &[],
            &[list(&[1, 2, 3]), list(&[-1]), list(&[i64::MIN]), list(&[0]), list(&[-1])],
            list(&[3, 2, 1]),
        ),
        ("Expand", &[], &[list(&[1, 2]), list(&[2, 1])], table(&[2, 2], &[1, 2, 1, 2])),
        ("Tile", &[], &[list(&[1, 2]), list(&[2])], list(&[1, 2, 1, 2])),
        ("Transpose", &[], &[table(&[2, 3], &[1, 2, 3, 4, 5, 6])], table(&[3, 2], &[1, 4, 2, 5, 3, 6])),
        ("Reshape", &[], &[list(&[1, 2, 3, 4]), list(&[2, -1])], table(&[2, 2], &[1, 2, 3, 4])),
        ("ConstantOfShape", &[("value", Attribute::Tensor(list(&[7])))], &[list(&[2])], list(&[7, 7])),
        ("ConstantOfShape", &[], &[list(&[2])], floats(&[0.0, 0.0])),
        ("Range", &[], &[scalar(5), scalar(0), scalar(-2)], list(&[5, 3, 1])),
        ("NonZero", &[], &[table(&[2, 2], &[0, 1, 1, 0])], table(&[2, 2], &[0, 1, 1, 0])),
    ] {
        assert_eq!(computed(op_type, attributes, inputs), Some(expected), "{op_type} {inputs:?}");
    }
}

#[test]
fn numbers_are_computed() {
    for (op_type, inputs, expected) in [
        ("Add", &[list(&[1, 2]), scalar(3)][..], list(&[4, 5])),
        ("Sub", &[scalar(1), scalar(3)], scalar(-2)),
        ("Mul", &[table(&[2, 1], &[1, 2]), list(&[1, 2])], table(&[2, 2], &[1, 2, 2, 4])),
        ("Div", &[list(&[7, -7]), list(&[2, 2])], list(&[3, -3])),
        ("Mod", &[list(&[7, -7]), list(&[3, 3])], list(&[1, 2])),
        ("Pow", &[list(&[3]), list(&[2])], list(&[9])),
        ("Pow", &[floats(&[16.0]), floats(&[0.5])], floats(&[4.0])),
        ("Max", &[list(&[1, 5]), list(&[3]), list(&[2])], list(&[3, 5])),
        ("Neg", &[list(&[1, -2])], list(&[-1, 2])),
        ("Floor", &[floats(&[1.5])], floats(&[1.0])),
        ("Equal", &[list(&[1, -1]), scalar(-1)], flags(&[false, true])),
        ("Less", &[floats(&[1.0, 3.0]), floats(&[2.0])], flags(&[true, false])),
        ("Not", &[flags(&[true])], flags(&[false])),
        ("Xor", &[flags(&[true, true]), flags(&[true, false])], flags(&[false, true])),
        ("Where", &[flags(&[true, false]), list(&[1, 2]), list(&[3, 4])], list(&[1, 4])),
        ("ReduceProd", &[list(&[2, 3, 4])], list(&[24])),
        ("ReduceSum", &[table(&[2, 2], &[1, 2, 3, 4]), list(&[0])], table(&[1, 2], &[4, 6])),
        ("ArgMax", &[list(&[2, 9, 4])], list(&[1])),
    ] {
        assert_eq!(computed(op_type, &[], inputs), Some(expected), "{op_type} {inputs:?}");
    }
}

#[test]
fn types_change() {
    let cast = |to: i64, input: Constant| computed("Cast", &[("to", to.into())], &[input]);
    assert_eq!(cast(1, list(&[1, -2])), Some(floats(&[1.0, -2.0])));
    assert_eq!(cast(7, floats(&[1.9, -1.9])), Some(list(&[1, -1])));
    assert_eq!(cast(9, list(&[0, 2])), Some(flags(&[false, true])));
    assert_eq!(cast(2, list(&[257])), Some(list(&[1])));
    assert_eq!(cast(8, list(&[1])), None, "text");
}

/// One scale for all, one per channel, one per block.
#[test]
fn integers_with_a_scale_become_floats() {
    let x = || table(&[2, 2], &[1, 2, 3, 4]);
    let scalar = Constant::scalar(0.5);
    let all = computed("DequantizeLinear", &[], &[x(), scalar, Constant { shape: vec![], ..list(&[2]) }]);
    assert_eq!(all.unwrap().as_f32(), Some(&[-0.5, 0.0, 0.5, 1.0][..]));
    let rows = computed("DequantizeLinear", &[("axis", 0.into())], &[x(), floats(&[1.0, 10.0])]);
    assert_eq!(rows.unwrap().as_f32(), Some(&[1.0, 2.0, 30.0, 40.0][..]));
    let blocks = Constant::f32(vec![1, 2], vec![1.0, 10.0]);
    let attributes = [("axis", 0.into()), ("block_size", 2.into())];
    let blocked = computed("DequantizeLinear", &attributes, &[x(), blocks]);
    assert_eq!(blocked.unwrap().as_f32(), Some(&[1.0, 20.0, 3.0, 40.0][..]));
    assert_eq!(computed("DequantizeLinear", &[], &[x(), floats(&[1.0, 2.0, 3.0])]), None);
}

#[test]
fn what_is_not_known_or_not_defined_is_left_alone() {
    for (op_type, inputs) in [
        ("Add", &[list(&[1, 2]), list(&[1, 2, 3])][..]),
        ("Add", &[list(&[1]), floats(&[1.0])]),
        ("Add", &[scalar(i64::MAX), scalar(1)]),
        ("Div", &[scalar(1), scalar(0)]),
        ("Div", &[scalar(i64::MIN), scalar(-1)]),
        ("Mod", &[scalar(1), scalar(0)]),
        ("Pow", &[scalar(9), scalar(900)]),
        ("Neg", &[scalar(i64::MIN)]),
        ("Gather", &[list(&[1]), scalar(1)]),
        ("Range", &[scalar(0), scalar(1), scalar(0)]),
        ("Shape", &[]),
        ("Slice", &[list(&[1])]),
    ] {
        assert_eq!(computed(op_type, &[], inputs), None, "{op_type} {inputs:?}");
    }
}

#[test]
fn a_result_beyond_all_bounds_is_not_made() {
    for (op_type, inputs) in [
        ("ConstantOfShape", &[list(&[1 << 40, 1 << 40])][..]),
        ("ConstantOfShape", &[list(&[1 << 24])]),
        ("Expand", &[scalar(1), list(&[1 << 24])]),
        ("Tile", &[list(&[1]), list(&[i64::MAX])]),
        ("Range", &[scalar(i64::MIN), scalar(i64::MAX), scalar(1)]),
    ] {
        assert_eq!(computed(op_type, &[], inputs), None, "{op_type} {inputs:?}");
    }
}
