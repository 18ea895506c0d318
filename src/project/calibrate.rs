//! Adapters for all candidates, fitted on features of the calibration images.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Tensor, TensorData};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::ProjectError;
use super::teachers::Teachers;
use crate::data::{Dataset, batch::IndexBatch};
use crate::graph::TensorId;
use crate::join::{Fit, Join, RidgeRows, Space, fit_ridge, sampling_columns};
use crate::net::read_all;
use crate::ops::kernels::matmul;
use crate::platform::{Cancel, for_all, lanes, yield_now};

/// Fits of all candidates, by receiver and join.
pub type Fits = BTreeMap<(usize, Join), Fit>;

/// Height and width.
type Size = (usize, usize);

/// Network, join point, and the size at which its features were sampled.
type RowsKey = (usize, usize, Size);

/// What adapters are fitted on.
#[derive(Clone, Copy, Debug)]
pub struct Calibration<'a> {
    pub batches: &'a [IndexBatch],
    /// Positions per channel of the widest join point.
    pub rows_per_channel: usize,
    /// Decides which positions.
    pub seed: u64,
}

/// Fits an adapter for every candidate, named by receiver. `tell` hears how many are done.
///
/// # Errors
///
/// The device fails, features are not finite, or the run is cancelled.
pub async fn fit_adapters(
    space: &Space,
    candidates: &[(usize, Join)],
    teachers: &Teachers,
    dataset: &Dataset,
    Calibration { batches, rows_per_channel, seed }: Calibration<'_>,
    tell: &dyn Fn(usize),
    cancel: &Cancel,
) -> Result<Fits, ProjectError> {
    let images: usize = batches.iter().map(|batch| batch.indices.len()).sum();
    let widest = space.networks.iter().flat_map(|network| &network.points).map(|point| point.channels).max();
    let positions = (rows_per_channel * widest.unwrap_or(1)).div_ceil(images.max(1)).max(1);
    let mut sampler = Sampler::new(space, candidates, positions, seed);
    for batch in batches {
        if cancel.is_cancelled() {
            return Err(ProjectError::Cancelled);
        }
        sampler.add(space, teachers, dataset, batch).await?;
        yield_now().await;
    }
    let rows: BTreeMap<RowsKey, RidgeRows> = sampler
        .rows
        .into_iter()
        .map(|(key, rows)| (key, RidgeRows::new(&rows, space.networks[key.0].points[key.1].channels)))
        .collect();

    let mut by_donor: BTreeMap<RowsKey, Vec<(usize, Join)>> = BTreeMap::new();
    for &(receiver, join) in candidates {
        let [_, to] = space.ends(receiver, join);
        let donor = (join.donor, join.donor_point, (to.height, to.width));
        by_donor.entry(donor).or_default().push((receiver, join));
    }
    let by_donor: Vec<(RowsKey, Vec<(usize, Join)>)> = by_donor.into_iter().collect();
    let mut fits = Fits::new();
    for some in by_donor.chunks(4 * lanes()) {
        if cancel.is_cancelled() {
            return Err(ProjectError::Cancelled);
        }
        let fitted = for_all(some, async |(donor, joins)| {
            let tensor = |(receiver, join): &(usize, Join)| &rows[&(*receiver, join.receiver_point, donor.2)];
            let receivers: Vec<&RidgeRows> = joins.iter().map(tensor).collect();
            fit_ridge(&rows[donor], &receivers)
        });
        for ((_, joins), fitted) in some.iter().zip(fitted.await) {
            fits.extend(joins.iter().copied().zip(fitted?));
        }
        tell(fits.len());
        yield_now().await;
    }
    Ok(fits)
}

/// Collects features at random positions, the same for all join points that are seen at one size.
struct Sampler {
    positions: usize,
    rng: ChaCha8Rng,
    /// `[positions, channels]`, row-major.
    rows: BTreeMap<RowsKey, Vec<f32>>,
    /// For every network and join point the sizes at which it is needed: its own, and those of possible receivers.
    sizes: Vec<BTreeMap<usize, BTreeSet<Size>>>,
}

impl Sampler {
    fn new(space: &Space, candidates: &[(usize, Join)], positions: usize, seed: u64) -> Self {
        let mut sizes = vec![BTreeMap::<_, BTreeSet<Size>>::new(); space.networks.len()];
        for &(receiver, join) in candidates {
            let [_, to] = space.ends(receiver, join);
            let size = (to.height, to.width);
            sizes[join.donor].entry(join.donor_point).or_default().insert(size);
            sizes[receiver].entry(join.receiver_point).or_default().insert(size);
        }
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { positions, rng, rows: BTreeMap::new(), sizes }
    }

    async fn add(
        &mut self,
        space: &Space,
        teachers: &Teachers,
        dataset: &Dataset,
        batch: &IndexBatch,
    ) -> Result<(), ProjectError> {
        let images = images_on(teachers, dataset, batch);
        let device = images.device();
        let mut chosen: BTreeMap<Size, Vec<usize>> = BTreeMap::new();
        let mut sampled = Vec::new();
        for (network, info) in space.networks.iter().enumerate() {
            let tensors: Vec<TensorId> =
                self.sizes[network].keys().map(|point| info.points[*point].tensor).collect();
            let taps = teachers.tap(network, images.clone(), &tensors);
            for ((point, sizes), features) in self.sizes[network].iter().zip(taps) {
                let [channels, height, width] = info.points[*point].shape();
                let mut columns = Vec::new();
                for &size in sizes {
                    let draw = || draw(&mut self.rng, size, self.positions);
                    let positions = chosen.entry(size).or_insert_with(draw);
                    columns.extend(sampling_columns((height, width), size, positions));
                }
                // All sizes at once: a resampled feature is a weighted mean over positions.
                let columns = Tensor::from_data(
                    TensorData::new(columns, [sizes.len() * self.positions, height * width]),
                    &device,
                );
                let features: Tensor<2> =
                    features.reshape(&[batch.indices.len() * channels, height * width]).to_rank();
                sampled.push(matmul(features, columns.transpose()).into());
            }
        }
        let keys =
            self.sizes.iter().enumerate().flat_map(|(network, points)| {
                points.iter().map(move |(point, sizes)| (network, *point, sizes))
            });
        for ((network, point, sizes), values) in keys.zip(read_all(sampled).await?) {
            let channels = space.networks[network].points[point].channels;
            let width = sizes.len() * self.positions;
            for (first, size) in (0..width).step_by(self.positions).zip(sizes) {
                let rows = self.rows.entry((network, point, *size)).or_default();
                for image in values.chunks_exact(channels * width) {
                    for column in first..first + self.positions {
                        rows.extend(image.iter().skip(column).step_by(width));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Positions of one batch at one size, row by row. Drawn as 32 bits: the same natively and in browsers.
fn draw(rng: &mut ChaCha8Rng, (height, width): Size, positions: usize) -> Vec<usize> {
    (0..positions).map(|_| rng.random_range(0..(height * width) as i32) as usize).collect()
}

/// A batch of images as they are, on the teachers' device.
pub fn images_on(teachers: &Teachers, dataset: &Dataset, batch: &IndexBatch) -> Tensor<4> {
    let shape = [batch.indices.len(), dataset.shape.channels, dataset.shape.height, dataset.shape.width];
    teachers.upload(&dataset.batch(batch, None).images, shape)
}
