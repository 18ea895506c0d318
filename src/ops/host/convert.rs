//! Changes of type: casts, and integers with a scale.

use super::Arguments;
use crate::graph::{Constant, ConstantData, Shape};
use crate::ops::axes::axis;

/// `TensorProto.DataType` codes.
const FLOATS: [i64; 4] = [1, 10, 11, 16];
const BOOL: i64 = 9;

pub fn compute(op_type: &str, args: &Arguments) -> Option<Constant> {
    match op_type {
        "Cast" => cast(args.input(0)?, args.int("to", 0)?),
        "DequantizeLinear" => dequantize(args),
        _ => None,
    }
}

/// Casts between floats, integers and truth values. Narrow integers wrap; floats of every width are float32 here.
fn cast(x: &Constant, to: i64) -> Option<Constant> {
    let data = match &x.data {
        ConstantData::F32(values) if FLOATS.contains(&to) => ConstantData::F32(values.clone()),
        ConstantData::I64(values) if FLOATS.contains(&to) => {
            ConstantData::F32(values.iter().map(|value| *value as f32).collect())
        }
        ConstantData::Bool(values) if FLOATS.contains(&to) => {
            ConstantData::F32(values.iter().map(|value| f32::from(u8::from(*value))).collect())
        }
        ConstantData::F32(values) if to == BOOL => {
            ConstantData::Bool(values.iter().map(|value| *value != 0.0).collect())
        }
        ConstantData::I64(values) if to == BOOL => {
            ConstantData::Bool(values.iter().map(|value| *value != 0).collect())
        }
        ConstantData::Bool(values) if to == BOOL => ConstantData::Bool(values.clone()),
        ConstantData::F32(values) => {
            ConstantData::I64(values.iter().map(|value| narrow(*value as i64, to)).collect::<Option<_>>()?)
        }
        ConstantData::I64(values) => {
            ConstantData::I64(values.iter().map(|value| narrow(*value, to)).collect::<Option<_>>()?)
        }
        ConstantData::Bool(values) => {
            ConstantData::I64(values.iter().map(|value| narrow((*value).into(), to)).collect::<Option<_>>()?)
        }
    };
    Some(Constant { shape: x.shape.clone(), data })
}

/// An integer as one of the type `to`.
fn narrow(value: i64, to: i64) -> Option<i64> {
    Some(match to {
        2 => i64::from(value as u8),
        3 => i64::from(value as i8),
        4 => i64::from(value as u16),
        5 => i64::from(value as i16),
        6 => i64::from(value as i32),
        7 => value,
        12 => i64::from(value as u32),
        _ => return None,
    })
}

/// `DequantizeLinear`: `(x - zero_point) * scale`, with one scale for all, one per index of an axis, or one per block.
fn dequantize(args: &Arguments) -> Option<Constant> {
    let (x, scale) = (args.input(0)?, args.input(1)?);
    let (values, scales) = (x.as_i64()?, scale.as_f32()?);
    let zeros = match args.input(2) {
        Some(zeros) if zeros.len() == scales.len() => Some(zeros.as_i64()?),
        Some(_) => return None,
        None => None,
    };
    let block = usize::try_from(args.int("block_size", 0)?).ok()?;
    let place = places(&x.shape, &scale.shape, args.int("axis", 1)?, block)?;
    let value = |(index, value): (usize, &i64)| {
        let place = place(index);
        let zero = zeros.map_or(Some(0), |zeros| zeros.get(place).copied())?;
        Some(value.checked_sub(zero)? as f32 * scales.get(place)?)
    };
    let values: Option<Vec<f32>> = values.iter().enumerate().map(value).collect();
    Some(Constant::f32(x.shape.clone(), values?))
}

/// Where the scale of each value is.
fn places(shape: &Shape, scales: &Shape, entry: i64, block: usize) -> Option<Box<dyn Fn(usize) -> usize>> {
    let count: usize = scales.iter().product();
    if block == 0 && count == 1 && scales.len() < 2 {
        return Some(Box::new(|_| 0));
    }
    let along = axis(entry, shape.len()).ok()?;
    let (size, inner) = (shape[along], shape[along + 1..].iter().product::<usize>());
    if block == 0 {
        return (scales.len() == 1 && count == size)
            .then(|| Box::new(move |index| index / inner % size) as Box<dyn Fn(usize) -> usize>);
    }
    let blocks = size.div_ceil(block);
    let mut expected = shape.clone();
    expected[along] = blocks;
    (scales == &expected).then(|| {
        Box::new(move |index| {
            let (row, column, inside) = (index / inner / size, index / inner % size, index % inner);
            (row * blocks + column / block) * inner + inside
        }) as Box<dyn Fn(usize) -> usize>
    })
}
