//! Learning rate over the steps.

/// Share of the steps during which the rate rises.
const RISE: f64 = 0.25;
/// The rate at the start, relative to the peak.
const START: f64 = 0.04;
/// The rate at the end, relative to the peak.
const END: f64 = 1e-4;

/// One cycle (Smith & Topin, 2018): the rate rises along a cosine to `peak` and falls along another to almost nothing.
pub fn one_cycle(step: usize, steps: usize, peak: f64) -> f64 {
    let progress = step as f64 / steps.saturating_sub(1).max(1) as f64;
    let along = |from: f64, to: f64, share: f64| {
        to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * share.clamp(0.0, 1.0)).cos())
    };
    peak * if progress < RISE {
        along(START, 1.0, progress / RISE)
    } else {
        along(1.0, END, (progress - RISE) / (1.0 - RISE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_to_the_peak_and_falls_to_almost_nothing() {
        let rates: Vec<f64> = (0..101).map(|step| one_cycle(step, 101, 1.0)).collect();
        assert!((rates[25] - 1.0).abs() < 1e-9);
        assert!(rates[..25].is_sorted() && rates[25..].is_sorted_by(|a, b| a >= b));
        assert!(rates[100] < 1e-3);
    }
}
