//! Fronts of cost and loss of accuracy.

/// Relative MACs from 0 to 1, and the worst drop over the tasks in points.
pub type Point = [f64; 2];

/// Indices of the points that no other beats in both, by cost.
pub fn front(points: &[Point]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (points[*a], points[*b]);
        a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1]))
    });
    let mut best = f64::INFINITY;
    order.retain(|index| {
        let better = points[*index][1] < best;
        best = best.min(points[*index][1]);
        better
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_leaves_out_what_is_dominated() {
        assert_eq!(front(&[[0.9, 0.0], [0.5, 2.0], [0.6, 3.0], [0.5, 1.0]]), [3, 0]);
    }
}
