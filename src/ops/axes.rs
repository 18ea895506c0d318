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
    fn shapes_broadcast_from_the_right() {
        assert_eq!(broadcast(&[&[2, 3, 1], &[4], &[]]), Ok(vec![2, 3, 4]));
        assert!(broadcast(&[&[2], &[3]]).is_err());
        assert!(broadcasts_to(&[1, 3], &[2, 3]).is_ok());
        assert!(broadcasts_to(&[2, 3], &[1, 3]).is_err());
    }
}
