//! Networks that TensorFlow trained: images with channels last, and transposes around everything that wants them first.
//!
//! Every transpose is put off: what it gives is remembered as "that tensor, with its axes in this order", and nodes that
//! can work in any order of axes read the tensor as it is. Where two orders undo each other, both transposes are gone; a
//! transpose that is still needed is put back where it is.

mod follow;

use std::collections::BTreeMap;

use crate::graph::{Attribute, Attributes, Constant, Graph, Node, Shape, TensorId};
use crate::ops;

/// Axes of images with channels last, in terms of images with channels first.
const LAST: [usize; 4] = [0, 2, 3, 1];

/// The graph, whose shapes have been inferred, with channels first and without the transposes that undo each other;
/// `None` where that would change nothing.
pub fn channels_first(graph: &Graph) -> Option<Graph> {
    let count = |graph: &Graph| graph.nodes.iter().filter(|node| node.op_type == "Transpose").count();
    let turned = channels_last_input(graph);
    if turned.is_none() && count(graph) < 2 {
        return None;
    }
    let mut layout = Layout::new(graph);
    if let Some(image) = turned {
        layout.turn_input(image);
    }
    for node in &graph.nodes {
        layout.add(node);
    }
    let rewritten = layout.finish().pruned();
    (turned.is_some() || count(&rewritten) < count(graph)).then_some(rewritten)
}

/// The image input, if its channels come last.
fn channels_last_input(graph: &Graph) -> Option<TensorId> {
    let is_channels = |size: usize| size == 1 || size == 3;
    match graph.inputs[..] {
        [image] => match *graph.shape(image) {
            [_, height, _, channels] if is_channels(channels) && !is_channels(height) => Some(image),
            _ => None,
        },
        _ => None,
    }
}

/// A tensor with its axes in another order: axis `index` is axis `order[index]` of `source`.
#[derive(Clone, Debug)]
struct Turned {
    source: TensorId,
    order: Vec<usize>,
}

/// A graph that is written anew, its transposes put off.
struct Layout {
    graph: Graph,
    turned: BTreeMap<TensorId, Turned>,
    /// Transposes that were put back, by what they read and how they turn it.
    made: BTreeMap<(TensorId, Vec<usize>), TensorId>,
    /// How many nodes read each tensor.
    readers: Vec<usize>,
    /// Shapes of tensors as they are.
    sizes: BTreeMap<TensorId, Shape>,
}

impl Layout {
    fn new(graph: &Graph) -> Self {
        let readers = graph.consumers().iter().map(Vec::len).collect();
        let sizes =
            (0..graph.tensors.len()).map(|id| (TensorId(id), graph.shape(TensorId(id)).to_vec())).collect();
        let graph = Graph { nodes: Vec::new(), ..graph.clone() };
        Self { graph, turned: BTreeMap::new(), made: BTreeMap::new(), readers, sizes }
    }

    /// Lets the image come with channels first.
    fn turn_input(&mut self, image: TensorId) {
        let shape = self.graph.shape(image).to_vec();
        let name = std::mem::take(&mut self.graph.tensors[image.0].name);
        let source = self.graph.add_tensor(&name, Some(vec![shape[0], shape[3], shape[1], shape[2]]));
        self.sizes.insert(source, self.graph.shape(source).to_vec());
        self.graph.tensors[image.0].name = format!("{name}/channels_last");
        self.graph.inputs = vec![source];
        self.turned.insert(image, Turned { source, order: LAST.to_vec() });
    }

    fn add(&mut self, node: &Node) {
        if let Some(turned) = self.transpose(node) {
            self.turned.insert(node.outputs[0], turned);
            return;
        }
        if node.inputs.iter().flatten().any(|id| self.turned.contains_key(id)) {
            match self.follow(node) {
                Some((node, order)) => {
                    for output in &node.outputs {
                        let source = *output;
                        // The tensor keeps its name, for it holds what it held, in another order.
                        if let Some(shape) = self.graph.tensors[output.0].shape.take() {
                            self.sizes
                                .insert(source, inverse(&order).iter().map(|axis| shape[*axis]).collect());
                        }
                        self.turned.insert(*output, Turned { source, order: order.clone() });
                    }
                    self.graph.nodes.push(node);
                }
                None => {
                    let inputs = node.inputs.iter().map(|input| input.map(|id| self.put_back(id)));
                    let inputs = inputs.collect();
                    self.graph.nodes.push(Node { inputs, ..node.clone() });
                }
            }
            return;
        }
        self.graph.nodes.push(node.clone());
    }

    /// What a transpose gives, in terms of the tensor that is there.
    fn transpose(&self, node: &Node) -> Option<Turned> {
        let input = node.inputs.first().copied().flatten().filter(|_| node.op_type == "Transpose")?;
        let known = self.turned.get(&input);
        let rank = known.map_or_else(|| self.graph.shape(input).len(), |turned| turned.order.len());
        let order: Vec<usize> = match node.attributes.get("perm") {
            None => (0..rank).rev().collect(),
            Some(Attribute::Ints(order)) => {
                order.iter().map(|axis| usize::try_from(*axis).ok()).collect::<Option<_>>()?
            }
            Some(_) => return None,
        };
        Some(match known {
            None => Turned { source: input, order },
            Some(turned) => Turned {
                source: turned.source,
                order: order.iter().map(|axis| turned.order.get(*axis).copied()).collect::<Option<_>>()?,
            },
        })
    }

    /// The tensor in the order that the network means, transposed if it must be.
    fn put_back(&mut self, id: TensorId) -> TensorId {
        let Some(Turned { source, order }) = self.turned.get(&id).cloned() else { return id };
        if is_still(&order) {
            return source;
        }
        if let Some(made) = self.made.get(&(source, order.clone())) {
            return *made;
        }
        // A tensor that is written under its own name needs another one for what it means.
        let made = if source == id || self.produced(id) {
            let name = format!("{}/transposed", self.graph.tensor(id).name);
            self.graph.add_tensor(&name, None)
        } else {
            id
        };
        let perm: Vec<i64> = order.iter().map(|axis| *axis as i64).collect();
        self.graph.nodes.push(Node {
            name: self.graph.tensor(made).name.clone(),
            op_type: "Transpose".to_owned(),
            domain: String::new(),
            attributes: Attributes::from([("perm".to_owned(), perm.into())]),
            inputs: vec![Some(source)],
            outputs: vec![made],
            macs: 0,
        });
        self.made.insert((source, order), made);
        made
    }

    fn produced(&self, id: TensorId) -> bool {
        self.graph.nodes.iter().any(|node| node.outputs.contains(&id))
    }

    /// The graph, its outputs as the network means them.
    fn finish(mut self) -> Graph {
        for index in 0..self.graph.outputs.len() {
            let output = self.graph.outputs[index];
            let placed = self.put_back(output);
            if placed != output {
                // The output's name goes to the tensor that is now the output.
                let name = self.graph.tensor(output).name.clone();
                let inner = format!("{name}/channels_first");
                self.graph.tensors[output.0].name = inner;
                let taken = placed.0 != output.0 && self.graph.inputs.contains(&placed);
                if !taken {
                    self.graph.tensors[placed.0].name = name;
                }
                self.graph.outputs[index] = placed;
            }
        }
        self.graph
    }

    /// A constant operand in the order that `order` undoes; broadcasting axes in front included.
    fn operand(&mut self, id: TensorId, order: &[usize]) -> Option<TensorId> {
        let constant = self.graph.constants.get(&id)?;
        if constant.len() == 1 && constant.shape.len() <= order.len() {
            return Some(id);
        }
        let missing = order.len().checked_sub(constant.shape.len())?;
        let logical: Shape = vec![1; missing].into_iter().chain(constant.shape.iter().copied()).collect();
        let back = inverse(order);
        let shape: Shape = back.iter().map(|axis| logical[*axis]).collect();
        let turned = ops::permuted(&Constant { shape: logical, data: constant.data.clone() }, &back)?;
        if self.readers[id.0] == 1 {
            self.graph.tensors[id.0].shape = Some(shape);
            self.graph.constants.insert(id, turned);
            return Some(id);
        }
        let name = self.graph.tensor(id).name.clone();
        Some(self.graph.add_constant(&name, turned))
    }
}

fn is_still(order: &[usize]) -> bool {
    order.iter().enumerate().all(|(index, axis)| index == *axis)
}

fn inverse(order: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; order.len()];
    for (index, axis) in order.iter().enumerate() {
        inverse[*axis] = index;
    }
    inverse
}

#[cfg(test)]
mod tests;
