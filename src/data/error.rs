//! What can be wrong with data that someone brings; each message ends with what to do about it.

use super::split::Split;

/// What is wrong with the data, where, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    #[error(
        "this is not a zip archive that can be read ({reason}). Hint: pack the images and labels.csv into a plain zip"
    )]
    NotAZip { reason: String },
    #[error(
        "the archive has {count} entries, more than {limit}. Hint: split it, or leave out files that are not images"
    )]
    TooManyFiles { count: usize, limit: usize },
    #[error(
        "the archive unpacks to more than {limit_mib} MiB. Hint: bring fewer images, or make them smaller first"
    )]
    TooLarge { limit_mib: u64 },
    #[error(
        "{images} images of {channels}×{height}×{width} need more than {limit_mib} MiB. Hint: bring fewer images, or use \
         networks with a smaller input"
    )]
    TooManyPixels { images: usize, channels: usize, height: usize, width: usize, limit_mib: u64 },
    #[error(
        "there is no room in memory for {images} images, which need {mib} MiB. Hint: close what is not needed, bring fewer \
         images, or use networks with a smaller input"
    )]
    NoRoom { images: usize, mib: usize },
    #[error(
        "an image input of {channels}×{height}×{width} (channels × height × width) cannot be filled from image \
             files. Hint: use networks with 1 or 3 channels and a size of 1 to {limit} pixels a side"
    )]
    BadShape { channels: usize, height: usize, width: usize, limit: usize },
    #[error("there are no images here ({found} other files). Hint: bring PNG, JPEG, WebP, BMP or GIF files")]
    NoImages { found: usize },
    #[error(
        "none of the {count} images can be decoded; the first is {path}: {reason}. Hint: save them again as PNG or JPEG"
    )]
    NothingDecodes { count: usize, path: String, reason: String },
    #[error("this is no image that can be read ({reason}). Hint: take a PNG, JPEG, WebP, BMP or GIF file")]
    NotAnImage { reason: String },
    #[error("there is more than one label table: {}. Hint: keep one and delete or rename the others", .paths.join(", "))]
    ManyTables { paths: Vec<String> },
    #[error("{table} cannot be read as a table ({reason}). Hint: save it as UTF-8 text with one header row")]
    BadTable { table: String, reason: String },
    #[error(
        "{table} has no column `file`; its columns are {}. Hint: name the column that holds the image paths `file`",
        .columns.join(", ")
    )]
    NoFileColumn { table: String, columns: Vec<String> },
    #[error("{table} has the column `{column}` twice. Hint: rename or delete one")]
    DuplicateColumn { table: String, column: String },
    #[error(
        "{table} has {count} file(s) in more than one row, first {file} (rows {first} and {second}). Hint: keep one row each"
    )]
    DuplicateRows { table: String, count: usize, file: String, first: usize, second: usize },
    #[error(
        "{table} names {count} file(s) that are not here, such as {}. Hint: paths are relative to the table's folder and \
         case matters; add the files or delete the rows",
        .examples.join(", ")
    )]
    MissingFiles { table: String, count: usize, examples: Vec<String> },
    #[error(
        "{table}, row {row}: `{value}` is not a split. Hint: write train, architecture, validation or test"
    )]
    UnknownSplit { table: String, row: usize, value: String },
    #[error(
        "`{value}` ({place}) is not a class of the task `{task}`, whose network knows {}. Hint: correct the label, or leave \
         it empty",
        list(.classes)
    )]
    UnknownClass { task: String, value: String, place: String, classes: Vec<String> },
    #[error(
        "{place}: `{value}` is no value of `{task}`. Hint: write {count} number(s), with `;` between them, or leave the cell empty"
    )]
    BadValues { task: String, value: String, place: String, count: usize },
    #[error(
        "the folders {} could be classes of {}. Hint: bring a labels.csv with a column per task",
        list(.folders), one_of(.tasks)
    )]
    FoldersFitNoTask { folders: Vec<String>, tasks: Vec<String> },
    #[error(
        "the {split} split would hold {have} {unit}, and it needs {need}. Hint: bring more {unit}, or change the \
         split column"
    )]
    TooFewImages { split: Split, have: usize, need: usize, unit: &'static str },
}

/// The first names of a list, and how many more there are.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}

/// Task names joined by "or", or that there is none.
fn one_of(tasks: &[String]) -> String {
    if tasks.is_empty() { "no task of these networks".to_string() } else { tasks.join(" or ") }
}
