//! Reading what the command line names.

use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::data::Files;
use crate::data::source::Limits;
use crate::project::SkippedFile;

/// The bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path)
        .map_err(|error| Failure::BadInput(format!("{}: {error}. Hint: check the path", path.display())))
}

/// Makes a folder for results, unless it is there.
pub fn make_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| {
        Failure::BadInput(format!("{}: {error}. Hint: choose a folder that can be written", path.display()))
    })
}

/// Lists the files of a data set that were left out.
pub fn tell_skipped(files: &[SkippedFile]) {
    for file in files {
        eprintln!("skipped {}: {}", file.path, file.reason);
    }
}

/// Writes a file, its folder made first.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, bytes).map_err(failed)
}

/// Images and labels of a zip or of a folder with all folders below it.
pub fn read_data(path: &Path) -> Result<Files, Failure> {
    let bad = |error: crate::data::DataError| Failure::BadInput(format!("{}: {error}", path.display()));
    if !path.is_dir() {
        return Files::from_zip(&read(path)?, &Limits::default()).map_err(bad);
    }
    let mut names = Vec::new();
    walk(path, &mut names)?;
    names.sort();
    let mut list = Vec::new();
    for name in names {
        let relative = name.strip_prefix(path).unwrap_or(&name).to_string_lossy().replace('\\', "/");
        list.push((relative, read(&name)?));
    }
    Files::from_list(list, &Limits::default()).map_err(bad)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let bad = |error: std::io::Error| {
        Failure::BadInput(format!("{}: {error}. Hint: choose a folder that can be read", folder.display()))
    };
    for entry in fs::read_dir(folder).map_err(bad)? {
        let path = entry.map_err(bad)?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.file_name().is_some_and(|name| Files::wants(&name.to_string_lossy())) {
            found.push(path);
        }
    }
    Ok(())
}
