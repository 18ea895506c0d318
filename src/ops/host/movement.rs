//! Operators that only say where each value of the result comes from, whatever its type.

use super::{Arguments, selection};
use crate::graph::{Constant, ConstantData, Shape};
use crate::ops::axes::{axes, axis, broadcast, strides};
use crate::ops::shape::reshaped;

/// `Shape` and `Size` of a tensor of this shape.
pub fn shape(args: &Arguments, shape: &[usize]) -> Option<Constant> {
    if args.is("Size") {
        let count = i64::try_from(crate::graph::elements(shape)?).ok()?;
        return Some(Constant { shape: vec![], ..Constant::ints(vec![count]) });
    }
    let start = clamp(args.int("start", 0)?, shape.len());
    let end = clamp(args.int("end", i64::MAX)?, shape.len());
    let sizes: Vec<i64> = shape.get(start..end.max(start))?.iter().map(|size| *size as i64).collect();
    Some(Constant::ints(sizes))
}

/// An index into `size` values or behind their end; negative ones count from the end.
fn clamp(index: i64, size: usize) -> usize {
    let size = size as i64;
    (if index < 0 { index.saturating_add(size) } else { index }).clamp(0, size) as usize
}

pub fn compute(op_type: &str, args: &Arguments) -> Option<Constant> {
    match op_type {
        "Concat" => concat(args),
        "ConstantOfShape" => constant_of_shape(args),
        "Expand" => {
            let target: Option<Shape> =
                args.ints(1)?.iter().map(|size| usize::try_from(*size).ok()).collect();
            let x = args.input(0)?;
            let shape = broadcast(&[&x.shape, &target?]).ok()?;
            args.room(&shape)?;
            take(x, &shape, broadcast_positions(&x.shape, &shape))
        }
        "Flatten" => {
            let x = args.input(0)?;
            let split = args.int("axis", 1)?;
            let split = if split == x.shape.len() as i64 {
                x.shape.len()
            } else {
                axis(split, x.shape.len()).ok()?
            };
            let (rows, columns) = x.shape.split_at(split);
            Some(with_shape(x, vec![rows.iter().product(), columns.iter().product()]))
        }
        "Gather" => selection::gather(args),
        "Identity" => args.input(0).cloned(),
        "NonZero" => selection::non_zero(args.input(0)?),
        "Range" => range(args),
        "Reshape" => {
            let x = args.input(0)?;
            let copy_zeros = args.int("allowzero", 0)? == 0;
            Some(with_shape(x, reshaped(&x.shape, args.ints(1)?, copy_zeros).ok()?))
        }
        "Slice" => selection::slice(args),
        "Squeeze" => {
            let x = args.input(0)?;
            let gone = match args.list(1, "axes")? {
                Some(list) => axes(&list, x.shape.len()).ok()?,
                None => (0..x.shape.len()).filter(|axis| x.shape[*axis] == 1).collect(),
            };
            if gone.iter().any(|axis| x.shape[*axis] != 1) {
                return None;
            }
            let kept = x.shape.iter().enumerate().filter(|(axis, _)| !gone.contains(axis));
            Some(with_shape(x, kept.map(|(_, size)| *size).collect()))
        }
        "Tile" => tile(args),
        "Transpose" => transpose(args),
        "Unsqueeze" => {
            let x = args.input(0)?;
            let list = args.list(1, "axes")??;
            let mut shape = x.shape.clone();
            for axis in axes(&list, shape.len() + list.len()).ok()? {
                shape.insert(axis, 1);
            }
            Some(with_shape(x, shape))
        }
        _ => None,
    }
}

/// Values of `x` by their positions, which fill `shape`.
pub fn take(x: &Constant, shape: &Shape, positions: Vec<usize>) -> Option<Constant> {
    fn pick<T: Copy>(values: &[T], positions: &[usize]) -> Option<std::sync::Arc<[T]>> {
        positions.iter().map(|position| values.get(*position).copied()).collect()
    }
    let data = match &x.data {
        ConstantData::F32(values) => ConstantData::F32(pick(values, &positions)?),
        ConstantData::I64(values) => ConstantData::I64(pick(values, &positions)?),
        ConstantData::Bool(values) => ConstantData::Bool(pick(values, &positions)?),
    };
    (shape.iter().product::<usize>() == positions.len()).then(|| Constant { shape: shape.clone(), data })
}

fn with_shape(x: &Constant, shape: Shape) -> Constant {
    Constant { shape, data: x.data.clone() }
}

/// For every value of `shape` a position, from the index along each axis.
pub fn positions(shape: &[usize], at: impl Fn(&[usize]) -> usize) -> Vec<usize> {
    let count = shape.iter().product();
    let mut index = vec![0; shape.len()];
    let mut positions = Vec::with_capacity(count);
    for _ in 0..count {
        positions.push(at(&index));
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    positions
}

/// For every value of `to` where it is in `from`, which broadcasts to it.
pub fn broadcast_positions(from: &[usize], to: &[usize]) -> Vec<usize> {
    let steps = strides(from);
    let missing = to.len() - from.len();
    positions(to, |index| {
        let along = index[missing..].iter().zip(from.iter().zip(&steps));
        along.map(|(index, (size, step))| if *size == 1 { 0 } else { index * step }).sum()
    })
}

fn concat(args: &Arguments) -> Option<Constant> {
    let parts = args.all()?;
    let first = parts.first()?;
    let along = axis(args.int("axis", 0)?, first.shape.len()).ok()?;
    let mut shape = first.shape.clone();
    shape[along] = 0;
    for part in &parts {
        let fits = part.shape.len() == shape.len()
            && (0..shape.len()).all(|axis| axis == along || part.shape[axis] == shape[axis]);
        if !fits || std::mem::discriminant(&part.data) != std::mem::discriminant(&first.data) {
            return None;
        }
        shape[along] += part.shape[along];
    }
    args.room(&shape)?;
    let rows: usize = shape[..along].iter().product();
    let widths: Vec<usize> = parts.iter().map(|part| part.shape[along..].iter().product()).collect();
    fn join<'a, T: Copy + 'a>(rows: usize, widths: &[usize], parts: Vec<&'a [T]>) -> std::sync::Arc<[T]> {
        let row = |row: usize| {
            parts
                .iter()
                .zip(widths)
                .flat_map(move |(part, width)| part[row * width..(row + 1) * width].iter())
        };
        (0..rows).flat_map(row).copied().collect()
    }
    let data = match first.data {
        ConstantData::F32(_) => {
            ConstantData::F32(join(rows, &widths, parts.iter().map(|c| c.as_f32()).collect::<Option<_>>()?))
        }
        ConstantData::I64(_) => {
            ConstantData::I64(join(rows, &widths, parts.iter().map(|c| c.as_i64()).collect::<Option<_>>()?))
        }
        ConstantData::Bool(_) => {
            ConstantData::Bool(join(rows, &widths, parts.iter().map(|c| c.as_bool()).collect::<Option<_>>()?))
        }
    };
    Some(Constant { shape, data })
}

fn constant_of_shape(args: &Arguments) -> Option<Constant> {
    let shape: Option<Shape> = args.ints(0)?.iter().map(|size| usize::try_from(*size).ok()).collect();
    let shape = shape?;
    let count = args.room(&shape)?;
    let value = match args.attribute("value") {
        None => Constant::scalar(0.0),
        Some(crate::graph::Attribute::Tensor(value)) if value.len() == 1 => value.clone(),
        Some(_) => return None,
    };
    take(&value, &shape, vec![0; count])
}

fn range(args: &Arguments) -> Option<Constant> {
    if let (Some(&[start]), Some(&[limit]), Some(&[step])) = (args.ints(0), args.ints(1), args.ints(2)) {
        let room = i128::from(limit) - i128::from(start);
        let (room, delta) = if step < 0 { (-room, -i128::from(step)) } else { (room, i128::from(step)) };
        if delta == 0 {
            return None;
        }
        let count = usize::try_from((room + delta - 1).div_euclid(delta).max(0)).ok()?;
        args.room(&vec![count])?;
        return Some(Constant::ints(
            (0..count as i64).map(|index| start.wrapping_add(index.wrapping_mul(step))).collect::<Vec<_>>(),
        ));
    }
    let float = |index: usize| args.input(index)?.as_f32()?.first().copied();
    let (start, limit, delta) = (float(0)?, float(1)?, float(2)?);
    // A count that is not a number becomes 0, an infinite one has no room.
    let count = ((limit - start) / delta).ceil().max(0.0) as usize;
    args.room(&vec![count])?;
    let values: Vec<f32> = (0..count).map(|index| start + index as f32 * delta).collect();
    Some(Constant::f32(vec![count], values))
}

fn tile(args: &Arguments) -> Option<Constant> {
    let x = args.input(0)?;
    let repeats: Option<Vec<usize>> =
        args.ints(1)?.iter().map(|count| usize::try_from(*count).ok()).collect();
    let repeats = repeats.filter(|repeats| repeats.len() == x.shape.len())?;
    let shape: Option<Shape> =
        x.shape.iter().zip(&repeats).map(|(size, count)| size.checked_mul(*count)).collect();
    let shape = shape?;
    args.room(&shape)?;
    let steps = strides(&x.shape);
    let at = |index: &[usize]| (0..index.len()).map(|axis| index[axis] % x.shape[axis] * steps[axis]).sum();
    take(x, &shape, positions(&shape, at))
}

fn transpose(args: &Arguments) -> Option<Constant> {
    let x = args.input(0)?;
    let order: Vec<usize> = match args.attribute("perm") {
        None => (0..x.shape.len()).rev().collect(),
        Some(crate::graph::Attribute::Ints(order)) => {
            axes(order, x.shape.len()).ok().filter(|axes| axes.len() == x.shape.len())?;
            order.iter().map(|entry| axis(*entry, x.shape.len()).ok()).collect::<Option<_>>()?
        }
        Some(_) => return None,
    };
    permuted(x, &order)
}

/// A constant with its axes in another order: axis `index` of the result is axis `order[index]`.
pub fn permuted(x: &Constant, order: &[usize]) -> Option<Constant> {
    let steps = strides(&x.shape);
    let shape: Shape = order.iter().map(|axis| x.shape.get(*axis).copied()).collect::<Option<_>>()?;
    let at = |index: &[usize]| index.iter().zip(order).map(|(index, axis)| index * steps[*axis]).sum();
    take(x, &shape, positions(&shape, at))
}
