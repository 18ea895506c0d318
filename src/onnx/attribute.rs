//! `AttributeProto` to [`Attribute`] and back.

use super::OnnxError;
use super::proto::{AttributeProto, NodeProto, attribute_type};
use super::tensor;
use crate::graph::{Attribute, Attributes};

/// Reads all attributes of a node.
///
/// # Errors
///
/// Subgraphs, types and sparse tensors, which no supported operator has; text that is not UTF-8.
pub fn read_all(node: &NodeProto, node_name: &str, opset: i64) -> Result<Attributes, OnnxError> {
    let mut attributes = Attributes::new();
    for attribute in &node.attribute {
        let name = attribute.name.clone().unwrap_or_default();
        let fail = |reason: String| OnnxError::Unsupported {
            node: node_name.to_owned(),
            operator: node.op_type.clone().unwrap_or_default(),
            opset,
            reason: format!("attribute '{name}' {reason}"),
        };
        let value = match kind(attribute) {
            attribute_type::FLOAT => Attribute::Float(attribute.f.unwrap_or_default()),
            attribute_type::INT => Attribute::Int(attribute.i.unwrap_or_default()),
            attribute_type::STRING => {
                Attribute::String(text(attribute.s.as_deref().unwrap_or_default()).map_err(fail)?)
            }
            attribute_type::TENSOR => {
                let proto = attribute.t.as_ref().ok_or_else(|| fail("holds no tensor".to_owned()))?;
                Attribute::Tensor(tensor::read(proto, &format!("{node_name}.{name}"))?)
            }
            attribute_type::FLOATS => Attribute::Floats(attribute.floats.clone()),
            attribute_type::INTS => Attribute::Ints(attribute.ints.clone()),
            attribute_type::STRINGS => Attribute::Strings(
                attribute.strings.iter().map(|bytes| text(bytes)).collect::<Result<_, _>>().map_err(fail)?,
            ),
            attribute_type::GRAPH | attribute_type::GRAPHS => {
                return Err(fail("holds a subgraph".to_owned()));
            }
            other => return Err(fail(format!("is of type {other}"))),
        };
        attributes.insert(name, value);
    }
    Ok(attributes)
}

/// The attribute's type; files of the first IR versions do not name it, then the field that is filled tells.
fn kind(attribute: &AttributeProto) -> i32 {
    match attribute.r#type {
        Some(kind) if kind != 0 => kind,
        _ if attribute.f.is_some() => attribute_type::FLOAT,
        _ if attribute.i.is_some() => attribute_type::INT,
        _ if attribute.s.is_some() => attribute_type::STRING,
        _ if attribute.t.is_some() => attribute_type::TENSOR,
        _ if attribute.g.is_some() => attribute_type::GRAPH,
        _ if !attribute.floats.is_empty() => attribute_type::FLOATS,
        _ if !attribute.strings.is_empty() => attribute_type::STRINGS,
        _ => attribute_type::INTS,
    }
}

fn text(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "is not UTF-8 text".to_owned())
}

/// Writes one attribute.
pub fn write(name: &str, attribute: &Attribute) -> AttributeProto {
    let mut proto = AttributeProto { name: Some(name.to_owned()), ..AttributeProto::default() };
    proto.r#type = Some(match attribute {
        Attribute::Int(value) => {
            proto.i = Some(*value);
            attribute_type::INT
        }
        Attribute::Float(value) => {
            proto.f = Some(*value);
            attribute_type::FLOAT
        }
        Attribute::String(value) => {
            proto.s = Some(value.clone().into_bytes());
            attribute_type::STRING
        }
        Attribute::Ints(values) => {
            proto.ints.clone_from(values);
            attribute_type::INTS
        }
        Attribute::Floats(values) => {
            proto.floats.clone_from(values);
            attribute_type::FLOATS
        }
        Attribute::Strings(values) => {
            proto.strings = values.iter().map(|value| value.clone().into_bytes()).collect();
            attribute_type::STRINGS
        }
        Attribute::Tensor(value) => {
            proto.t = Some(tensor::write(value, name, None));
            attribute_type::TENSOR
        }
    });
    proto
}
