//! The messages of `onnx.proto` (ONNX 1.23, IR version 14), kept by hand as `prost` structs.
//!
//! All fields are optional or repeated, as in the schema, whose `optional` tells a missing field from a zero.
//! Left out are only the messages that spread a model over several devices.

#![allow(missing_docs, reason = "fields are named and documented in onnx.proto")]

mod model;
mod tensor;

pub use model::*;
pub use tensor::*;

/// `TensorProto.DataType`: the element types that are read.
pub mod data_type {
    pub const FLOAT: i32 = 1;
    pub const UINT8: i32 = 2;
    pub const INT8: i32 = 3;
    pub const UINT16: i32 = 4;
    pub const INT16: i32 = 5;
    pub const INT32: i32 = 6;
    pub const INT64: i32 = 7;
    pub const STRING: i32 = 8;
    pub const BOOL: i32 = 9;
    pub const FLOAT16: i32 = 10;
    pub const DOUBLE: i32 = 11;
    pub const UINT32: i32 = 12;
    pub const UINT64: i32 = 13;
    pub const BFLOAT16: i32 = 16;

    /// The name that ONNX gives a type.
    pub fn name(data_type: i32) -> String {
        let known = [
            (FLOAT, "float"),
            (UINT8, "uint8"),
            (INT8, "int8"),
            (UINT16, "uint16"),
            (INT16, "int16"),
            (INT32, "int32"),
            (INT64, "int64"),
            (STRING, "string"),
            (BOOL, "bool"),
            (FLOAT16, "float16"),
            (DOUBLE, "double"),
            (UINT32, "uint32"),
            (UINT64, "uint64"),
            (BFLOAT16, "bfloat16"),
        ];
        known
            .iter()
            .find(|(code, _)| *code == data_type)
            .map_or_else(|| format!("type {data_type}"), |(_, name)| (*name).to_owned())
    }
}

/// `AttributeProto.AttributeType`.
pub mod attribute_type {
    pub const FLOAT: i32 = 1;
    pub const INT: i32 = 2;
    pub const STRING: i32 = 3;
    pub const TENSOR: i32 = 4;
    pub const GRAPH: i32 = 5;
    pub const FLOATS: i32 = 6;
    pub const INTS: i32 = 7;
    pub const STRINGS: i32 = 8;
    pub const GRAPHS: i32 = 10;
}

/// `TensorProto.DataLocation.EXTERNAL`: the values are in another file.
pub const EXTERNAL: i32 = 1;
