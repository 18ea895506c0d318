//! Which images train weights, which the architecture, which choose and which judge.

use graftlab_images::rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::error::DataError;

/// The part that an image plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Trains weights.
    Train,
    /// Trains the choice of architecture.
    Architecture,
    /// Compares plans and settings.
    Validation,
    /// Judges the result, once.
    Test,
}

impl Split {
    pub const ALL: [Split; 4] = [Split::Train, Split::Architecture, Split::Validation, Split::Test];

    /// The split that a cell of a `split` column or a folder name asks for.
    pub fn parse(text: &str) -> Option<Split> {
        match text.trim().to_ascii_lowercase().as_str() {
            "train" | "training" => Some(Split::Train),
            "architecture" => Some(Split::Architecture),
            "validation" | "valid" | "val" => Some(Split::Validation),
            "test" => Some(Split::Test),
            _ => None,
        }
    }
}

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Split::Train => "train",
            Split::Architecture => "architecture",
            Split::Validation => "validation",
            Split::Test => "test",
        })
    }
}

/// Shares of the images (or groups) that the splits get.
const SHARES: [(Split, f64); 4] =
    [(Split::Train, 0.6), (Split::Architecture, 0.1), (Split::Validation, 0.15), (Split::Test, 0.15)];

/// The fewest images of a split that something is done with.
const LEAST: usize = 2;

/// Assigns every image to a split; the same for the same input and seed.
///
/// - `fixed`: the split that the data set itself names per image. `Train` is then divided between weights and
///   architecture in the ratio of their shares, unless some image is fixed to `Architecture`.
/// - `groups`: images of one group stay together (within what `fixed` allows).
/// - `needed`: the splits that must hold images.
///
/// # Errors
/// A needed split with fewer than two images.
pub fn assign(
    count: usize,
    fixed: Option<&[Split]>,
    groups: Option<&[String]>,
    seed: u64,
    needed: &[Split],
) -> Result<Vec<Split>, DataError> {
    let mut splits = fixed.map_or_else(|| vec![Split::Train; count], <[Split]>::to_vec);
    let (members, into): (Vec<usize>, &[(Split, f64)]) =
        if !splits.contains(&Split::Architecture) && fixed.is_some() {
            ((0..count).filter(|&i| splits[i] == Split::Train).collect(), &SHARES[..2])
        } else if fixed.is_some() {
            (Vec::new(), &[])
        } else {
            ((0..count).collect(), &SHARES)
        };
    divide(&mut splits, &members, groups, into, seed);
    for split in needed {
        let have = splits.iter().filter(|s| *s == split).count();
        if have < LEAST {
            let unit = if groups.is_some() && fixed.is_none() { "images in whole groups" } else { "images" };
            return Err(DataError::TooFewImages { split: *split, have, need: LEAST, unit });
        }
    }
    Ok(splits)
}

/// Divides `members` among the splits of `into`: group by group, large groups first, each to the split that
/// is furthest from its share.
fn divide(
    splits: &mut [Split],
    members: &[usize],
    groups: Option<&[String]>,
    into: &[(Split, f64)],
    seed: u64,
) {
    let total: f64 = into.iter().map(|(_, share)| share).sum();
    let mut blocks = blocks(members, groups);
    blocks.shuffle(&mut rng::stream(seed, rng::SPLIT));
    blocks.sort_by_key(|block| std::cmp::Reverse(block.len()));
    let mut filled = vec![0usize; into.len()];
    let count = blocks.len();
    for (at, block) in blocks.into_iter().enumerate() {
        let missing = |k: usize| into[k].1 / total * members.len() as f64 - filled[k] as f64;
        // The last groups go to the splits that are still empty.
        let empty: Vec<usize> = (0..into.len()).filter(|&k| filled[k] == 0).collect();
        let open = if count - at <= empty.len() { empty } else { (0..into.len()).collect() };
        // On equal terms the first split wins; there is at least one, for `members` is empty otherwise.
        let Some(best) = open.into_iter().reduce(|a, b| if missing(b) > missing(a) { b } else { a }) else {
            return;
        };
        filled[best] += block.len();
        for image in block {
            splits[image] = into[best].0;
        }
    }
}

/// The images of each group, in the order of their first image; without groups each image by itself.
fn blocks(members: &[usize], groups: Option<&[String]>) -> Vec<Vec<usize>> {
    let Some(groups) = groups else { return members.iter().map(|&i| vec![i]).collect() };
    let mut order: Vec<Vec<usize>> = Vec::new();
    let mut place = std::collections::HashMap::new();
    for &image in members {
        let at = *place.entry(groups[image].as_str()).or_insert_with(|| {
            order.push(Vec::new());
            order.len() - 1
        });
        order[at].push(image);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(splits: &[Split]) -> [usize; 4] {
        Split::ALL.map(|split| splits.iter().filter(|s| **s == split).count())
    }

    #[test]
    fn fractions_are_met_and_the_seed_decides() {
        let of = |seed| assign(1000, None, None, seed, &Split::ALL).unwrap();
        assert_eq!(count(&of(1)), [600, 100, 150, 150]);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn a_group_is_never_torn_apart() {
        let groups: Vec<String> = (0..400).map(|i| format!("g{}", i % 23)).collect();
        let splits = assign(400, None, Some(&groups), 5, &Split::ALL).unwrap();
        for (i, j) in (0..400).flat_map(|i| (0..i).map(move |j| (i, j))) {
            assert!(groups[i] != groups[j] || splits[i] == splits[j]);
        }
        let [train, ..] = count(&splits);
        assert!((200..=280).contains(&train), "near 60 %: {train}");
    }

    #[test]
    fn as_many_groups_as_splits_give_one_to_each() {
        let groups: Vec<String> = (0..40).map(|i| format!("g{}", i / 10)).collect();
        let splits = assign(40, None, Some(&groups), 5, &Split::ALL).unwrap();
        assert_eq!(count(&splits), [10; 4]);
    }

    #[test]
    fn a_split_column_is_kept_and_train_divided() {
        let fixed: Vec<Split> = (0..140)
            .map(|i| {
                if i < 70 {
                    Split::Train
                } else if i < 100 {
                    Split::Validation
                } else {
                    Split::Test
                }
            })
            .collect();
        let splits = assign(140, Some(&fixed), None, 3, &Split::ALL).unwrap();
        assert_eq!(count(&splits), [60, 10, 30, 40]);
        assert_eq!(splits[70..], fixed[70..]);
    }

    #[test]
    fn too_few_images_are_named() {
        let error = assign(9, None, None, 1, &Split::ALL).unwrap_err();
        assert_eq!(
            error,
            DataError::TooFewImages { split: Split::Architecture, have: 1, need: 2, unit: "images" }
        );
        let groups = vec!["one".to_string(); 50];
        assert!(matches!(
            assign(50, None, Some(&groups), 1, &Split::ALL),
            Err(DataError::TooFewImages { have: 0, .. })
        ));
    }

    #[test]
    fn a_split_that_nothing_is_done_with_may_be_empty() {
        let fixed = [Split::Test; 5];
        assert_eq!(assign(5, Some(&fixed), None, 1, &[Split::Test]).unwrap(), fixed);
        assert!(assign(5, Some(&fixed), None, 1, &Split::ALL).is_err());
    }
}
