//! Adapters in closed form: ridge regression of a receiver's features on a donor's.

use nalgebra::{Cholesky, DMatrix, DVector};

use super::JoinError;

/// Features of one join point at sampled positions of the calibration images.
#[derive(Clone, Debug)]
pub struct RidgeRows {
    /// One row per position, one column per channel.
    rows: DMatrix<f64>,
    mean: DVector<f64>,
    /// Rows from here on are held out.
    split: usize,
}

/// A linear map from donor to receiver channels, and how well it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// `[receiver channels, donor channels]`, row-major.
    pub weight: Vec<f32>,
    /// `[receiver channels]`
    pub bias: Vec<f32>,
    /// Share of the receiver's variance that is explained on held-out rows.
    pub r_squared: f64,
}

/// Share of the rows that the regression does not see; the penalty is chosen on them.
const HELD_OUT: f64 = 0.25;
/// Penalties tried, relative to the mean eigenvalue of the donor's Gram matrix.
const PENALTIES: [f64; 5] = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1];

impl RidgeRows {
    /// # Shapes
    ///
    /// - `rows`: `[positions, channels]`, row-major, in the same order of positions for all points that are compared
    pub fn new(rows: &[f32], channels: usize) -> Self {
        let count = rows.len() / channels.max(1);
        let split = count - (count as f64 * HELD_OUT) as usize;
        let mut rows =
            DMatrix::from_row_iterator(count, channels, rows.iter().map(|value| f64::from(*value)));
        let mean = rows.rows(0, split).row_mean().transpose();
        for (mut column, mean) in rows.column_iter_mut().zip(mean.iter()) {
            column.add_scalar_mut(-mean);
        }
        Self { rows, mean, split }
    }

    fn seen(&self) -> nalgebra::DMatrixView<'_, f64> {
        self.rows.rows(0, self.split)
    }

    fn held_out(&self) -> nalgebra::DMatrixView<'_, f64> {
        self.rows.rows(self.split, self.rows.nrows() - self.split)
    }
}

/// Ridge regression `W = K (G + λI)⁻¹` of several receivers on one donor, on centred features in float64, `λ` chosen
/// per receiver on held-out rows.
///
/// # Errors
///
/// The donor's features are not finite.
pub fn fit_ridge(donor: &RidgeRows, receivers: &[&RidgeRows]) -> Result<Vec<Fit>, JoinError> {
    let seen = donor.seen();
    let gram = seen.transpose() * seen;
    let scale = gram.trace() / gram.nrows().max(1) as f64;
    if !scale.is_finite() {
        return Err(JoinError::Unsolvable { reason: "a feature is not a finite number".into() });
    }
    let held_out = donor.held_out();
    let held_out_gram = held_out.transpose() * held_out;
    let targets: Vec<Target> = receivers.iter().map(|receiver| Target::new(donor, receiver)).collect();
    let mut best: Vec<Option<(f64, DMatrix<f64>)>> = vec![None; receivers.len()];
    for penalty in PENALTIES {
        // A donor whose features are all the same still gets an adapter: its bias.
        let ridge = (penalty * scale).max(1e-12);
        let Some(factor) = Cholesky::new(&gram + DMatrix::identity(gram.nrows(), gram.nrows()) * ridge)
        else {
            continue;
        };
        for (target, best) in targets.iter().zip(&mut best) {
            let solution = factor.solve(&target.cross);
            let r_squared = target.explained(&held_out_gram, &solution);
            if best.as_ref().is_none_or(|(known, _)| r_squared > *known) {
                *best = Some((r_squared, solution));
            }
        }
    }
    receivers
        .iter()
        .zip(best)
        .map(|(receiver, best)| {
            let (r_squared, solution) =
                best.ok_or_else(|| JoinError::Unsolvable { reason: "the Gram matrix is singular".into() })?;
            let bias = &receiver.mean - solution.transpose() * &donor.mean;
            Ok(Fit {
                // Column-major [donor, receiver] is row-major [receiver, donor].
                weight: solution.iter().map(|value| *value as f32).collect(),
                bias: bias.iter().map(|value| *value as f32).collect(),
                r_squared,
            })
        })
        .collect()
}

/// Products of a donor's features with a receiver's, `[donor channels, receiver channels]`.
struct Target {
    cross: DMatrix<f64>,
    held_out_cross: DMatrix<f64>,
    /// Sum of squares of the receiver's held-out features.
    held_out_squares: f64,
}

impl Target {
    fn new(donor: &RidgeRows, receiver: &RidgeRows) -> Self {
        Self {
            cross: donor.seen().transpose() * receiver.seen(),
            held_out_cross: donor.held_out().transpose() * receiver.held_out(),
            held_out_squares: receiver.held_out().norm_squared(),
        }
    }

    /// Share of the receiver's held-out variance that `solution` explains: `1 − ‖R − D W‖² / ‖R‖²`, the square written
    /// out, so that the rows are gone through once for all penalties.
    fn explained(&self, held_out_gram: &DMatrix<f64>, solution: &DMatrix<f64>) -> f64 {
        let squares = solution.dot(&(held_out_gram * solution));
        let explained = 2.0 * solution.dot(&self.held_out_cross) - squares;
        if self.held_out_squares > 0.0 { explained / self.held_out_squares } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_relation_is_found() {
        // receiver = [2a - b + 1, b - 3]
        let positions: Vec<(f32, f32)> =
            (0..400).map(|i| ((i as f32 * 0.37).sin(), (i as f32 * 0.11).cos())).collect();
        let donor: Vec<f32> = positions.iter().flat_map(|(a, b)| [*a, *b]).collect();
        let receiver: Vec<f32> = positions.iter().flat_map(|(a, b)| [2.0 * a - b + 1.0, b - 3.0]).collect();

        let fits = fit_ridge(&RidgeRows::new(&donor, 2), &[&RidgeRows::new(&receiver, 2)]).unwrap();

        let close = |found: &[f32], wanted: &[f32]| {
            found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-3)
        };
        assert!(close(&fits[0].weight, &[2.0, -1.0, 0.0, 1.0]), "{:?}", fits[0].weight);
        assert!(close(&fits[0].bias, &[1.0, -3.0]), "{:?}", fits[0].bias);
        assert!(fits[0].r_squared > 0.999);
    }

    #[test]
    fn a_constant_donor_yields_the_receivers_mean() {
        let donor = RidgeRows::new(&[1.0; 40], 1);
        let values: Vec<f32> = (0..40).map(|i| if i % 2 == 0 { 1.0 } else { 3.0 }).collect();
        let fits = fit_ridge(&donor, &[&RidgeRows::new(&values, 1)]).unwrap();
        assert!((fits[0].bias[0] - 2.0).abs() < 1e-4);
    }
}
