//! Files of a data set: unpacked from a zip, or given as a list. All of it is hostile input.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use serde::Serialize;

use super::error::DataError;

/// Bounds on what an archive may make us hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Entries of the archive, of whatever kind.
    pub entries: usize,
    /// Unpacked bytes of all images and tables together.
    pub total_bytes: u64,
    /// Unpacked bytes of one file; a longer one is skipped.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { entries: 200_000, total_bytes: 1 << 30, file_bytes: 64 << 20 }
    }
}

/// A file that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    pub path: String,
    pub reason: String,
}

/// The images and label tables of a data set, in the order of their paths.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// Bytes by path; paths use `/`, have no `.` or `..`, and do not begin with `/`.
    files: BTreeMap<String, Vec<u8>>,
    /// Images that could not be unpacked.
    skipped: Vec<Skipped>,
    /// Files that are neither images nor label tables.
    others: usize,
}

impl Files {
    /// The files of a zip archive.
    ///
    /// Only images and label tables are unpacked. Folders, links, hidden files, `__MACOSX` and paths that
    /// lead out of the archive are ignored; an image that cannot be unpacked is listed as skipped.
    ///
    /// # Errors
    /// Not a zip; more entries or more unpacked bytes than `limits` allow.
    pub fn from_zip(bytes: &[u8], limits: &Limits) -> Result<Files, DataError> {
        let bad = |e: zip::result::ZipError| DataError::NotAZip { reason: e.to_string() };
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(bad)?;
        if archive.len() > limits.entries {
            return Err(DataError::TooManyFiles { count: archive.len(), limit: limits.entries });
        }
        let mut files = Files::default();
        let mut left = limits.total_bytes;
        for index in 0..archive.len() {
            // Raw first: the name must be known even where the content cannot be unpacked.
            let entry = archive.by_index_raw(index).map_err(bad)?;
            let name = entry.name().map_err(bad)?.into_owned();
            let (is_file, declared) = (entry.is_file(), entry.size());
            drop(entry);
            let Some(path) = clean_path(&name).filter(|_| is_file) else { continue };
            if !is_image(&path) && !is_table(&path) {
                files.others += 1;
                continue;
            }
            if declared > limits.file_bytes {
                files.skip(path, format!("larger than {} MiB", limits.file_bytes >> 20));
                continue;
            }
            match unpack(&mut archive, index, left.min(limits.file_bytes)) {
                Ok(Some(content)) => {
                    left -= content.len() as u64;
                    files.add(path, content);
                }
                Ok(None) => return Err(DataError::TooLarge { limit_mib: limits.total_bytes >> 20 }),
                Err(reason) => files.skip(path, reason),
            }
        }
        Ok(files)
    }

    /// Files given one by one: a folder, or files dropped on a page. The same files are kept as of a zip.
    ///
    /// # Errors
    /// More files or bytes than `limits` allow.
    pub fn from_list(
        list: impl IntoIterator<Item = (String, Vec<u8>)>,
        limits: &Limits,
    ) -> Result<Files, DataError> {
        let mut files = Files::default();
        let (mut count, mut total) = (0, 0u64);
        for (name, content) in list {
            count += 1;
            if count > limits.entries {
                return Err(DataError::TooManyFiles { count, limit: limits.entries });
            }
            let Some(path) = clean_path(&name) else { continue };
            if !is_image(&path) && !is_table(&path) {
                files.others += 1;
                continue;
            }
            if content.len() as u64 > limits.file_bytes {
                files.skip(path, format!("larger than {} MiB", limits.file_bytes >> 20));
                continue;
            }
            total += content.len() as u64;
            if total > limits.total_bytes {
                return Err(DataError::TooLarge { limit_mib: limits.total_bytes >> 20 });
            }
            files.add(path, content);
        }
        Ok(files)
    }

    /// Whether a file of this name would be kept, so that a caller need not read the others.
    pub fn wants(name: &str) -> bool {
        clean_path(name).is_some_and(|path| is_image(&path) || is_table(&path))
    }

    /// Paths of all images, those that could not be unpacked left out.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str).filter(|path| is_image(path))
    }

    /// Paths of all label tables.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str).filter(|path| is_table(path))
    }

    /// The content of a file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// Takes a file's content out, which frees it once it is used.
    pub fn take(&mut self, path: &str) -> Option<Vec<u8>> {
        self.files.remove(path)
    }

    /// Images that could not be unpacked.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// How many files are neither images nor label tables.
    pub fn others(&self) -> usize {
        self.others
    }

    /// The first file of a path counts: an archive may name one twice.
    fn add(&mut self, path: String, content: Vec<u8>) {
        self.files.entry(path).or_insert(content);
    }

    fn skip(&mut self, path: String, reason: String) {
        self.skipped.push(Skipped { path, reason });
    }
}

/// Unpacks one entry, or `None` where it is longer than `limit`. The declared size is not believed.
fn unpack(
    archive: &mut zip::ZipArchive<Cursor<&[u8]>>,
    index: usize,
    limit: u64,
) -> Result<Option<Vec<u8>>, String> {
    let entry = archive.by_index(index).map_err(|e| format!("cannot be unpacked: {e}"))?;
    let mut content = Vec::new();
    entry.take(limit + 1).read_to_end(&mut content).map_err(|e| format!("cannot be unpacked: {e}"))?;
    Ok((content.len() as u64 <= limit).then_some(content))
}

/// The path with `/` between its parts; `None` for one that is hidden, empty, or leads out of its root.
pub(super) fn clean_path(name: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in name.split(['/', '\\']) {
        match part {
            "" | "." => {}
            "__MACOSX" => return None,
            hidden if hidden.starts_with('.') => return None,
            part if part.contains('\0') => return None,
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn is_image(path: &str) -> bool {
    let extension = path.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    matches!(extension.as_deref(), Some("png" | "jpg" | "jpeg" | "webp" | "bmp" | "gif"))
}

fn is_table(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.eq_ignore_ascii_case("labels.csv") || name.eq_ignore_ascii_case("labels.tsv")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_zip_gives_its_images_and_tables_only() {
        let bytes = zip_of(&[
            ("b.png", b"b"),
            ("set/a.JPG", b"a"),
            ("set/labels.csv", b"file"),
            ("readme.txt", b"hello"),
            ("__MACOSX/b.png", b"x"),
            ("set/._a.jpg", b"x"),
            ("../../evil.png", b"x"),
        ]);
        let files = Files::from_zip(&bytes, &Limits::default()).unwrap();
        assert_eq!(files.images().collect::<Vec<_>>(), ["b.png", "set/a.JPG"]);
        assert_eq!(files.tables().collect::<Vec<_>>(), ["set/labels.csv"]);
        assert_eq!(files.others(), 1);
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let bytes = zip_of(&[("a.bmp", &vec![0; 3 << 20]), ("b.bmp", &vec![0; 3 << 20])]);
        assert!(bytes.len() < 100_000, "the archive itself is small");
        let limits = Limits { total_bytes: 4 << 20, ..Limits::default() };
        assert_eq!(Files::from_zip(&bytes, &limits).unwrap_err(), DataError::TooLarge { limit_mib: 4 });
        let limits = Limits { entries: 1, ..Limits::default() };
        assert_eq!(
            Files::from_zip(&bytes, &limits).unwrap_err(),
            DataError::TooManyFiles { count: 2, limit: 1 }
        );
        let limits = Limits { file_bytes: 1 << 20, ..Limits::default() };
        assert_eq!(Files::from_zip(&bytes, &limits).unwrap().skipped().len(), 2);
    }

    #[test]
    fn a_damaged_entry_is_listed_and_the_others_kept() {
        let mut bytes = zip_of(&[("a.png", &[7; 400]), ("b.png", &[8; 400])]);
        // The first local header is 30 bytes and the name; behind it lies the packed content.
        bytes[37] ^= 0xff;
        let files = Files::from_zip(&bytes, &Limits::default()).unwrap();
        assert_eq!(files.images().collect::<Vec<_>>(), ["b.png"]);
        assert_eq!(files.skipped()[0].path, "a.png");
    }

    #[test]
    fn bytes_that_are_no_zip_are_said_to_be_none() {
        assert!(matches!(Files::from_zip(b"not a zip", &Limits::default()), Err(DataError::NotAZip { .. })));
    }

    #[test]
    fn a_list_of_files_is_treated_like_a_zip() {
        let list = [("x\\a.png", 1), (".hidden.png", 2), ("/abs/b.gif", 3), ("note.md", 4)];
        let list = list.map(|(name, byte)| (name.to_string(), vec![byte]));
        let files = Files::from_list(list, &Limits::default()).unwrap();
        assert_eq!(files.images().collect::<Vec<_>>(), ["abs/b.gif", "x/a.png"]);
    }
}
