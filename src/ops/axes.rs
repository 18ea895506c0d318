//! Arithmetic on axes and shapes that several families share.

use crate::graph::Shape;

/// The axis that `axis` means in a tensor of `rank` axes; negative ones count from the end.
///
/// # Errors
///
/// There is no such axis.
pub fn axis(axis: i64, rank: usize) -> Result<usize, String> {
    let rank_i64 = rank as i64;
    let index = if axis < 0 { axis.saturating_add(rank_i64) } else { axis };
    if (0..rank_i64).contains(&index) {
        Ok(index as usize)
    } else {
        Err(format!("there is no axis {axis} among {rank}"))
    }
}

/// The axes that `list` means in a tensor of `rank` axes, in ascending order.
///
/// # Errors
///
/// There is no such axis, or one is named twice.
pub fn axes(list: &[i64], rank: usize) -> Result<Vec<usize>, String> {
    let mut axes: Vec<usize> = list.iter().map(|entry| axis(*entry, rank)).collect::<Result<_, _>>()?;
    axes.sort_unstable();
    let named = axes.len();
    axes.dedup();
    if axes.len() == named { Ok(axes) } else { Err(format!("the axes {list:?} name one axis twice")) }
}

/// The shape that operands take together under ONNX's multidirectional broadcasting.
///
/// # Errors
///
/// Two sizes of one axis differ and neither is 1.
pub fn broadcast(shapes: &[&[usize]]) -> Result<Shape, String> {
    let rank = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let mut result = vec![1; rank];
    for shape in shapes {
        for (size, wanted) in shape.iter().rev().zip(result.iter_mut().rev()) {
            match (*size, *wanted) {
                (size, wanted) if size == wanted => {}
                (1, _) => {}
                (size, 1) => *wanted = size,
                _ => return Err(format!("the shapes {shapes:?} do not broadcast")),
            }
        }
    }
    Ok(result)
}

/// Checks that `shape` broadcasts to `target` without changing it.
///
/// # Errors
///
/// It does not.
pub fn broadcasts_to(shape: &[usize], target: &[usize]) -> Result<(), String> {
    match broadcast(&[shape, target]) {
        Ok(result) if result == target => Ok(()),
        _ => Err(format!("the shape {shape:?} does not broadcast to {target:?}")),
    }
}

/// How far apart neighbours along each axis are in row-major order.
pub fn strides(shape: &[usize]) -> Vec<usize> {
    let mut steps = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        steps[axis - 1] = steps[axis] * shape[axis];
    }
    steps
}

/// The indices that `start..end` with a step keeps of an axis of `size`, by the rules of ONNX `Slice` (13).
///
/// # Errors
///
/// The step is 0.
pub fn sliced(size: usize, start: i64, end: i64, step: i64) -> Result<Vec<usize>, String> {
    let size = size as i64;
    let from_end = |index: i64| if index < 0 { index.saturating_add(size) } else { index };
    let (start, end) = (from_end(start), from_end(end));
    match step {
        0 => Err("a step of 0 leads nowhere".to_owned()),
        1.. => {
            let step = usize::try_from(step).unwrap_or(usize::MAX);
            Ok((start.clamp(0, size)..end.clamp(0, size)).step_by(step).map(|index| index as usize).collect())
        }
        _ => {
            let step = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
            let (start, end) = (start.clamp(-1, size - 1), end.clamp(-1, size - 1));
            Ok((end + 1..=start).rev().step_by(step).map(|index| index as usize).collect())
        }
    }
}

/// The first `D` sizes as an array; missing ones are 1.
pub fn array<const D: usize>(sizes: &[usize]) -> [usize; D] {
    std::array::from_fn(|index| sizes.get(index).copied().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_axes_count_from_the_end() {
        assert_eq!(axis(-1, 4), Ok(3));
        assert_eq!(axes(&[-1, 0], 3), Ok(vec![0, 2]));
        for wrong in [4, -5, i64::MIN] {
            assert!(axis(wrong, 4).is_err());
        }
        assert!(axes(&[1, -1], 2).is_err());
    }

    #[test]
    fn slices_are_those_of_numpy() {
        for (start, end, step, expected) in [
            (0, 5, 1, &[0, 1, 2, 3, 4][..]),
            (-3, i64::MAX, 1, &[2, 3, 4]),
            (1, -1, 2, &[1, 3]),
            (-1, i64::MIN, -1, &[4, 3, 2, 1, 0]),
            (9, 0, -2, &[4, 2]),
            (3, 3, 1, &[]),
            (0, 5, i64::MAX, &[0]),
            (4, -9, i64::MIN, &[4]),
        ] {
            assert_eq!(sliced(5, start, end, step).unwrap(), expected, "{start}:{end}:{step}");
        }
        assert!(sliced(5, 0, 5, 0).is_err());
    }

    #[test]
    fn shapes_broadcast_from_the_right() {
        assert_eq!(broadcast(&[&[2, 3, 1], &[4], &[]]), Ok(vec![2, 3, 4]));
        assert!(broadcast(&[&[2], &[3]]).is_err());
        assert!(broadcasts_to(&[1, 3], &[2, 3]).is_ok());
        assert!(broadcasts_to(&[2, 3], &[1, 3]).is_err());
    }
}
