//! Batches of one fixed shape: shuffled for training, in order and padded for evaluation.

use graftlab_images::{Augment, rng};
use rand::seq::SliceRandom;

use super::dataset::Dataset;

/// Images and labels of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// [batch, channels, height, width], values 0..255.
    pub images: Vec<f32>,
    /// Index of each image in the data set.
    pub indices: Vec<usize>,
    /// How many images count; those behind them only fill the shape.
    pub valid: usize,
    /// [tasks][batch]; `None` where an image is not labelled, or only fills the shape.
    pub labels: Vec<Vec<Option<u32>>>,
}

/// Which images make up one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexBatch {
    pub indices: Vec<usize>,
    /// How many of them count.
    pub valid: usize,
}

/// The batches of one training epoch: shuffled by seed and epoch, all full, the rest dropped.
///
/// Fewer images than one batch are repeated to fill one.
pub fn training_batches(indices: &[usize], size: usize, seed: u64, epoch: u64) -> Vec<IndexBatch> {
    if indices.is_empty() || size == 0 {
        return Vec::new();
    }
    let mut order = indices.to_vec();
    order.shuffle(&mut rng::stream(seed, rng::ORDER | epoch));
    if order.len() < size {
        order = order.into_iter().cycle().take(size).collect();
    }
    order.chunks_exact(size).map(|chunk| IndexBatch { indices: chunk.to_vec(), valid: size }).collect()
}

/// All images in order; the last batch is filled up with its last image.
pub fn evaluation_batches(indices: &[usize], size: usize) -> Vec<IndexBatch> {
    let chunks = indices.chunks(size.max(1));
    let batches = chunks.map(|chunk| {
        let mut padded = chunk.to_vec();
        padded.resize(size.max(1), chunk[chunk.len() - 1]);
        IndexBatch { indices: padded, valid: chunk.len() }
    });
    batches.collect()
}

/// A view of the images that stays the same: which random changes they get.
#[derive(Debug, Clone, Copy)]
pub struct AugmentView<'a> {
    pub augment: &'a Augment,
    pub seed: u64,
    /// The epoch, or the number of a view whose outputs are kept.
    pub epoch: u64,
}

impl Dataset {
    /// Images and labels of one batch, changed at random if `view` is given.
    ///
    /// # Panics
    /// If an index is not below [`Dataset::len`].
    pub fn batch(&self, batch: &IndexBatch, view: Option<AugmentView>) -> Batch {
        let len = self.shape.len();
        let mut images = vec![0.0; batch.indices.len() * len];
        for (&index, out) in batch.indices.iter().zip(images.chunks_exact_mut(len)) {
            match view {
                Some(v) => v.augment.apply(self.image(index), self.shape, v.seed, v.epoch, index, out),
                None => out.iter_mut().zip(self.image(index)).for_each(|(out, byte)| *out = f32::from(*byte)),
            }
        }
        let label = |labels: &[Option<u32>]| {
            let of = |(at, &index): (usize, &usize)| labels[index].filter(|_| at < batch.valid);
            batch.indices.iter().enumerate().map(of).collect()
        };
        let labels = self.tasks.iter().map(|task| label(&task.labels)).collect();
        Batch { images, indices: batch.indices.clone(), valid: batch.valid, labels }
    }
}

#[cfg(test)]
mod tests {
    use graftlab_images::ImageShape;

    use super::super::dataset::TaskLabels;
    use super::super::split::Split;
    use super::*;

    fn data(count: usize) -> Dataset {
        Dataset {
            shape: ImageShape { channels: 1, height: 1, width: 2 },
            pixels: (0..count).flat_map(|i| [i as u8, 100 + i as u8]).collect(),
            tasks: vec![TaskLabels::of_classes(
                "t",
                vec!["a".to_string()],
                (0..count).map(|i| (i % 2 == 0).then_some(0)).collect(),
            )],
            groups: None,
            splits: vec![Split::Train; count],
            paths: (0..count).map(|i| i.to_string()).collect(),
            skipped: Vec::new(),
            unused_tasks: Vec::new(),
        }
    }

    #[test]
    fn training_sees_every_image_at_most_once_per_epoch_in_another_order() {
        let all: Vec<usize> = (0..22).collect();
        let of = |epoch| training_batches(&all, 4, 9, epoch);
        assert_eq!(of(0).len(), 5);
        let mut seen: Vec<usize> = of(0).into_iter().flat_map(|b| b.indices).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 20);
        assert_ne!(of(0), of(1));
        assert_eq!(of(1), of(1));
    }

    #[test]
    fn fewer_images_than_a_batch_still_make_one() {
        let batches = training_batches(&[3, 5, 8], 7, 1, 0);
        assert_eq!((batches.len(), batches[0].indices.len()), (1, 7));
    }

    #[test]
    fn evaluation_pads_the_last_batch() {
        let data = data(5);
        let batches = evaluation_batches(&[0, 1, 2, 4, 3], 3);
        let batches: Vec<Batch> = batches.iter().map(|batch| data.batch(batch, None)).collect();
        assert_eq!(batches.len(), 2);
        assert_eq!((&batches[1].indices[..], batches[1].valid), (&[4, 3, 3][..], 2));
        assert_eq!(batches[1].images, [4.0, 104.0, 3.0, 103.0, 3.0, 103.0]);
        assert_eq!(batches[0].labels, [[Some(0), None, Some(0)]]);
        assert_eq!(batches[1].labels, [[Some(0), None, None]]);
    }

    #[test]
    fn an_epoch_is_the_same_each_time_it_is_made() {
        let (data, augment) = (data(40), Augment::default());
        let of = |epoch| {
            let view = AugmentView { augment: &augment, seed: 3, epoch };
            let batches = training_batches(&(0..40).collect::<Vec<_>>(), 8, 3, epoch);
            batches.iter().map(|batch| data.batch(batch, Some(view))).collect::<Vec<_>>()
        };
        assert_eq!(of(2), of(2));
        assert_ne!(of(2)[0].images, of(3)[0].images);
    }
}
