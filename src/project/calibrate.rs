//! Adapters for all candidates, fitted on features of the calibration images.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::ProjectError;
use super::teachers::Teachers;
use crate::data::{Dataset, batch::IndexBatch};
use crate::graph::TensorId;
use crate::join::{Fit, Join, RidgeRows, Space, fit_ridge, resample_graph};
use crate::net::{Network, read_all};
use crate::ops::Value;
use crate::platform::{Cancel, yield_now};

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

/// Fits an adapter for every candidate, named by receiver.
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
        by_donor
            .entry((join.donor, join.donor_point, (to.height, to.width)))
            .or_default()
            .push((receiver, join));
    }
    let mut fits = Fits::new();
    for (donor, joins) in by_donor {
        if cancel.is_cancelled() {
            return Err(ProjectError::Cancelled);
        }
        let receivers: Vec<&RidgeRows> =
            joins.iter().map(|(receiver, join)| &rows[&(*receiver, join.receiver_point, donor.2)]).collect();
        let fitted = fit_ridge(&rows[&donor], &receivers)?;
        fits.extend(joins.into_iter().zip(fitted));
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
    /// For every network the sizes at which its join points are needed: their own, and those of possible receivers.
    sizes: Vec<BTreeSet<(usize, Size)>>,
    resamplers: BTreeMap<(usize, Size, Size), Network>,
}

impl Sampler {
    fn new(space: &Space, candidates: &[(usize, Join)], positions: usize, seed: u64) -> Self {
        let mut sizes = vec![BTreeSet::new(); space.networks.len()];
        for &(receiver, join) in candidates {
            let [_, to] = space.ends(receiver, join);
            sizes[join.donor].insert((join.donor_point, (to.height, to.width)));
            sizes[receiver].insert((join.receiver_point, (to.height, to.width)));
        }
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { positions, rng, rows: BTreeMap::new(), sizes, resamplers: BTreeMap::new() }
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
        let mut chosen: BTreeMap<Size, Tensor<1, Int>> = BTreeMap::new();
        let mut keys = Vec::new();
        let mut values = Vec::new();
        for (network, info) in space.networks.iter().enumerate() {
            let points: Vec<usize> = self.sizes[network]
                .iter()
                .map(|(point, _)| *point)
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect();
            let tensors: Vec<TensorId> = points.iter().map(|point| info.points[*point].tensor).collect();
            let taps: BTreeMap<usize, Value> =
                points.into_iter().zip(teachers.tap(network, images.clone(), &tensors)).collect();
            for (point, size) in self.sizes[network].clone() {
                let shape = info.points[point].shape();
                let features = self.resampled(taps[&point].clone(), shape, size, &device)?;
                let index =
                    chosen.entry(size).or_insert_with(|| draw(&mut self.rng, size, self.positions, &device));
                keys.push((network, point, size));
                values.push(pick(features, index.clone()));
            }
        }
        for (key, rows) in keys.into_iter().zip(read_all(values).await?) {
            self.rows.entry(key).or_default().extend(rows);
        }
        Ok(())
    }

    fn resampled(
        &mut self,
        features: Value,
        [channels, height, width]: [usize; 3],
        size: Size,
        device: &Device,
    ) -> Result<Value, ProjectError> {
        let key = (channels, (height, width), size);
        if key.1 == size {
            return Ok(features);
        }
        let resampler = match self.resamplers.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                place.insert(Network::new(&resample_graph(channels, key.1, size), device)?)
            }
        };
        Ok(resampler.forward(features.to_rank::<4>()).swap_remove(0))
    }
}

/// Positions of one batch at one size.
fn draw(rng: &mut ChaCha8Rng, size: Size, positions: usize, device: &Device) -> Tensor<1, Int> {
    let chosen: Vec<i32> = (0..positions).map(|_| rng.random_range(0..(size.0 * size.1) as i32)).collect();
    Tensor::from_data(TensorData::new(chosen, [positions]), device)
}

/// `[batch, channels, height, width]` at chosen positions: `[batch · positions, channels]`.
fn pick(features: Value, index: Tensor<1, Int>) -> Value {
    let features = features.to_rank::<4>();
    let [batch, channels, height, width] = features.dims();
    let [positions] = index.dims();
    let picked: Tensor<3> = features.reshape([batch, channels, height * width]).select(2, index);
    picked.swap_dims(1, 2).reshape([batch * positions, channels]).into()
}

/// A batch of images as they are, on the teachers' device.
pub fn images_on(teachers: &Teachers, dataset: &Dataset, batch: &IndexBatch) -> Tensor<4> {
    let shape = [batch.indices.len(), dataset.shape.channels, dataset.shape.height, dataset.shape.width];
    teachers.upload(&dataset.batch(batch, None).images, shape)
}
