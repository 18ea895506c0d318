//! How well one ranking tells another.

/// Kendall's τ-b of two lists of equal length, ties counted; NaN where one of them is constant.
///
/// Source: Kendall, "The treatment of ties in ranking problems", Biometrika 1945.
pub fn kendall_tau_b(a: &[f64], b: &[f64]) -> f64 {
    let (mut balance, mut in_a, mut in_b) = (0.0, 0.0, 0.0);
    for (i, (a1, b1)) in a.iter().zip(b).enumerate() {
        for (a2, b2) in a.iter().zip(b).skip(i + 1) {
            let (first, second) = (order(*a1, *a2), order(*b1, *b2));
            balance += first * second;
            in_a += first.abs();
            in_b += second.abs();
        }
    }
    balance / f64::sqrt(in_a * in_b)
}

fn order(a: f64, b: f64) -> f64 {
    a.partial_cmp(&b).map_or(0.0, |ordering| f64::from(ordering as i8))
}

/// Spearman's ρ of two lists of equal length: the correlation of their ranks, equals sharing a rank; NaN where one of
/// them is constant.
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    product(&a, &b) / f64::sqrt(product(&a, &a) * product(&b, &b))
}

/// Ranks from 1; equals get their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        below as f64 + (equal as f64 + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

/// Share of the `k` highest in `predicted` that are among the `k` highest in `truth`; of equals the earlier counts as
/// higher.
pub fn precision_at(k: usize, predicted: &[f64], truth: &[f64]) -> f64 {
    let highest = |values: &[f64]| {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
        order.truncate(k);
        order
    };
    let truly = highest(truth);
    let hits = highest(predicted).into_iter().filter(|index| truly.contains(index)).count();
    hits as f64 / truly.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference values of SciPy 1.17: `kendalltau` and `spearmanr`.
    #[test]
    fn correlations_are_those_of_scipy() {
        let a = [12.0, 2.0, 1.0, 12.0, 2.0];
        let b = [1.0, 4.0, 7.0, 1.0, 0.0];
        assert!((kendall_tau_b(&a, &b) - -0.471_404_520_791_031_7).abs() < 1e-12);
        assert!((spearman(&a, &b) - -0.540_738_070_435_875_2).abs() < 1e-12);
        assert!((spearman(&[1.0, 2.0, 3.0], &[10.0, 20.0, 90.0]) - 1.0).abs() < 1e-12);
        assert!(kendall_tau_b(&[1.0, 1.0], &[1.0, 2.0]).is_nan());
    }

    #[test]
    fn precision_counts_the_common_best() {
        let truth = [5.0, 4.0, 3.0, 2.0, 1.0];
        assert_eq!(precision_at(2, &truth, &truth), 1.0);
        assert_eq!(precision_at(2, &[1.0, 5.0, 4.0, 0.0, 0.0], &truth), 0.5);
        assert_eq!(precision_at(2, &[1.0, 2.0, 3.0, 4.0, 5.0], &truth), 0.0);
    }
}
