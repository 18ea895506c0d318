//! A graph to bytes.

use std::collections::{BTreeMap, HashMap, HashSet};

use prost::Message;

use super::proto::{
    Dimension, DimensionValue, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorShapeProto, TypeProto, TypeTensor, TypeValue, ValueInfoProto, data_type,
};
use super::{OnnxError, attribute, tensor};
use crate::graph::{Graph, Node, TensorId, TensorInfo};

/// Name of the free batch axis.
const BATCH: &str = "batch";

/// Writes a graph as an ONNX file.
///
/// The first axis of inputs and outputs is free, where the graph has it as a batch of one image. A network that was read
/// and not changed keeps its names, nodes and operator set.
///
/// # Errors
///
/// Two tensors have one name.
pub fn write(graph: &Graph) -> Result<Vec<u8>, OnnxError> {
    let mut names = HashSet::new();
    if let Some(twice) = named_tensors(graph).into_iter().find(|name| !names.insert(*name)) {
        return Err(OnnxError::Duplicate { tensor: twice.to_owned() });
    }
    let depends = graph.depends_on_input();
    let value_info = |id: &TensorId| {
        let info = graph.tensor(*id);
        value_info(info, depends[id.0])
    };
    let model = ModelProto {
        ir_version: Some(ir_version(graph.opset)),
        producer_name: Some(env!("CARGO_PKG_NAME").to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(graph.opset) }],
        graph: Some(GraphProto {
            name: Some(graph.name.clone()),
            node: write_nodes(graph),
            initializer: graph
                .constants
                .iter()
                .map(|(id, constant)| {
                    let info = graph.tensor(*id);
                    tensor::write(constant, &info.name, info.other_type)
                })
                .collect(),
            input: graph.inputs.iter().map(value_info).collect(),
            output: graph.outputs.iter().map(value_info).collect(),
            ..GraphProto::default()
        }),
        metadata_props: entries(&graph.metadata),
        ..ModelProto::default()
    };
    Ok(model.encode_to_vec())
}

/// Names of all tensors that have an origin.
fn named_tensors(graph: &Graph) -> Vec<&str> {
    let outputs = graph.nodes.iter().flat_map(|node| &node.outputs);
    let ids = graph.inputs.iter().chain(graph.constants.keys()).chain(outputs);
    ids.map(|id| graph.tensor(*id).name.as_str()).collect()
}

/// The IR version that came with an operator set.
fn ir_version(opset: i64) -> i64 {
    match opset {
        ..=18 => 8,
        19 | 20 => 9,
        21 | 22 => 10,
        23 => 11,
        24 => 12,
        25..=27 => 13,
        _ => 14,
    }
}

/// Runtimes refuse two nodes of one name, so the later ones get a number.
fn write_nodes(graph: &Graph) -> Vec<NodeProto> {
    let mut taken: HashSet<String> = graph.nodes.iter().map(|node| node.name.clone()).collect();
    let mut written: HashSet<&str> = HashSet::new();
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let named = graph.nodes.iter().map(|node| {
        let mut name = node.name.clone();
        if !written.insert(&node.name) {
            let number = numbers.entry(&node.name).or_insert(1);
            while !taken.insert(name.clone()) {
                *number += 1;
                name = format!("{}_{number}", node.name);
            }
        }
        write_node(graph, node, name)
    });
    named.collect()
}

fn write_node(graph: &Graph, node: &Node, name: String) -> NodeProto {
    let input = node.inputs.iter().map(|id| id.map_or_else(String::new, |id| graph.tensor(id).name.clone()));
    NodeProto {
        name: Some(name),
        op_type: Some(node.op_type.clone()),
        domain: Some(node.domain.clone()),
        input: input.collect(),
        output: node.outputs.iter().map(|id| graph.tensor(*id).name.clone()).collect(),
        attribute: node.attributes.iter().map(|(name, value)| attribute::write(name, value)).collect(),
        ..NodeProto::default()
    }
}

fn value_info(info: &TensorInfo, depends_on_input: bool) -> ValueInfoProto {
    let dim = |(axis, size): (usize, &usize)| {
        let value = if axis == 0 && *size == 1 && depends_on_input {
            DimensionValue::DimParam(BATCH.to_owned())
        } else {
            DimensionValue::DimValue(*size as i64)
        };
        Dimension { value: Some(value), denotation: None }
    };
    let tensor = TypeTensor {
        elem_type: Some(info.other_type.unwrap_or(data_type::FLOAT)),
        shape: info
            .shape
            .as_ref()
            .map(|sizes| TensorShapeProto { dim: sizes.iter().enumerate().map(dim).collect() }),
    };
    ValueInfoProto {
        name: Some(info.name.clone()),
        r#type: Some(TypeProto { value: Some(TypeValue::Tensor(tensor)), denotation: None }),
        ..ValueInfoProto::default()
    }
}

fn entries(metadata: &BTreeMap<String, String>) -> Vec<StringStringEntryProto> {
    metadata
        .iter()
        .map(|(key, value)| StringStringEntryProto { key: Some(key.clone()), value: Some(value.clone()) })
        .collect()
}
