//! Where each value of a resized axis comes from.

/// How an axis is sampled.
#[derive(Clone, Copy, Debug)]
pub struct Sampling {
    pub coordinates: Coordinates,
    pub interpolation: Interpolation,
    /// Whether the kernel grows with what is left out when an axis shrinks.
    pub antialias: bool,
    /// Whether values beyond the ends count nothing, instead of repeating the last one.
    pub exclude_outside: bool,
}

/// Where the position of an output value lies among the input's, ONNX `coordinate_transformation_mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinates {
    AlignCorners,
    Asymmetric,
    CropAndResize,
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
}

#[derive(Clone, Copy, Debug)]
pub enum Interpolation {
    Nearest(Nearest),
    Linear,
    Cubic { a: f64 },
}

/// Which of two neighbours is the nearest.
#[derive(Clone, Copy, Debug)]
pub enum Nearest {
    RoundPreferFloor,
    RoundPreferCeil,
    Floor,
    Ceil,
}

/// For every output value the input values that it is mixed from, with their weights; none where it lies outside.
pub struct Rows(Vec<Vec<(usize, f64)>>);

impl Sampling {
    /// Whether only a region of the input is kept.
    pub fn crops(&self) -> bool {
        self.coordinates == Coordinates::CropAndResize
    }

    /// The rows of an axis of `from` values that becomes one of `to`.
    pub fn rows(&self, from: usize, to: usize, scale: f64, region: Option<[f64; 2]>) -> Rows {
        let last = from as f64 - 1.0;
        let row = |index: usize| {
            let position =
                f64::from(self.position(index as f32, from as f32, to as f32, scale as f32, region));
            if self.crops() && !(0.0..=last).contains(&position) {
                return Vec::new();
            }
            self.weights(position, scale, from)
        };
        Rows((0..to).map(row).collect())
    }

    /// Source: the ONNX operator `Resize` (19), `coordinate_transformation_mode`. In float32, as runtimes compute it: which of
    /// two neighbours is nearest may depend on the rounding.
    fn position(&self, x: f32, from: f32, to: f32, scale: f32, region: Option<[f64; 2]>) -> f32 {
        let exact = scale * from;
        match self.coordinates {
            Coordinates::AlignCorners if exact == 1.0 => 0.0,
            Coordinates::AlignCorners => x * (from - 1.0) / (exact - 1.0),
            Coordinates::Asymmetric => x / scale,
            Coordinates::CropAndResize => {
                let [start, end] = region.unwrap_or([0.0, 1.0]).map(|edge| edge as f32);
                let step = if exact == 1.0 { (end - start) / 2.0 } else { x * (end - start) / (exact - 1.0) };
                (start + step) * (from - 1.0)
            }
            Coordinates::HalfPixel => (x + 0.5) / scale - 0.5,
            Coordinates::HalfPixelSymmetric => from / 2.0 * (1.0 - to / exact) + (x + 0.5) / scale - 0.5,
            Coordinates::PytorchHalfPixel if exact == 1.0 => -0.5,
            Coordinates::PytorchHalfPixel => (x + 0.5) / scale - 0.5,
        }
    }

    fn weights(&self, position: f64, scale: f64, from: usize) -> Vec<(usize, f64)> {
        // The kernel is drawn around the value left of the position, at a distance in (0, 1].
        let base = position.ceil() - 1.0;
        let distance = position - base;
        let shrink = if self.antialias { scale.min(1.0) } else { 1.0 };
        let (reach, kernel): (f64, &dyn Fn(f64) -> f64) = match self.interpolation {
            Interpolation::Nearest(nearest) => {
                let up = match nearest {
                    Nearest::RoundPreferFloor => distance > 0.5,
                    Nearest::RoundPreferCeil => distance >= 0.5,
                    Nearest::Floor => distance == 1.0,
                    Nearest::Ceil => true,
                };
                let index = if up { base + 1.0 } else { base };
                return vec![(index.clamp(0.0, from as f64 - 1.0) as usize, 1.0)];
            }
            Interpolation::Linear => (1.0, &|x: f64| (1.0 - x.abs()).max(0.0)),
            Interpolation::Cubic { a } => (2.0, &move |x: f64| cubic(x.abs(), a)),
        };
        let first = (-reach / shrink).floor() as i64 + 1;
        let mut weights: Vec<(i64, f64)> = (first..=1 - first)
            .map(|step| (base as i64 + step, kernel((step as f64 - distance) * shrink)))
            .collect();
        if self.exclude_outside {
            weights.retain(|(index, _)| (0..from as i64).contains(index));
        }
        let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let sum = if self.antialias || self.exclude_outside { sum } else { 1.0 };
        let clamped = |index: i64| index.clamp(0, from as i64 - 1) as usize;
        weights.into_iter().map(|(index, weight)| (clamped(index), weight / sum)).collect()
    }
}

/// Keys' cubic convolution kernel (1981) at a distance.
fn cubic(x: f64, a: f64) -> f64 {
    match x {
        ..=1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        ..2.0 => ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a,
        _ => 0.0,
    }
}

impl Rows {
    /// How often each of `from` values is repeated, if that is all.
    pub fn repeats(&self, from: usize) -> Option<usize> {
        let times = self.0.len() / from.max(1);
        let repeated = |(index, row): (usize, &Vec<(usize, f64)>)| row[..] == [(index / times.max(1), 1.0)];
        (times * from == self.0.len() && self.0.iter().enumerate().all(repeated)).then_some(times)
    }

    /// Row-major `[to, from]`.
    pub fn matrix(&self, from: usize) -> Vec<f32> {
        let mut matrix = vec![0.0_f64; self.0.len() * from];
        for (row, weights) in matrix.chunks_mut(from).zip(&self.0) {
            for (index, weight) in weights {
                row[*index] += weight;
            }
        }
        matrix.into_iter().map(|weight| weight as f32).collect()
    }

    /// For every output value whether it lies outside of the input.
    pub fn outside(&self) -> impl Iterator<Item = bool> {
        self.0.iter().map(Vec::is_empty)
    }
}
