//! Operators that pick parts of a constant.

use super::Arguments;
use super::movement::{positions, take};
use crate::graph::{Constant, ConstantData, Shape};
use crate::ops::axes::{axis, strides};

pub fn gather(args: &Arguments) -> Option<Constant> {
    let (x, indices) = (args.input(0)?, args.input(1)?);
    let along = axis(args.int("axis", 0)?, x.shape.len()).ok()?;
    let size = x.shape[along];
    let chosen: Option<Vec<usize>> = indices.as_i64()?.iter().map(|entry| axis(*entry, size).ok()).collect();
    let (chosen, inner) = (chosen?, x.shape[along + 1..].iter().product::<usize>());
    let shape = [&x.shape[..along], &indices.shape, &x.shape[along + 1..]].concat();
    args.room(&shape)?;
    let rows: usize = x.shape[..along].iter().product();
    let row = |row: usize| {
        let chosen = chosen.iter();
        chosen.flat_map(move |entry| (0..inner).map(move |column| (row * size + entry) * inner + column))
    };
    take(x, &shape, (0..rows).flat_map(row).collect())
}

pub fn non_zero(x: &Constant) -> Option<Constant> {
    let flags: Vec<bool> = match &x.data {
        ConstantData::F32(values) => values.iter().map(|value| *value != 0.0).collect(),
        ConstantData::I64(values) => values.iter().map(|value| *value != 0).collect(),
        ConstantData::Bool(values) => values.to_vec(),
    };
    let found: Vec<usize> = (0..flags.len()).filter(|position| flags[*position]).collect();
    let along = strides(&x.shape).into_iter().zip(&x.shape);
    let rows =
        along.flat_map(|(step, size)| found.iter().map(move |position| (position / step % size) as i64));
    Some(Constant { shape: vec![x.shape.len(), found.len()], ..Constant::ints(rows.collect::<Vec<_>>()) })
}

/// `Slice` with any steps but 0.
pub fn slice(args: &Arguments) -> Option<Constant> {
    let x = args.input(0)?;
    let (starts, ends) = (args.list(1, "starts")??, args.list(2, "ends")??);
    let along = args.list(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = args.list(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), along.len(), steps.len()] != [starts.len(); 3] {
        return None;
    }
    let mut kept: Vec<Vec<usize>> = x.shape.iter().map(|size| (0..*size).collect()).collect();
    for (index, entry) in along.iter().enumerate() {
        let axis = axis(*entry, x.shape.len()).ok()?;
        kept[axis] =
            crate::ops::axes::sliced(x.shape[axis], starts[index], ends[index], steps[index]).ok()?;
    }
    let shape: Shape = kept.iter().map(Vec::len).collect();
    let steps = strides(&x.shape);
    let at = |index: &[usize]| (0..shape.len()).map(|axis| kept[axis][index[axis]] * steps[axis]).sum();
    take(x, &shape, positions(&shape, at))
}

/// The parts of `Split`.
pub fn split(args: &Arguments, parts: usize) -> Option<Vec<Constant>> {
    let x = args.input(0)?;
    let (along, sizes) = crate::ops::concat::split_sizes(
        args.int("axis", 0)?,
        args.list(1, "split")?.as_deref(),
        parts,
        &x.shape,
    )
    .ok()?;
    let steps = strides(&x.shape);
    let mut start = 0;
    let part = |size: usize| {
        let mut shape = x.shape.clone();
        shape[along] = size;
        let offset = start * steps[along];
        start += size;
        let at = |index: &[usize]| {
            offset + index.iter().zip(&steps).map(|(index, step)| index * step).sum::<usize>()
        };
        take(x, &shape, positions(&shape, at))
    };
    sizes.into_iter().map(part).collect()
}
