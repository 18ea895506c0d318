//! Round trips and hostile files.

use std::collections::BTreeMap;

use prost::Message;

use super::proto::*;
use super::*;
use crate::graph::{Attribute, Attributes, Constant, ConstantData, Graph, Shape};

/// Name, operator, attributes, inputs and outputs.
type NamedNode = (String, String, Attributes, Vec<Option<String>>, Vec<String>);

/// A graph without its numbering of tensors: everything by name.
#[derive(Debug, PartialEq)]
struct Named {
    head: (String, i64, BTreeMap<String, String>),
    nodes: Vec<NamedNode>,
    inputs: Vec<(String, Shape)>,
    outputs: Vec<(String, Shape)>,
    constants: BTreeMap<String, Constant>,
}

impl From<&Graph> for Named {
    fn from(graph: &Graph) -> Self {
        let name = |id| graph.tensor(id).name.clone();
        let shaped = |id| (name(id), graph.shape(id).to_vec());
        Self {
            head: (graph.name.clone(), graph.opset, graph.metadata.clone()),
            nodes: graph
                .nodes
                .iter()
                .map(|node| {
                    let inputs = node.inputs.iter().map(|id| id.map(name)).collect();
                    let outputs = node.outputs.iter().map(|id| name(*id)).collect();
                    (node.name.clone(), node.op_type.clone(), node.attributes.clone(), inputs, outputs)
                })
                .collect(),
            inputs: graph.inputs.iter().map(|id| shaped(*id)).collect(),
            outputs: graph.outputs.iter().map(|id| shaped(*id)).collect(),
            constants: graph.constants.iter().map(|(id, value)| (name(*id), value.clone())).collect(),
        }
    }
}

/// Every kind of attribute, constant and missing input.
fn rich() -> Graph {
    let mut graph = Graph { name: "rich".into(), opset: 20, ..Graph::default() };
    graph.metadata.insert("classes".into(), "[\"ä\", \"b\"]".into());
    let image = graph.add_input("image", vec![1, 3, 8, 8]);
    let weight = graph.add_constant("weight", Constant::f32(vec![3], vec![0.5, -0.0, f32::INFINITY]));
    graph.add_constant("axes", Constant::ints(vec![-1, i64::MIN]));
    graph.add_constant("flag", Constant { shape: vec![], data: ConstantData::Bool([true].into()) });
    graph.add_constant("empty", Constant::ints(vec![]));
    let attributes = Attributes::from([
        ("int".into(), Attribute::Int(0)),
        ("float".into(), Attribute::Float(0.25)),
        ("string".into(), Attribute::String("SAME_UPPER".into())),
        ("ints".into(), Attribute::Ints(vec![1, -2])),
        ("no ints".into(), Attribute::Ints(vec![])),
        ("floats".into(), Attribute::Floats(vec![1.5])),
        ("strings".into(), Attribute::Strings(vec!["a".into(), String::new()])),
        ("tensor".into(), Attribute::Tensor(Constant::scalar(3.0))),
    ]);
    let first = graph.add_node_with("Anything", "first", [image, weight], attributes);
    let logits = graph.add_node("Clip", "logits", [first, weight]);
    graph.nodes[1].inputs.insert(1, None);
    graph.tensors[logits.0].shape = Some(vec![1, 10]);
    graph.outputs.push(logits);
    graph
}

#[test]
fn what_is_written_is_read_back() {
    let graph = rich();
    let read = read(&write(&graph).unwrap()).unwrap();
    assert_eq!(Named::from(&read), Named::from(&graph));
}

#[test]
fn the_batch_axis_is_written_free() {
    let model = ModelProto::decode(&write(&rich()).unwrap()[..]).unwrap();
    let graph = model.graph.unwrap();
    for info in graph.input.iter().chain(&graph.output) {
        let Some(TypeValue::Tensor(tensor)) = info.r#type.clone().unwrap().value else { panic!() };
        let first = tensor.shape.unwrap().dim[0].value.clone().unwrap();
        assert_eq!(first, DimensionValue::DimParam("batch".into()));
    }
}

/// Exporters give two nodes one name; runtimes refuse such a file.
#[test]
fn nodes_are_written_under_names_of_their_own() {
    let mut graph = rich();
    let image = graph.inputs[0];
    for name in ["twice", "twice_2", "other"] {
        graph.add_node("Relu", name, [image]);
        graph.nodes.last_mut().unwrap().name = if name == "other" { "twice" } else { name }.to_owned();
    }
    let written = read(&write(&graph).unwrap()).unwrap();
    let names: Vec<&str> = written.nodes.iter().rev().take(3).map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["twice_3", "twice_2", "twice"]);
}

#[test]
fn what_was_read_is_written_as_it_was() {
    let mut old = Graph { opset: 11, ..rich() };
    let output = old.outputs[0];
    old.tensors[output.0].shape = None;
    let written = write(&old).unwrap();
    let read = read(&written).unwrap();
    assert_eq!(read.opset, 11);
    assert_eq!(read.tensor(read.outputs[0]).shape, None);
    assert_eq!(write(&read).unwrap(), written);
}

/// A small valid file that tests spoil.
fn model() -> ModelProto {
    let written = write(&rich()).unwrap();
    ModelProto::decode(&written[..]).unwrap()
}

fn spoilt(spoil: impl FnOnce(&mut GraphProto)) -> Result<Graph, OnnxError> {
    let mut model = model();
    spoil(model.graph.as_mut().unwrap());
    read(&model.encode_to_vec())
}

fn node(op_type: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    NodeProto {
        op_type: Some(op_type.into()),
        input: inputs.iter().map(|name| (*name).into()).collect(),
        output: outputs.iter().map(|name| (*name).into()).collect(),
        ..NodeProto::default()
    }
}

fn attribute(name: &str, value: impl FnOnce(&mut AttributeProto)) -> AttributeProto {
    let mut attribute = AttributeProto { name: Some(name.into()), ..AttributeProto::default() };
    value(&mut attribute);
    attribute
}

fn set_size(info: &mut ValueInfoProto, axis: usize, value: Option<DimensionValue>) {
    let Some(TypeValue::Tensor(tensor)) = &mut info.r#type.as_mut().unwrap().value else { panic!() };
    tensor.shape.as_mut().unwrap().dim[axis].value = value;
}

#[test]
fn bytes_that_are_no_model_say_so() {
    for bytes in [&b""[..], b"PK\x03\x04rest", b"\x89HDF\r\n", b"<html></html>", &[0xff; 64]] {
        let error = read(bytes).unwrap_err();
        assert!(matches!(error, OnnxError::NotOnnx { .. }), "{error}");
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error_and_no_panic() {
    let bytes = write(&rich()).unwrap();
    for length in 1..bytes.len() {
        // The metadata come last: a file that lost only whole entries of them is still a network.
        if let Err(error) = read(&bytes[..length]) {
            assert!(matches!(error, OnnxError::Damaged { .. }), "{length}: {error}");
        }
    }
    assert!(read(&bytes[..bytes.len() / 2]).is_err());
}

#[test]
fn a_file_with_any_byte_changed_never_panics() {
    let bytes = write(&rich()).unwrap();
    for index in 0..bytes.len() {
        for value in [0, 0x7f, 0xff] {
            let mut spoilt = bytes.clone();
            spoilt[index] = value;
            let _ = read(&spoilt);
        }
    }
}

#[test]
fn operator_sets_out_of_range_are_refused() {
    for opset in [6, MAX_OPSET + 1] {
        let mut model = model();
        model.opset_import[0].version = Some(opset);
        let error = read(&model.encode_to_vec()).unwrap_err();
        assert_eq!(error, OnnxError::Opset { opset, min: MIN_OPSET, max: MAX_OPSET });
    }
}

#[test]
fn nodes_are_sorted_and_get_names() {
    let graph = spoilt(|graph| {
        graph.node.reverse();
        graph.node[0].name = None;
    })
    .unwrap();
    let names: Vec<_> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["first", "logits"]);
}

#[test]
fn wrong_wiring_is_named() {
    let missing = spoilt(|graph| graph.node[1].input[0] = "nowhere".into());
    assert_eq!(missing, Err(OnnxError::Missing { node: "logits".into(), tensor: "nowhere".into() }));
    let cycle = spoilt(|graph| graph.node[0].input[1] = "logits".into());
    assert!(matches!(cycle, Err(OnnxError::Cycle { .. })));
    let twice = spoilt(|graph| graph.node[1].output[0] = "first".into());
    assert_eq!(twice, Err(OnnxError::Duplicate { tensor: "first".into() }));
    let no_output = spoilt(|graph| graph.output.clear());
    assert_eq!(no_output, Err(OnnxError::Empty { what: "output" }));
    let no_input = spoilt(|graph| graph.input.clear());
    assert_eq!(no_input, Err(OnnxError::Empty { what: "input" }));
    let unknown_output = spoilt(|graph| graph.output[0].name = Some("gone".into()));
    assert!(matches!(unknown_output, Err(OnnxError::Missing { .. })));
}

#[test]
fn initializers_among_the_inputs_are_no_inputs() {
    let graph = spoilt(|graph| {
        let listed = ValueInfoProto { name: Some("weight".into()), ..graph.input[0].clone() };
        graph.input.push(listed);
    })
    .unwrap();
    assert_eq!(graph.inputs.len(), 1);
}

#[test]
fn only_the_batch_may_be_free() {
    let free = Some(DimensionValue::DimParam("n".into()));
    assert_eq!(spoilt(|g| set_size(&mut g.input[0], 0, None)).unwrap().shape(graph_input()), [1, 3, 8, 8]);
    let height = spoilt(|graph| set_size(&mut graph.input[0], 2, free)).unwrap_err().to_string();
    assert!(height.contains("'image' leaves the size of axis 2 free"), "{height}");
    for (size, reason) in [(-4, "negative size"), (0, "empty axis"), (1 << 60, "too large")] {
        let value = Some(DimensionValue::DimValue(size));
        let error = spoilt(|graph| set_size(&mut graph.input[0], 2, value)).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

/// The input is the first tensor after the constants of [`rich`].
fn graph_input() -> crate::graph::TensorId {
    spoilt(|_| {}).unwrap().inputs[0]
}

#[test]
fn constant_nodes_become_constants() {
    let with = |value: AttributeProto| {
        spoilt(|graph| {
            let mut constant = node("Constant", &[], &["low"]);
            constant.attribute.push(value);
            graph.node.push(constant);
            graph.node[1].input[1] = "low".into();
        })
    };
    for (value, expected) in [
        (attribute("value_float", |a| a.f = Some(2.0)), Constant::scalar(2.0)),
        (attribute("value_floats", |a| a.floats = vec![1.0, 2.0]), Constant::f32(vec![2], vec![1.0, 2.0])),
        (attribute("value_int", |a| a.i = Some(7)), Constant { shape: vec![], ..Constant::ints(vec![7]) }),
        (attribute("value_ints", |a| a.ints = vec![3, 4]), Constant::ints(vec![3, 4])),
        (
            attribute("value", |a| {
                a.t = Some(tensor::write(&Constant::f32(vec![1, 1], vec![5.0]), "t", None))
            }),
            Constant::f32(vec![1, 1], vec![5.0]),
        ),
    ] {
        let graph = with(value).unwrap();
        let low = graph.find("low").unwrap();
        assert_eq!(graph.constants[&low], expected);
        assert_eq!(graph.nodes.len(), 2);
    }
    let text = with(attribute("value_string", |a| a.s = Some(b"x".to_vec())));
    assert!(matches!(text, Err(OnnxError::Unsupported { .. })));
}

#[test]
fn casts_to_other_floats_are_casts_to_float32() {
    for (to, read_as) in [(10, 1), (11, 1), (16, 1), (1, 1), (9, 9), (7, 7)] {
        let graph = spoilt(|graph| {
            graph.node[0].op_type = Some("Cast".into());
            graph.node[0].attribute = vec![attribute("to", |a| a.i = Some(to))];
        });
        assert_eq!(graph.unwrap().nodes[0].attributes["to"], Attribute::Int(read_as));
    }
}

#[test]
fn a_subgraph_is_refused_by_node_and_operator() {
    let error = spoilt(|graph| {
        graph.node[0].op_type = Some("If".into());
        graph.node[0].attribute = vec![attribute("then_branch", |a| a.g = Some(Box::default()))];
    });
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("node 'first' uses operator If (opset 20)") && error.contains("subgraph"),
        "{error}"
    );
}

#[test]
fn graphs_nested_too_deeply_are_refused() {
    let mut attributes = attribute("body", |a| a.i = Some(1));
    for _ in 0..200 {
        let mut inner = node("Loop", &[], &[]);
        inner.attribute.push(attributes);
        let graph = GraphProto { node: vec![inner], ..GraphProto::default() };
        attributes = attribute("body", |a| a.g = Some(Box::new(graph)));
    }
    assert!(spoilt(|graph| graph.node[0].attribute.push(attributes)).is_err());
}
