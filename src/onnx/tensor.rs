//! `TensorProto` to [`Constant`] and back.

use std::sync::Arc;

use half::{bf16, f16};

use super::OnnxError;
use super::external::location;
use super::proto::{TensorProto, data_type};
use crate::graph::{Constant, ConstantData, MAX_RANK, Shape};

/// Reads a tensor; narrower types are widened to float, 64-bit integer or boolean.
///
/// # Errors
///
/// External data, a type that does not fit one of the three, values that do not fill the shape, more than
/// [`MAX_RANK`] axes.
pub fn read(tensor: &TensorProto, name: &str) -> Result<Constant, OnnxError> {
    if let Some(file) = location(tensor) {
        return Err(OnnxError::ExternalData { file: file.to_owned() });
    }
    let fail = |reason: String| OnnxError::Tensor { tensor: name.to_owned(), reason };
    if tensor.segment.is_some() {
        return Err(fail("is stored in segments".to_owned()));
    }
    let shape = shape(&tensor.dims).map_err(fail)?;
    // `shape` has shown that the product does not overflow.
    let count = shape.iter().product();
    let data = values(tensor, count).map_err(fail)?;
    Ok(Constant { shape, data })
}

/// Checks the axes of a shape.
///
/// # Errors
///
/// A negative size, too many axes, more elements than memory holds.
pub fn shape(dims: &[i64]) -> Result<Shape, String> {
    if dims.len() > MAX_RANK {
        return Err(format!("has {} axes; at most {MAX_RANK} are supported", dims.len()));
    }
    let shape: Option<Shape> = dims.iter().map(|size| usize::try_from(*size).ok()).collect();
    let shape = shape.ok_or_else(|| format!("has the shape {dims:?} with a negative size"))?;
    match crate::graph::elements(&shape) {
        Some(_) => Ok(shape),
        None => Err(format!("has the shape {dims:?}, which is too large")),
    }
}

fn values(tensor: &TensorProto, count: usize) -> Result<ConstantData, String> {
    use ConstantData::{Bool, F32, I64};
    use data_type::*;
    let ints = tensor.int32_data.iter();
    let code = tensor.data_type.unwrap_or_default();
    Ok(match code {
        FLOAT => F32(decode(tensor, count, f32::from_le_bytes, tensor.float_data.iter().copied())?),
        DOUBLE => {
            F32(decode(tensor, count, |b| f64::from_le_bytes(b) as f32, narrowed(&tensor.double_data))?)
        }
        FLOAT16 => F32(decode(
            tensor,
            count,
            |b| f16::from_le_bytes(b).to_f32(),
            ints.map(|bits| f16::from_bits(*bits as u16).to_f32()),
        )?),
        BFLOAT16 => F32(decode(
            tensor,
            count,
            |b| bf16::from_le_bytes(b).to_f32(),
            ints.map(|bits| bf16::from_bits(*bits as u16).to_f32()),
        )?),
        BOOL => Bool(decode(tensor, count, |[b]| b != 0, ints.map(|v| *v != 0))?),
        INT64 => I64(decode(tensor, count, i64::from_le_bytes, tensor.int64_data.iter().copied())?),
        INT32 => I64(decode(tensor, count, |b| i32::from_le_bytes(b).into(), ints.map(|v| (*v).into()))?),
        INT16 => I64(decode(tensor, count, |b| i16::from_le_bytes(b).into(), ints.map(|v| (*v).into()))?),
        INT8 => I64(decode(tensor, count, |b| i8::from_le_bytes(b).into(), ints.map(|v| (*v).into()))?),
        UINT8 => I64(decode(tensor, count, |[b]| b.into(), ints.map(|v| (*v).into()))?),
        UINT16 => I64(decode(tensor, count, |b| u16::from_le_bytes(b).into(), ints.map(|v| (*v).into()))?),
        UINT32 => I64(decode(
            tensor,
            count,
            |b| u32::from_le_bytes(b).into(),
            tensor.uint64_data.iter().map(|v| *v as i64),
        )?),
        _ => return Err(format!("holds {}", name(code))),
    })
}

fn narrowed(values: &[f64]) -> impl Iterator<Item = f32> {
    values.iter().map(|value| *value as f32)
}

/// Values from `raw_data`, or from the typed field where there are no raw bytes.
fn decode<T, const N: usize>(
    tensor: &TensorProto,
    count: usize,
    from_bytes: impl Fn([u8; N]) -> T,
    typed: impl Iterator<Item = T>,
) -> Result<Arc<[T]>, String> {
    let raw = tensor.raw_data.as_deref().unwrap_or_default();
    let values: Arc<[T]> = if raw.is_empty() {
        typed.collect()
    } else {
        let (chunks, rest) = raw.as_chunks::<N>();
        if !rest.is_empty() {
            return Err(format!("holds {} bytes, which is no multiple of {N}", raw.len()));
        }
        chunks.iter().map(|bytes| from_bytes(*bytes)).collect()
    };
    if values.len() == count {
        Ok(values)
    } else {
        Err(format!("holds {} values for the shape {:?}", values.len(), tensor.dims))
    }
}

/// Writes a tensor under `name`; integers as the narrower type that their file had, where `other_type` is its code.
pub fn write(constant: &Constant, name: &str, other_type: Option<i32>) -> TensorProto {
    use data_type::{BOOL, FLOAT, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32};
    let (data_type, raw_data) = match &constant.data {
        ConstantData::F32(values) => (FLOAT, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        ConstantData::I64(values) => {
            let width = match other_type {
                Some(INT8 | UINT8) => 1,
                Some(INT16 | UINT16) => 2,
                Some(INT32 | UINT32) => 4,
                _ => 8,
            };
            // What came from a narrower type is its lower bytes.
            let bytes = values.iter().flat_map(|v| v.to_le_bytes().into_iter().take(width));
            (other_type.filter(|_| width < 8).unwrap_or(INT64), bytes.collect())
        }
        ConstantData::Bool(values) => (BOOL, values.iter().map(|v| u8::from(*v)).collect()),
    };
    TensorProto {
        dims: constant.shape.iter().map(|size| *size as i64).collect(),
        data_type: Some(data_type),
        raw_data: Some(raw_data),
        name: Some(name.to_owned()),
        ..TensorProto::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::proto::EXTERNAL;
    use super::*;

    fn proto(data_type: i32, dims: &[i64], raw: &[u8]) -> TensorProto {
        TensorProto {
            dims: dims.to_vec(),
            data_type: Some(data_type),
            raw_data: Some(raw.to_vec()),
            ..TensorProto::default()
        }
    }

    #[test]
    fn narrow_types_are_widened() {
        let half = read(&proto(data_type::FLOAT16, &[2], &[0x00, 0x3c, 0x00, 0xc1]), "w").unwrap();
        assert_eq!(half.as_f32(), Some(&[1.0, -2.5][..]));
        let brain = read(&proto(data_type::BFLOAT16, &[1], &[0x80, 0xbf]), "w").unwrap();
        assert_eq!(brain.as_f32(), Some(&[-1.0][..]));
        let double = read(&proto(data_type::DOUBLE, &[1], &0.5f64.to_le_bytes()), "w").unwrap();
        assert_eq!(double.as_f32(), Some(&[0.5][..]));
        let bytes = read(&proto(data_type::INT8, &[2], &[0xff, 0x05]), "w").unwrap();
        assert_eq!(bytes.as_i64(), Some(&[-1, 5][..]));
        let unsigned = read(&proto(data_type::UINT8, &[1], &[0xff]), "w").unwrap();
        assert_eq!(unsigned.as_i64(), Some(&[255][..]));
        let flags = read(&proto(data_type::BOOL, &[2], &[1, 0]), "w").unwrap();
        assert_eq!(flags.data, ConstantData::Bool([true, false].into()));
    }

    #[test]
    fn typed_fields_are_read_as_well_as_raw_bytes() {
        let tensor = TensorProto {
            dims: vec![2],
            data_type: Some(data_type::FLOAT),
            float_data: vec![1.5, 2.5],
            ..TensorProto::default()
        };
        assert_eq!(read(&tensor, "w").unwrap().as_f32(), Some(&[1.5, 2.5][..]));
        let halves = TensorProto {
            dims: vec![1],
            data_type: Some(data_type::FLOAT16),
            int32_data: vec![0x3c00],
            ..TensorProto::default()
        };
        assert_eq!(read(&halves, "w").unwrap().as_f32(), Some(&[1.0][..]));
    }

    #[test]
    fn values_must_fill_the_shape() {
        for (dims, raw, reason) in [
            (&[3][..], &[0u8; 8][..], "holds 2 values for the shape [3]"),
            (&[2], &[0; 7], "no multiple of 4"),
            (&[-1], &[0; 4], "negative size"),
            (&[i64::MAX, i64::MAX], &[], "too large"),
            (&[1 << 33, 1 << 33, 0], &[], "too large"),
            (&[1, 1, 1, 1, 1, 1, 1], &[0; 4], "7 axes; at most 6"),
        ] {
            let error = read(&proto(data_type::FLOAT, dims, raw), "w").unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("'w'"), "{error}");
        }
    }

    #[test]
    fn integers_keep_their_type() {
        use data_type::*;
        for (code, raw) in [
            (INT8, vec![255, 3]),
            (UINT8, vec![255, 3]),
            (INT16, vec![254, 255, 3, 0]),
            (UINT16, vec![254, 255, 3, 0]),
            (INT32, vec![254, 255, 255, 255, 3, 0, 0, 0]),
            (UINT32, vec![254, 255, 255, 255, 3, 0, 0, 0]),
            (INT64, [7_i64.to_le_bytes(), (-7_i64).to_le_bytes()].concat()),
        ] {
            let constant = read(&proto(code, &[2], &raw), "w").unwrap();
            let written = write(&constant, "w", Some(code));
            assert_eq!((written.data_type, written.raw_data), (Some(code), Some(raw)));
        }
    }

    #[test]
    fn external_data_and_strings_are_refused() {
        let external = TensorProto { data_location: Some(EXTERNAL), ..proto(data_type::FLOAT, &[1], &[]) };
        assert!(matches!(read(&external, "w"), Err(OnnxError::ExternalData { .. })));
        let error = read(&proto(data_type::STRING, &[0], &[]), "w").unwrap_err();
        assert!(error.to_string().contains("holds string"));
    }
}
