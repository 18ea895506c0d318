//! Nodes that are computed by other operators than their own.

use super::axes::axis;
use super::batch::Batches;
use super::upgrade::node_like;
use crate::graph::{Attribute, Attributes, Constant, Graph, TensorId};

/// Makes node `index`, if it is a convolution along one axis, one over images of a single row.
pub fn rows_as_images(graph: &mut Graph, index: usize) {
    let node = graph.nodes[index].clone();
    let [Some(x), Some(weight), rest @ ..] = &node.inputs[..] else { return };
    if node.op_type != "Conv" || graph.shape(*x).len() != 3 || graph.shape(*weight).len() != 3 {
        return;
    }
    let mut attributes = node.attributes.clone();
    for (name, neutral) in [("kernel_shape", 1), ("strides", 1), ("dilations", 1), ("pads", 0)] {
        match attributes.get_mut(name) {
            None => {}
            Some(Attribute::Ints(values)) if name == "pads" && values.len() == 2 => {
                *values = vec![neutral, values[0], neutral, values[1]];
            }
            Some(Attribute::Ints(values)) if name != "pads" && values.len() == 1 => values.insert(0, neutral),
            // What does not fit stays, and is refused when the operator is read.
            Some(_) => return,
        }
    }
    let axes = graph.add_constant(&format!("{}/axes", node.name), Constant::ints(vec![2]));
    let [image, kernel, convolved] =
        ["image", "kernel", "convolved"].map(|part| graph.add_tensor(&format!("{}/{part}", node.name), None));
    let unsqueeze = |from: TensorId, to: TensorId, part: &str| {
        let mut made =
            node_like(&node, "Unsqueeze", Attributes::new(), vec![Some(from), Some(axes)], vec![to]);
        made.name = format!("{}/{part}", node.name);
        made
    };
    let inputs = [Some(image), Some(kernel)].into_iter().chain(rest.iter().copied()).collect();
    let nodes = [
        unsqueeze(*x, image, "image"),
        unsqueeze(*weight, kernel, "kernel"),
        node_like(&node, "Conv", attributes, inputs, vec![convolved]),
        node_like(
            &node,
            "Squeeze",
            Attributes::new(),
            vec![Some(convolved), Some(axes)],
            node.outputs.clone(),
        ),
    ];
    graph.nodes.splice(index..=index, nodes);
}

/// Lets node `index`, if it puts a constant of one row beside tensors that have a row per image, take any batch: each is
/// padded with zeros to where it lies in the whole, and their sum repeats the constant for every image. Class tokens are
/// joined to patches like this.
pub fn constants_beside_images(graph: &mut Graph, index: usize, batches: &Batches) {
    let node = graph.nodes[index].clone();
    let [result] = node.outputs[..] else { return };
    let inputs: Vec<TensorId> = node.inputs.iter().flatten().copied().collect();
    let shapes: Vec<Vec<usize>> = inputs.iter().map(|id| graph.shape(*id).to_vec()).collect();
    let rank = shapes.first().map_or(0, Vec::len);
    let Some(Attribute::Int(along)) = node.attributes.get("axis") else { return };
    let (true, Ok(along)) = (node.op_type == "Concat", axis(*along, rank)) else { return };
    let (images, constants): (Vec<TensorId>, Vec<TensorId>) =
        inputs.iter().partition(|id| batches.axis(graph, **id) == Some(0));
    let fits = |shape: &Vec<usize>| shape.len() == rank && shape[0] == 1;
    let known = constants.iter().all(|id| !batches.contains(*id));
    if along == 0 || images.is_empty() || constants.is_empty() || !known || !shapes.iter().all(fits) {
        return;
    }
    let total: usize = shapes.iter().map(|shape| shape[along]).sum();
    let mut start = 0;
    let mut nodes = Vec::new();
    let mut sum: Option<TensorId> = None;
    for (place, (id, shape)) in inputs.iter().zip(&shapes).enumerate() {
        let mut pads = vec![0; 2 * rank];
        (pads[along], pads[rank + along]) = (start as i64, (total - start - shape[along]) as i64);
        start += shape[along];
        let name = format!("{}/{place}", node.name);
        let pads = graph.add_constant(&format!("{name}/pads"), Constant::ints(pads));
        let padded = graph.add_tensor(&format!("{name}/padded"), None);
        let mut pad = node_like(&node, "Pad", Attributes::new(), vec![Some(*id), Some(pads)], vec![padded]);
        pad.name = format!("{name}/pad");
        nodes.push(pad);
        sum = Some(match sum {
            None => padded,
            Some(before) => {
                let last = place + 1 == inputs.len();
                let output = if last { result } else { graph.add_tensor(&format!("{name}/sum"), None) };
                let mut add = node_like(
                    &node,
                    "Add",
                    Attributes::new(),
                    vec![Some(before), Some(padded)],
                    vec![output],
                );
                add.name = format!("{name}/add");
                nodes.push(add);
                output
            }
        });
    }
    graph.nodes.splice(index..=index, nodes);
}

#[cfg(test)]
mod tests {
    use crate::graph::{Attributes, Constant, Graph};
    use crate::ops::testing::NodeTest;
    use crate::ops::{check_batch, infer};

    #[test]
    fn a_convolution_along_one_axis_is_computed() {
        let test = || {
            let weight = Constant::f32(vec![1, 1, 3], vec![1.0, 10.0, 100.0]);
            let test = NodeTest::new("Conv").tensor(&[1, 1, 3], &[1.0, 2.0, 3.0]).constant(weight);
            test.with("pads", vec![1, 1])
        };
        assert_eq!(test().run(), (vec![1, 1, 3], vec![210.0, 321.0, 32.0]));
        assert_eq!(test().with("strides", vec![2]).run(), (vec![1, 1, 2], vec![210.0, 32.0]));
        let error = test().with("strides", vec![2, 1]).error();
        assert!(error.contains("3 axes"), "{error}");
    }

    #[test]
    fn a_concat_that_gives_nothing_is_no_panic() {
        let mut graph = Graph { opset: 17, ..Graph::default() };
        let image = graph.add_input("image", vec![1, 2, 3]);
        let token = graph.add_constant("token", Constant::f32(vec![1, 1, 3], vec![0.0; 3]));
        graph.add_node_with(
            "Concat",
            "tokens",
            [token, image],
            Attributes::from([("axis".into(), 1.into())]),
        );
        graph.nodes[0].outputs.clear();
        infer(&mut graph).unwrap();
        assert!(graph.nodes.iter().all(|node| node.op_type == "Concat"));
    }

    /// A class token before the patches of an image.
    #[test]
    fn a_constant_beside_images_is_repeated_for_each() {
        let mut graph = Graph { opset: 17, ..Graph::default() };
        let image = graph.add_input("image", vec![1, 2, 3]);
        let token = graph.add_constant("token", Constant::f32(vec![1, 1, 3], vec![7.0, 8.0, 9.0]));
        let axis = Attributes::from([("axis".into(), 1.into())]);
        let output = graph.add_node_with("Concat", "tokens", [token, image], axis);
        graph.outputs.push(output);
        let operators = infer(&mut graph).unwrap();
        assert_eq!(graph.shape(output), [1, 3, 3]);
        check_batch(&graph, &operators).unwrap();
        let once = graph.clone();
        infer(&mut graph).unwrap();
        assert_eq!(graph, once);
    }
}
