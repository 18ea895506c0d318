//! Constant tensors: weights, shapes, axes.

use std::sync::Arc;

use super::Shape;

/// A tensor whose values are known, in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    pub shape: Shape,
    pub data: ConstantData,
}

/// The values of a constant. Narrower ONNX types are widened when they are read.
#[derive(Clone, Debug, PartialEq)]
pub enum ConstantData {
    F32(Arc<[f32]>),
    I64(Arc<[i64]>),
    Bool(Arc<[bool]>),
}

impl Constant {
    /// A float tensor. `values` must fill `shape`.
    pub fn f32(shape: impl Into<Shape>, values: impl Into<Arc<[f32]>>) -> Self {
        let (shape, values) = (shape.into(), values.into());
        debug_assert_eq!(shape.iter().product::<usize>(), values.len());
        Self { shape, data: ConstantData::F32(values) }
    }

    /// A list of integers, such as axes or a shape.
    pub fn ints(values: impl Into<Arc<[i64]>>) -> Self {
        let values = values.into();
        Self { shape: vec![values.len()], data: ConstantData::I64(values) }
    }

    /// A float of rank 0.
    pub fn scalar(value: f32) -> Self {
        Self::f32(vec![], vec![value])
    }

    pub fn as_f32(&self) -> Option<&[f32]> {
        match &self.data {
            ConstantData::F32(values) => Some(values),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<&[i64]> {
        match &self.data {
            ConstantData::I64(values) => Some(values),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<&[bool]> {
        match &self.data {
            ConstantData::Bool(values) => Some(values),
            _ => None,
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
