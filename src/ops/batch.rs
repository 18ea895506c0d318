//! Networks for any batch, whatever they were exported for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::shape::reshaped;
use super::{NodeView, OpError, Operator};
use crate::graph::{Attribute, Constant, Graph, Shape, TensorId};

/// Shapes for two images, while a graph's nodes are gone through: they show where the batch is.
pub struct Batches {
    /// Per tensor that depends on an input; `None` where an operator does not take two images.
    two: BTreeMap<TensorId, Option<Shape>>,
}

impl Batches {
    /// The batch is the first axis of the first input, and of others that look alike.
    pub fn new(graph: &Graph) -> Self {
        let image = graph.inputs.first().map_or(&[][..], |id| graph.shape(*id));
        let alike = graph.inputs.iter().filter(|id| {
            let shape = graph.shape(**id);
            shape.len() == image.len() && shape.first() == image.first()
        });
        let doubled = |id: &TensorId| {
            let mut shape = graph.shape(*id).to_vec();
            if let Some(batch) = shape.first_mut() {
                *batch *= 2;
            }
            (*id, Some(shape))
        };
        Self { two: alike.map(doubled).collect() }
    }

    /// Takes in node `index`, whose shapes have been inferred.
    pub fn extend(&mut self, graph: &Graph, index: usize, operator: &dyn Operator) {
        let node = &graph.nodes[index];
        if !node.inputs.iter().flatten().any(|id| self.two.contains_key(id)) {
            return;
        }
        let shape = |input: &Option<TensorId>| match input.map(|id| (id, self.two.get(&id))) {
            None => Some(vec![]),
            Some((_, Some(two))) => two.clone(),
            Some((id, None)) => Some(graph.shape(id).to_vec()),
        };
        let inputs: Option<Vec<Shape>> = node.inputs.iter().map(shape).collect();
        let outputs = inputs
            .and_then(|inputs| operator.shapes(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>()).ok());
        for (place, id) in node.outputs.iter().enumerate() {
            self.two.insert(*id, outputs.as_ref().and_then(|shapes| shapes.get(place).cloned()));
        }
    }

    /// Whether a tensor depends on the images.
    pub fn contains(&self, id: TensorId) -> bool {
        self.two.contains_key(&id)
    }

    /// The only axis of a tensor that two images make longer.
    pub fn axis(&self, graph: &Graph, id: TensorId) -> Option<usize> {
        let (one, two) = (graph.shape(id), self.two.get(&id)?.as_ref()?);
        let mut longer = (0..one.len()).filter(|axis| two.get(*axis) != Some(&one[*axis]));
        longer.next().filter(|_| longer.next().is_none() && one.len() == two.len())
    }
}

/// Lets a reshape that was exported for one image take any batch: the axis of the target that holds the batch copies
/// the input's, or is what is left over.
///
/// The batch stays outermost in its axis, so that is the one before which the target has as many elements as the input
/// has before its own.
pub fn free_batch(graph: &mut Graph, index: usize, batches: &Batches) {
    let node = &graph.nodes[index];
    let (Some(Some(data)), Some(Some(target))) = (node.inputs.first(), node.inputs.get(1)) else { return };
    if node.op_type != "Reshape" {
        return;
    }
    let Some(values) = graph.constants.get(target).and_then(Constant::as_i64) else { return };
    let Some(axis) = batches.axis(graph, *data) else { return };
    let copies_zeros = node.attributes.get("allowzero") != Some(&Attribute::Int(1));
    let one = graph.shape(*data);
    let Ok(shape) = reshaped(one, values, copies_zeros) else { return };
    let before: usize = one[..axis].iter().product();
    let Some(place) = (0..shape.len()).find(|place| shape[..*place].iter().product::<usize>() == before)
    else {
        return;
    };
    if values[place] == -1 || values[place] == 0 && place == axis {
        return;
    }
    let copies = place == axis && shape[place] == one[axis] && (copies_zeros || !values.contains(&0));
    let mut freed: Vec<i64> = match copies {
        true => values.to_vec(),
        false => shape.iter().map(|size| *size as i64).collect(),
    };
    freed[place] = if copies { 0 } else { -1 };
    retarget(graph, index, 1, freed);
}

/// Gives a node a shape of its own as input `place`: others may read the old one.
fn retarget(graph: &mut Graph, index: usize, place: usize, target: Vec<i64>) {
    let name = format!("{}/shape", graph.nodes[index].name);
    let id = graph.add_constant(&name, Constant::ints(target));
    let node = &mut graph.nodes[index];
    node.inputs[place] = Some(id);
    node.attributes.remove("allowzero");
}

/// Makes a network that was exported for a fixed batch of several images one for a single image: its inputs of 4 axes
/// get a first axis of 1, and so do shapes that begin with that batch. To be called before [`infer`].
pub fn rewrite_batch(graph: &mut Graph) {
    let Some(&input) = graph.inputs.iter().find(|id| graph.shape(**id).len() == 4) else { return };
    let batch = graph.shape(input)[0];
    if batch == 1 {
        return;
    }
    for id in graph.inputs.clone() {
        if let Some(size) = graph.tensors[id.0].shape.as_mut().and_then(|shape| shape.first_mut())
            && *size == batch
        {
            *size = 1;
        }
    }
    let depends = graph.depends_on_input();
    for index in 0..graph.nodes.len() {
        let node = &graph.nodes[index];
        let Some((_, place)) = TARGETS.iter().find(|(op_type, _)| *op_type == node.op_type) else { continue };
        let (Some(Some(data)), Some(Some(target))) = (node.inputs.first(), node.inputs.get(*place)) else {
            continue;
        };
        let values = graph.constants.get(target).and_then(Constant::as_i64);
        if let Some([first, rest @ ..]) = values
            && depends[data.0]
            && *first == batch as i64
            && !node.attributes.contains_key("axes")
        {
            let freed = std::iter::once(1).chain(rest.iter().copied()).collect();
            retarget(graph, index, *place, freed);
        }
    }
}

/// Operators whose input at this place is a shape that may begin with the batch.
const TARGETS: &[(&str, usize)] = &[("Expand", 1), ("Reshape", 1), ("Resize", 3)];

/// Checks that an inferred network takes any batch: with two images every operator accepts its inputs, and every
/// output has two rows instead of one.
///
/// # Errors
///
/// Names the node at which the batch gets lost, or an output that depends on no input.
pub fn check_batch(graph: &Graph, operators: &[Arc<dyn Operator>]) -> Result<(), OpError> {
    let mut shapes: Vec<Shape> =
        (0..graph.tensors.len()).map(|id| graph.shape(TensorId(id)).to_vec()).collect();
    for input in &graph.inputs {
        if let Some(batch) = shapes[input.0].first_mut() {
            *batch *= 2;
        }
    }
    let depends = graph.depends_on_input();
    if let Some(id) = graph.outputs.iter().find(|id| !depends[id.0]) {
        return Err(OpError::FixedOutput { output: graph.tensor(*id).name.clone() });
    }
    for (node, operator) in graph.nodes.iter().zip(operators) {
        let lost = |reason: &str| {
            NodeView::new(graph, node).invalid(format!(
                "it holds for one image only: {reason}. Hint: export the network with a dynamic batch axis"
            ))
        };
        let inputs: Vec<&[usize]> =
            node.inputs.iter().map(|input| input.map_or(&[][..], |id| &shapes[id.0])).collect();
        let outputs = operator.shapes(&inputs).map_err(|reason| lost(&reason))?;
        for (id, shape) in node.outputs.iter().zip(outputs) {
            let one = graph.shape(*id);
            let doubled = one.first().map(|batch| batch * 2);
            let is_output = graph.outputs.contains(id);
            let one_row = one.first() == Some(&1) && shape.first().copied() == doubled;
            if shape.len() != one.len() || is_output && !one_row {
                return Err(lost(&format!("two images give {shape:?}, one gives {one:?}")));
            }
            shapes[id.0] = shape;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::infer;
    use super::*;
    use crate::graph::Attributes;

    fn image(batch: usize) -> (Graph, TensorId) {
        let mut graph = Graph { opset: 17, ..Graph::default() };
        let image = graph.add_input("image", vec![batch, 4, 2, 2]);
        (graph, image)
    }

    fn reshape(graph: &mut Graph, data: TensorId, target: &[i64]) -> TensorId {
        let target = graph.add_constant("target", Constant::ints(target));
        graph.add_node("Reshape", "reshaped", [data, target])
    }

    /// Shapes of the outputs for one image, or why the network does not take two.
    fn shapes(mut graph: Graph, output: TensorId) -> Result<Shape, String> {
        graph.outputs.push(output);
        rewrite_batch(&mut graph);
        let operators = infer(&mut graph).map_err(|error| error.to_string())?;
        check_batch(&graph, &operators).map_err(|error| error.to_string())?;
        Ok(graph.shape(output).to_vec())
    }

    #[test]
    fn reshapes_exported_for_a_fixed_batch_take_any() {
        for (batch, target) in
            [(1, [1, 16]), (1, [1, -1]), (1, [-1, 16]), (8, [8, 16]), (8, [8, -1]), (8, [-1, 16])]
        {
            let (mut graph, image) = image(batch);
            let output = reshape(&mut graph, image, &target);
            assert_eq!(shapes(graph, output), Ok(vec![1, 16]), "{batch} {target:?}");
        }
    }

    /// Attention as it is exported for one image: heads beside the batch, and the sequence first.
    #[test]
    fn a_batch_that_shares_its_axis_stays_outermost() {
        let (mut graph, image) = image(1);
        let perm = |perm: &[i64]| Attributes::from([("perm".into(), perm.to_vec().into())]);
        let rows = reshape(&mut graph, image, &[1, 4, 4]);
        let sequence = graph.add_node_with("Transpose", "sequence", [rows], perm(&[1, 0, 2]));
        let heads = reshape(&mut graph, sequence, &[4, 2, 2]);
        let heads = graph.add_node_with("Transpose", "heads", [heads], perm(&[1, 0, 2]));
        let flat = reshape(&mut graph, heads, &[1, 16]);
        assert_eq!(shapes(graph.clone(), flat), Ok(vec![1, 16]));
        graph.outputs.push(flat);
        infer(&mut graph).unwrap();
        let targets: Vec<_> = graph.constants.values().filter_map(Constant::as_i64).collect();
        assert!(targets.contains(&&[4, -1, 2][..]) && targets.contains(&&[-1, 16][..]), "{targets:?}");
    }

    #[test]
    fn a_target_that_two_reshapes_share_stays_right_for_both() {
        let (mut graph, image) = image(1);
        let target = graph.add_constant("target", Constant::ints(vec![1, 16]));
        let weight = graph.add_constant("weight", Constant::f32(vec![16], vec![1.0; 16]));
        let row = graph.add_node("Reshape", "row", [weight, target]);
        let flat = graph.add_node("Reshape", "flat", [image, target]);
        let output = graph.add_node("Add", "sum", [flat, row]);
        assert_eq!(shapes(graph, output), Ok(vec![1, 16]));
    }

    #[test]
    fn an_output_that_no_image_changes_is_refused() {
        let (mut graph, image) = image(1);
        let size = graph.add_node("Shape", "size", [image]);
        let axes = graph.add_constant("axes", Constant::ints(vec![0]));
        let output = graph.add_node("Unsqueeze", "row", [size, axes]);
        let error = shapes(graph, output).unwrap_err();
        assert!(error.contains("the same for every image"), "{error}");
    }

    #[test]
    fn a_network_that_loses_its_batch_is_refused_by_node() {
        let (mut graph, image) = image(1);
        let fixed = reshape(&mut graph, image, &[4, 4]);
        let error = shapes(graph, fixed).unwrap_err();
        assert!(error.contains("'reshaped'") && error.contains("one image only"), "{error}");

        let (mut graph, image) = self::image(1);
        let pooled = graph.add_node("GlobalAveragePool", "pooled", [image]);
        let squeezed = graph.add_node("Squeeze", "squeezed", [pooled]);
        let error = shapes(graph, squeezed).unwrap_err();
        assert!(error.contains("'squeezed'"), "{error}");
    }
}
