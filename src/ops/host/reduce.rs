//! Sums, products and extremes of constants over whole axes.

use super::movement::take;
use super::{Arguments, OfFloats, OfInts};
use crate::graph::{Constant, ConstantData, Shape};
use crate::ops::axes::{axes, axis, strides};

pub fn compute(op_type: &str, args: &Arguments) -> Option<Constant> {
    if let "ArgMax" = op_type {
        return arg_max(args);
    }
    let (of_floats, of_ints): (OfFloats, OfInts) = match op_type {
        "ReduceMax" => (f32::max, |a, b| Some(a.max(b))),
        "ReduceMin" => (f32::min, |a, b| Some(a.min(b))),
        "ReduceProd" => (|a, b| a * b, i64::checked_mul),
        "ReduceSum" | "ReduceMean" => (|a, b| a + b, i64::checked_add),
        _ => return None,
    };
    let x = args.input(0)?;
    let over = match args.list(1, "axes")? {
        Some(list) if !list.is_empty() => axes(&list, x.shape.len()).ok()?,
        _ if args.int("noop_with_empty_axes", 0)? != 0 => return Some(x.clone()),
        _ => (0..x.shape.len()).collect(),
    };
    let groups = groups(&x.shape, &over);
    let shape = reduced(&x.shape, &over, args.int("keepdims", 1)? != 0);
    let count = over.iter().map(|axis| x.shape[*axis]).product::<usize>();
    fn fold<T: Copy>(
        values: &[T],
        groups: &[Vec<usize>],
        with: impl Fn(T, T) -> Option<T>,
    ) -> Option<Vec<T>> {
        let group = |group: &Vec<usize>| {
            let mut values = group.iter().map(|position| values[*position]);
            let first = values.next()?;
            values.try_fold(first, &with)
        };
        groups.iter().map(group).collect()
    }
    match &x.data {
        ConstantData::F32(values) => {
            let mut values = fold(values, &groups, |a, b| Some(of_floats(a, b)))?;
            if op_type == "ReduceMean" {
                values.iter_mut().for_each(|value| *value /= count as f32);
            }
            Some(Constant::f32(shape, values))
        }
        ConstantData::I64(values) => {
            let mut values = fold(values, &groups, of_ints)?;
            if op_type == "ReduceMean" {
                values.iter_mut().for_each(|value| *value /= count as i64);
            }
            Some(Constant { shape, ..Constant::ints(values) })
        }
        ConstantData::Bool(values) => {
            let extreme: fn(bool, bool) -> Option<bool> = match op_type {
                "ReduceMax" => |a, b| Some(a || b),
                "ReduceMin" => |a, b| Some(a && b),
                _ => return None,
            };
            let values = fold(values, &groups, extreme)?;
            Some(Constant { shape, data: ConstantData::Bool(values.into()) })
        }
    }
}

fn reduced(shape: &[usize], over: &[usize], keep: bool) -> Shape {
    let sizes = shape.iter().enumerate();
    sizes
        .filter_map(|(axis, size)| if over.contains(&axis) { keep.then_some(1) } else { Some(*size) })
        .collect()
}

/// For every value of the result the positions that it is made from.
fn groups(shape: &[usize], over: &[usize]) -> Vec<Vec<usize>> {
    let kept = reduced(shape, over, true);
    let (steps, of_group) = (strides(shape), strides(&kept));
    let mut groups = vec![Vec::new(); kept.iter().product()];
    for position in 0..shape.iter().product() {
        let along = (0..shape.len()).filter(|axis| !over.contains(axis));
        let group: usize = along.map(|axis| position / steps[axis] % shape[axis] * of_group[axis]).sum();
        groups[group].push(position);
    }
    groups
}

fn arg_max(args: &Arguments) -> Option<Constant> {
    let x = args.input(0)?;
    let along = axis(args.int("axis", 0)?, x.shape.len()).ok()?;
    let last = args.int("select_last_index", 0)? != 0;
    let floats: Vec<f64> = match &x.data {
        ConstantData::F32(values) => values.iter().map(|value| f64::from(*value)).collect(),
        ConstantData::I64(values) => values.iter().map(|value| *value as f64).collect(),
        ConstantData::Bool(_) => return None,
    };
    let best = |group: &Vec<usize>| {
        let better = |best: usize, next: usize| {
            let wins = floats[group[next]] > floats[group[best]]
                || last && floats[group[next]] == floats[group[best]];
            if wins { next } else { best }
        };
        (0..group.len()).reduce(better).map(|index| index as i64)
    };
    let values: Option<Vec<i64>> = groups(&x.shape, &[along]).iter().map(best).collect();
    let shape = reduced(&x.shape, &[along], args.int("keepdims", 1)? != 0);
    let count = values.as_ref()?.len();
    take(&Constant::ints(values?), &shape, (0..count).collect())
}
