//! Bytes to a graph.

use std::collections::{HashMap, HashSet};

use prost::Message;

use super::proto::{
    DimensionValue, GraphProto, ModelProto, NodeProto, TensorProto, TypeTensor, TypeValue, ValueInfoProto,
    data_type,
};
use super::{OnnxError, attribute, tensor};
use crate::graph::{Attribute, Constant, Graph, Node, Shape, TensorId, TensorInfo};

/// The oldest operator set that is read: the first with today's rules of broadcasting.
pub const MIN_OPSET: i64 = 7;
/// The newest operator set that is read.
pub const MAX_OPSET: i64 = 28;

/// Types of floats, all of which are read as the first.
const FLOATS: [i32; 4] = [data_type::FLOAT, data_type::FLOAT16, data_type::BFLOAT16, data_type::DOUBLE];

/// Reads an ONNX file of operator set [`MIN_OPSET`] to [`MAX_OPSET`].
///
/// Floats of any width become float32, also where a node casts to them; `Constant` nodes become constants, nodes are
/// sorted, and a first axis that is left free is taken as the batch and set to one image. Other operators are not looked
/// at, except that none may hold a subgraph.
///
/// # Errors
///
/// See [`OnnxError`]; each message says what to do.
pub fn read(bytes: &[u8]) -> Result<Graph, OnnxError> {
    let model = decode(bytes)?;
    let opset = model
        .opset_import
        .iter()
        .find(|set| is_standard(set.domain.as_deref().unwrap_or_default()))
        .and_then(|set| set.version)
        .ok_or_else(|| OnnxError::Damaged { reason: "it names no operator set".to_owned() })?;
    if !(MIN_OPSET..=MAX_OPSET).contains(&opset) {
        return Err(OnnxError::Opset { opset, min: MIN_OPSET, max: MAX_OPSET });
    }
    let mut proto = model.graph.unwrap_or_default();
    let mut reader = Reader::new(opset, &proto);
    reader.graph.metadata = model
        .metadata_props
        .into_iter()
        .map(|entry| (entry.key.unwrap_or_default(), entry.value.unwrap_or_default()))
        .collect();
    reader.constants(&mut proto)?;
    reader.inputs(&proto)?;
    reader.nodes(&proto)?;
    reader.outputs(&proto)?;
    reader.sorted()
}

/// The file's protocol buffer, if it is an ONNX model.
pub fn decode(bytes: &[u8]) -> Result<ModelProto, OnnxError> {
    let not_onnx = |reason: &str| OnnxError::NotOnnx { reason: reason.to_owned() };
    match bytes {
        [] => return Err(not_onnx("it is empty")),
        [b'P', b'K', 3, 4, ..] => return Err(not_onnx("it is a zip archive, such as a PyTorch checkpoint")),
        [0x89, b'H', b'D', b'F', ..] => return Err(not_onnx("it is an HDF5 file, such as a Keras model")),
        _ => {}
    }
    // Writers put the IR version, field 1, first.
    let damaged = bytes.first() == Some(&0x08);
    match ModelProto::decode(bytes) {
        Ok(model) if model.graph.is_some() => Ok(model),
        Ok(_) if damaged => Err(OnnxError::Damaged { reason: "it holds no graph".to_owned() }),
        Err(error) if damaged => Err(OnnxError::Damaged { reason: error.to_string() }),
        _ => Err(not_onnx("its bytes are no ONNX model")),
    }
}

fn is_standard(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// A graph while it is read.
struct Reader {
    graph: Graph,
    names: HashMap<String, TensorId>,
    /// Nodes that hold a constant, by their place in the file: they leave no node behind.
    constant_nodes: HashSet<usize>,
}

impl Reader {
    fn new(opset: i64, proto: &GraphProto) -> Self {
        let graph = Graph { name: proto.name.clone().unwrap_or_default(), opset, ..Graph::default() };
        Self { graph, names: HashMap::new(), constant_nodes: HashSet::new() }
    }

    fn define(&mut self, name: &str, shape: Option<Shape>) -> Result<TensorId, OnnxError> {
        let id = TensorId(self.graph.tensors.len());
        if self.names.insert(name.to_owned(), id).is_some() {
            return Err(OnnxError::Duplicate { tensor: name.to_owned() });
        }
        self.graph.tensors.push(TensorInfo { name: name.to_owned(), shape, other_type: None });
        Ok(id)
    }

    /// Defines a constant of the type that `stored` had in the file.
    fn define_constant(
        &mut self,
        name: &str,
        constant: Constant,
        stored: Option<&TensorProto>,
    ) -> Result<(), OnnxError> {
        let id = self.define(name, Some(constant.shape.clone()))?;
        self.graph.constants.insert(id, constant);
        self.graph.tensors[id.0].other_type =
            stored.and_then(|tensor| tensor.data_type).filter(|code| !FLOATS.contains(code));
        Ok(())
    }

    /// Takes the initializers out of `proto`, one by one: large networks are not held twice.
    fn constants(&mut self, proto: &mut GraphProto) -> Result<(), OnnxError> {
        if let Some(sparse) = proto.sparse_initializer.first() {
            let name = sparse.values.as_ref().and_then(|values| values.name.clone()).unwrap_or_default();
            return Err(OnnxError::Tensor { tensor: name, reason: "is sparse".to_owned() });
        }
        for initializer in proto.initializer.drain(..) {
            let name = initializer.name.as_deref().unwrap_or_default();
            self.define_constant(name, tensor::read(&initializer, name)?, Some(&initializer))?;
        }
        Ok(())
    }

    /// Files of IR version 3 list their initializers among the inputs; those are no inputs.
    fn inputs(&mut self, proto: &GraphProto) -> Result<(), OnnxError> {
        let inputs = proto.input.iter().filter(|input| match self.names.get(name_of(input)) {
            Some(id) => !self.graph.constants.contains_key(id),
            None => true,
        });
        for input in inputs.collect::<Vec<_>>() {
            let name = name_of(input);
            let shape =
                input_shape(input).map_err(|reason| OnnxError::Input { input: name.to_owned(), reason })?;
            let id = self.define(name, Some(shape))?;
            self.graph.inputs.push(id);
        }
        if self.graph.inputs.is_empty() { Err(OnnxError::Empty { what: "input" }) } else { Ok(()) }
    }

    fn nodes(&mut self, proto: &GraphProto) -> Result<(), OnnxError> {
        for (index, node) in proto.node.iter().enumerate() {
            if node.op_type.as_deref() == Some("Constant") && is_standard(domain(node)) {
                let constant = self.constant_node(node)?;
                let name = node.output.first().map_or("", String::as_str);
                self.define_constant(name, constant, node.attribute.iter().find_map(|it| it.t.as_ref()))?;
                self.constant_nodes.insert(index);
            }
        }
        let computed = |(index, _): &(usize, &NodeProto)| !self.constant_nodes.contains(index);
        let nodes: Vec<&NodeProto> =
            proto.node.iter().enumerate().filter(computed).map(|(_, node)| node).collect();
        // All outputs are defined before any input is looked up, for a file's nodes may be in any order.
        let mut outputs = Vec::with_capacity(nodes.len());
        for node in &nodes {
            let given = trimmed(&node.output).iter().enumerate();
            let ids = given.map(|(index, name)| match name.as_str() {
                "" => self.define(&format!("{}: unused output {index}", node_name(node)), None),
                name => self.define(name, None),
            });
            outputs.push(ids.collect::<Result<Vec<_>, _>>()?);
        }
        for (node, outputs) in nodes.into_iter().zip(outputs) {
            let read = self.node(node, outputs)?;
            self.graph.nodes.push(read);
        }
        Ok(())
    }

    fn node(&self, node: &NodeProto, outputs: Vec<TensorId>) -> Result<Node, OnnxError> {
        let name = node_name(node);
        let inputs = trimmed(&node.input).iter().map(|input| match input.as_str() {
            "" => Ok(None),
            given => self
                .names
                .get(given)
                .copied()
                .map(Some)
                .ok_or_else(|| OnnxError::Missing { node: name.to_owned(), tensor: given.to_owned() }),
        });
        let domain = domain(node);
        let op_type = node.op_type.clone().unwrap_or_default();
        let mut attributes = attribute::read_all(node, name, self.graph.opset)?;
        if op_type == "Cast"
            && let Some(Attribute::Int(to)) = attributes.get_mut("to")
            && FLOATS.iter().any(|float| i64::from(*float) == *to)
        {
            *to = FLOATS[0].into();
        }
        Ok(Node {
            name: name.to_owned(),
            op_type,
            domain: if is_standard(domain) { String::new() } else { domain.to_owned() },
            attributes,
            inputs: inputs.collect::<Result<_, _>>()?,
            outputs,
            macs: 0,
        })
    }

    /// The value of a `Constant` node, whose attribute is called after its type.
    fn constant_node(&self, node: &NodeProto) -> Result<Constant, OnnxError> {
        let name = node_name(node);
        let attributes = attribute::read_all(node, name, self.graph.opset)?;
        match attributes.into_iter().next() {
            Some((_, Attribute::Tensor(constant))) => Ok(constant),
            Some((_, Attribute::Float(value))) => Ok(Constant::scalar(value)),
            Some((_, Attribute::Floats(values))) => Ok(Constant::f32(vec![values.len()], values)),
            Some((_, Attribute::Int(value))) => Ok(Constant { shape: vec![], ..Constant::ints(vec![value]) }),
            Some((_, Attribute::Ints(values))) => Ok(Constant::ints(values)),
            _ => Err(OnnxError::Unsupported {
                node: name.to_owned(),
                operator: "Constant".to_owned(),
                opset: self.graph.opset,
                reason: "it holds no numbers".to_owned(),
            }),
        }
    }

    fn outputs(&mut self, proto: &GraphProto) -> Result<(), OnnxError> {
        let mut seen = HashSet::new();
        for output in &proto.output {
            let name = name_of(output);
            let id = *self.names.get(name).ok_or_else(|| OnnxError::Missing {
                node: "outputs of the graph".to_owned(),
                tensor: name.to_owned(),
            })?;
            if !seen.insert(id.0) {
                return Err(OnnxError::Duplicate { tensor: name.to_owned() });
            }
            // Inputs and constants have a shape by now, and a type that an output's declaration does not change.
            let info = &mut self.graph.tensors[id.0];
            if info.shape.is_none()
                && let Ok(declared) = dense(output)
            {
                let code = declared.elem_type.unwrap_or_default();
                info.other_type = (!FLOATS.contains(&code)).then_some(code);
                info.shape = axes(declared).ok().and_then(|axes| tensor::shape(&axes).ok());
            }
            self.graph.outputs.push(id);
        }
        if self.graph.outputs.is_empty() { Err(OnnxError::Empty { what: "output" }) } else { Ok(()) }
    }

    fn sorted(mut self) -> Result<Graph, OnnxError> {
        let order = self.graph.topological_order();
        if order.len() < self.graph.nodes.len() {
            let sorted: HashSet<usize> = order.into_iter().collect();
            let left = self.graph.nodes.iter().enumerate().find(|(index, _)| !sorted.contains(index));
            let node = left.map(|(_, node)| node.name.clone()).unwrap_or_default();
            return Err(OnnxError::Cycle { node });
        }
        let mut nodes: Vec<_> = self.graph.nodes.drain(..).map(Some).collect();
        self.graph.nodes = order.into_iter().filter_map(|index| nodes[index].take()).collect();
        Ok(self.graph)
    }
}

fn name_of(info: &ValueInfoProto) -> &str {
    info.name.as_deref().unwrap_or_default()
}

fn domain(node: &NodeProto) -> &str {
    node.domain.as_deref().unwrap_or_default()
}

/// The node's name, which is optional, or else that of its first output that has one.
fn node_name(node: &NodeProto) -> &str {
    let mut names = node.name.iter().chain(&node.output).map(String::as_str);
    names.find(|name| !name.is_empty()).unwrap_or_default()
}

/// Names without the empty ones at the end, which say nothing.
fn trimmed(names: &[String]) -> &[String] {
    let given = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    &names[..given]
}

fn input_shape(input: &ValueInfoProto) -> Result<Shape, String> {
    let declared = dense(input)?;
    let code = declared.elem_type.unwrap_or_default();
    if !FLOATS.contains(&code) {
        return Err(format!("holds {}, not floats", data_type::name(code)));
    }
    let axes = axes(declared)?;
    let shape = tensor::shape(&axes)?;
    if shape.contains(&0) { Err(format!("has the shape {axes:?} with an empty axis")) } else { Ok(shape) }
}

fn dense(info: &ValueInfoProto) -> Result<&TypeTensor, String> {
    match info.r#type.as_ref().and_then(|kind| kind.value.as_ref()) {
        Some(TypeValue::Tensor(tensor)) => Ok(tensor),
        _ => Err("is no dense tensor".to_owned()),
    }
}

/// Sizes of a tensor's axes; the first one is 1 where it is left free.
fn axes(tensor: &TypeTensor) -> Result<Vec<i64>, String> {
    let shape = tensor.shape.as_ref().ok_or_else(|| "has no shape".to_owned())?;
    let sizes = shape.dim.iter().enumerate().map(|(axis, size)| match &size.value {
        Some(DimensionValue::DimValue(size)) => Ok(*size),
        _ if axis == 0 => Ok(1),
        _ => Err(format!("leaves the size of axis {axis} free")),
    });
    sizes.collect()
}
