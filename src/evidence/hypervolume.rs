//! How much of cost and loss of accuracy some plans dominate.

use crate::report::Point;

/// Drop at which a plan is worth nothing to the hypervolume, in points.
pub const REFERENCE_DROP: f64 = 20.0;

/// The share of the rectangle from no cost and no drop to the originals' cost and [`REFERENCE_DROP`] that these points
/// dominate: 1 for a plan that costs and loses nothing. A gain counts as no drop.
///
/// Source: Zitzler and Thiele, "Multiobjective optimization using evolutionary algorithms", PPSN 1998.
pub fn hypervolume(points: &[Point]) -> f64 {
    let mut points: Vec<Point> = points.iter().map(|[cost, drop]| [*cost, drop.max(0.0)]).collect();
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let (mut area, mut reached) = (0.0, REFERENCE_DROP);
    for [cost, drop] in points {
        if drop < reached && cost < 1.0 {
            area += (1.0 - cost) * (reached - drop);
            reached = drop;
        }
    }
    area / REFERENCE_DROP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hypervolume_is_the_dominated_area() {
        assert_eq!(hypervolume(&[[0.0, -1.0]]), 1.0);
        assert_eq!(hypervolume(&[[1.0, 0.0]]), 0.0);
        assert_eq!(hypervolume(&[[0.5, 0.0]]), 0.5);
        // A quarter of the cost down to 10 points of drop, half of it below.
        assert_eq!(hypervolume(&[[0.5, 0.0], [0.25, 10.0]]), 0.75 * 0.5 + 0.5 * 0.5);
        // What is dominated adds nothing.
        assert_eq!(hypervolume(&[[0.5, 0.0], [0.6, 1.0]]), 0.5);
    }
}
