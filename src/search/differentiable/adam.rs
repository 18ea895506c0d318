//! Adam (Kingma & Ba, 2015) on the host, for a handful of logits.

const MOMENTS: [f64; 2] = [0.5, 0.999];

/// The optimiser with its moments.
#[derive(Clone, Debug)]
pub struct Adam {
    first: Vec<Vec<f64>>,
    second: Vec<Vec<f64>>,
    learning_rate: f64,
    steps: i32,
}

impl Adam {
    /// `zeros` has the shape of what is to be optimised.
    pub fn new(zeros: Vec<Vec<f64>>, learning_rate: f64) -> Self {
        Self { first: zeros.clone(), second: zeros, learning_rate, steps: 0 }
    }

    /// One step against the gradient.
    pub fn step(&mut self, values: &mut [Vec<f64>], gradient: &[Vec<f64>]) {
        self.steps += 1;
        let correction = MOMENTS.map(|moment| 1.0 - moment.powi(self.steps));
        for (row, gradient) in gradient.iter().enumerate() {
            for (column, slope) in gradient.iter().enumerate() {
                let (first, second) = (&mut self.first[row][column], &mut self.second[row][column]);
                *first = MOMENTS[0] * *first + (1.0 - MOMENTS[0]) * slope;
                *second = MOMENTS[1] * *second + (1.0 - MOMENTS[1]) * slope * slope;
                let step = *first / correction[0] / ((*second / correction[1]).sqrt() + 1e-8);
                values[row][column] -= self.learning_rate * step;
            }
        }
    }
}
