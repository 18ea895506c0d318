//! Loads a data set: reads its labels, decodes its images, splits it.

use graftlab_images::{ImageShape, MAX_SIDE};

use super::dataset::Dataset;
use super::error::DataError;
use super::labels::{Labels, Row};
use super::source::{Files, Skipped};
use super::split::{self, Split};
use super::tasks::{Expected, map_tasks, name_folder_task};
use crate::platform::decode;

/// Bytes that the pixels of a data set may take: below what one allocation in a browser can hold.
const MAX_PIXEL_BYTES: usize = 1_800_000_000;

/// The same images are always tested on, so that networks of several runs can be compared.
const SPLIT_SEED: u64 = 0;

/// How to load a data set.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    pub shape: ImageShape,
    /// The tasks of the networks. Empty: the tasks and classes are those that the data set names.
    pub tasks: Vec<Expected>,
    /// The splits that must hold images.
    pub needed: &'static [Split],
}

impl LoadOptions {
    /// Images of one shape and the tasks of the networks; every split is needed.
    pub fn new(shape: ImageShape, tasks: Vec<Expected>) -> Self {
        LoadOptions { shape, tasks, needed: &Split::ALL }
    }

    /// The same, where nothing but the test split is needed.
    pub fn to_test(shape: ImageShape, tasks: Vec<Expected>) -> Self {
        LoadOptions { needed: &[Split::Test], ..LoadOptions::new(shape, tasks) }
    }
}

/// Loads a data set in steps, so that a page can answer in between.
#[derive(Debug)]
pub struct Loader {
    files: Files,
    options: LoadOptions,
    rows: Vec<Row>,
    next: usize,
    /// Rows whose image was decoded.
    kept: Vec<usize>,
    groups: Option<Vec<String>>,
    splits: Option<Vec<Split>>,
    data: Dataset,
}

impl Loader {
    /// Reads the labels; no image is decoded yet.
    ///
    /// # Errors
    /// As [`Labels::read`]; a shape that images cannot take; more pixels than memory has room for; labels that are
    /// not classes of the expected tasks; class folders that fit none of them, or several.
    pub fn new(files: Files, options: &LoadOptions) -> Result<Loader, DataError> {
        let shape = options.shape;
        if !shape.is_valid() {
            let ImageShape { channels, height, width } = shape;
            return Err(DataError::BadShape { channels, height, width, limit: MAX_SIDE as usize });
        }
        let mut labels = Labels::read(&files)?;
        let bytes = labels.rows.len().saturating_mul(shape.len());
        if bytes > MAX_PIXEL_BYTES {
            return Err(DataError::TooManyPixels {
                images: labels.rows.len(),
                channels: shape.channels,
                height: shape.height,
                width: shape.width,
                limit_mib: (MAX_PIXEL_BYTES >> 20) as u64,
            });
        }
        // At once: a buffer that grows is copied, and needs up to three times the room.
        let mut pixels = Vec::new();
        pixels
            .try_reserve_exact(bytes)
            .map_err(|_| DataError::NoRoom { images: labels.rows.len(), mib: bytes >> 20 })?;
        name_folder_task(&mut labels, &options.tasks)?;
        let (tasks, unused_tasks) = map_tasks(&labels, &options.tasks)?;
        let mut skipped = files.skipped().to_vec();
        skipped.append(&mut labels.skipped);
        let data = Dataset {
            shape,
            pixels,
            tasks,
            groups: None,
            splits: Vec::new(),
            paths: Vec::new(),
            skipped,
            unused_tasks,
        };
        let (groups, splits) = (labels.groups, labels.splits);
        Ok(Loader {
            files,
            options: options.clone(),
            rows: labels.rows,
            next: 0,
            kept: Vec::new(),
            groups,
            splits,
            data,
        })
    }

    /// Images done, and all of them.
    pub fn progress(&self) -> (usize, usize) {
        (self.next, self.rows.len())
    }

    /// Decodes up to `images` more; false once all are done. What does not decode is listed as skipped.
    pub fn step(&mut self, images: usize) -> bool {
        let until = self.rows.len().min(self.next.saturating_add(images));
        for row in self.next..until {
            let path = self.rows[row].path.clone();
            let bytes = self.files.take(&path).unwrap_or_default();
            match decode(&bytes, self.options.shape) {
                Ok(image) => {
                    self.data.pixels.extend(image);
                    self.data.paths.push(path);
                    self.kept.push(row);
                }
                Err(reason) => self.data.skipped.push(Skipped { path, reason }),
            }
        }
        self.next = until;
        self.next < self.rows.len()
    }

    /// Decodes what is left and splits.
    ///
    /// # Errors
    /// No image that decodes; fewer images than a split needs.
    pub fn finish(mut self) -> Result<Dataset, DataError> {
        while self.step(usize::MAX) {}
        let Loader { kept, mut data, options, .. } = self;
        if kept.is_empty() {
            let first = data.skipped.first().cloned();
            let Skipped { path, reason } =
                first.unwrap_or(Skipped { path: String::new(), reason: String::new() });
            return Err(DataError::NothingDecodes { count: data.skipped.len(), path, reason });
        }
        for task in &mut data.tasks {
            task.labels = kept.iter().map(|&row| task.labels[row]).collect();
        }
        data.groups = self.groups.map(|groups| kept.iter().map(|&row| groups[row].clone()).collect());
        let fixed: Option<Vec<Split>> =
            self.splits.map(|splits| kept.iter().map(|&row| splits[row]).collect());
        data.splits =
            split::assign(kept.len(), fixed.as_deref(), data.groups.as_deref(), SPLIT_SEED, options.needed)?;
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::source::Limits;
    use super::*;
    use crate::task_kind::TaskKind;

    fn png(grey: u8) -> Vec<u8> {
        let image = image::GrayImage::from_pixel(2, 2, image::Luma([grey]));
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, image::ImageFormat::Png).unwrap();
        out.into_inner()
    }

    const GREY2: ImageShape = ImageShape { channels: 1, height: 2, width: 2 };

    fn task(name: &str, classes: &[&str]) -> Expected {
        Expected {
            name: name.to_string(),
            kind: TaskKind::Class,
            classes: classes.iter().map(|c| c.to_string()).collect(),
        }
    }

    /// 20 images `00.png` .. in a folder per class, and the given extra files.
    fn files(classes: &[&str], extra: &[(&str, &[u8])]) -> Files {
        let images =
            (0..20u8).map(|i| (format!("{}/{i:02}.png", classes[i as usize % classes.len()]), png(i)));
        let extra = extra.iter().map(|(name, content)| (name.to_string(), content.to_vec()));
        Files::from_list(images.chain(extra), &Limits::default()).unwrap()
    }

    #[test]
    fn labels_follow_the_order_of_the_network() {
        let options = LoadOptions::new(GREY2, vec![task("pet", &["dog", "cat"]), task("size", &["s"])]);
        let data = Dataset::load(files(&["cat", "dog"], &[]), &options).unwrap();
        assert_eq!(data.paths[0], "cat/00.png");
        assert_eq!(data.task("pet").unwrap().labels[0], Some(1));
        assert_eq!(data.task("size").unwrap().labels[0], None);
        assert_eq!(data.image(data.len() - 1), [19; 4]);
        assert_eq!(data.indices(Split::Train).len(), 12);
        assert_eq!(data.tasks[0].classes, ["dog", "cat"]);
        for class in [Some(0), Some(1)] {
            assert_eq!(data.tasks[0].labels.iter().filter(|label| **label == class).count(), 10);
        }
    }

    #[test]
    fn an_image_that_does_not_decode_is_listed_and_its_labels_go_with_it() {
        let options = LoadOptions::new(GREY2, Vec::new());
        let data = Dataset::load(files(&["cat", "dog"], &[("cat/000.png", b"broken")]), &options).unwrap();
        assert_eq!((data.len(), data.skipped[0].path.as_str()), (20, "cat/000.png"));
        for (path, label) in data.paths.iter().zip(&data.tasks[0].labels) {
            assert_eq!(*label, Some(u32::from(path.starts_with("dog"))), "{path}");
        }
    }

    #[test]
    fn a_table_with_groups_keeps_them_together() {
        let mut table = "file,group,split,kind,extra\n".to_string();
        for i in 0..20 {
            let split = if i < 12 {
                "train"
            } else if i < 16 {
                "validation"
            } else {
                "test"
            };
            table += &format!("x/{i:02}.png,g{},{split},{},?\n", i / 2, i % 12);
        }
        let data = Dataset::load(
            files(&["x"], &[("labels.csv", table.as_bytes())]),
            &LoadOptions::new(GREY2, Vec::new()),
        );
        let data = data.unwrap();
        assert_eq!(data.indices(Split::Architecture).len(), 2);
        let pair = data.indices(Split::Architecture);
        assert_eq!(pair[0] / 2, pair[1] / 2, "both of one group");
        assert_eq!(data.tasks[0].classes[9..], ["9", "10", "11"], "numbers in their order");
        let options = LoadOptions::new(
            GREY2,
            vec![task("kind", &data.tasks[0].classes.iter().map(String::as_str).collect::<Vec<_>>())],
        );
        let data = Dataset::load(files(&["x"], &[("labels.csv", table.as_bytes())]), &options).unwrap();
        assert_eq!(data.unused_tasks, ["extra"]);
    }

    #[test]
    fn unknown_classes_and_folders_that_fit_nothing_are_errors() {
        let load =
            |tasks| Dataset::load(files(&["cat", "cow"], &[]), &LoadOptions::new(GREY2, tasks)).unwrap_err();
        let error = load(vec![task("pet", &["cat", "dog"])]).to_string();
        assert!(
            error.starts_with("`cow` (the folder of cow/01.png) is not a class of the task `pet`"),
            "{error}"
        );
        let error = load(vec![task("pet", &["cat", "dog"]), task("farm", &["cow"])]);
        assert!(matches!(error, DataError::FoldersFitNoTask { .. }));
        let error = load(vec![task("a", &["cat", "cow"]), task("b", &["cow", "cat"])]).to_string();
        assert!(error.contains("could be classes of a or b"), "{error}");
    }

    #[test]
    fn steps_give_the_same_as_one_go() {
        let options = LoadOptions::new(GREY2, Vec::new());
        let mut loader = Loader::new(files(&["a", "b"], &[]), &options).unwrap();
        assert!(loader.step(7));
        assert_eq!(loader.progress(), (7, 20));
        let steps = loader.finish().unwrap();
        assert_eq!(steps, Dataset::load(files(&["a", "b"], &[]), &options).unwrap());
    }

    #[test]
    fn nothing_that_decodes_is_an_error() {
        let files = Files::from_list([("a.png".to_string(), b"x".to_vec())], &Limits::default()).unwrap();
        let error = Dataset::load(files, &LoadOptions::new(GREY2, Vec::new())).unwrap_err();
        assert!(matches!(error, DataError::NothingDecodes { count: 1, .. }));
    }
}
