//! Labels of a data set: from a table, from class folders, or none.

use std::collections::{BTreeSet, HashMap};

use super::error::DataError;
use super::source::{Files, Skipped, clean_path};
use super::split::Split;
use super::table;

/// One image and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub path: String,
    /// One label per task; `None` where it is not labelled.
    pub labels: Vec<Option<String>>,
    /// Where the labels stand, for messages.
    pub place: String,
}

/// All images with their labels, as the data set says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    pub tasks: Vec<String>,
    pub rows: Vec<Row>,
    /// The group of each row, where there is a `group` column. An empty cell is a group of its own.
    pub groups: Option<Vec<String>>,
    /// The split of each row, where there is a `split` column or the folders are splits.
    pub splits: Option<Vec<Split>>,
    /// Images that are left out because the table does not name them.
    pub skipped: Vec<Skipped>,
}

impl Labels {
    /// Reads the labels of `files`.
    ///
    /// With a `labels.csv` or `labels.tsv`: a column `file` (paths relative to the table), an optional `group`,
    /// an optional `split`, and one column per task; an empty cell is "not labelled". Images that the table
    /// does not name are left out. Without a table, two or more folders below the common root are the classes
    /// of one task, which is named `label` here; folders `train`, `validation`, `test` above them fix the
    /// split. Everything else is images alone.
    ///
    /// # Errors
    /// No images; several tables; a table without `file`, with a column or a file twice, with files that are
    /// not there, or with an unknown split.
    pub fn read(files: &Files) -> Result<Labels, DataError> {
        if files.images().next().is_none() && files.skipped().is_empty() {
            return Err(DataError::NoImages { found: files.others() + files.tables().count() });
        }
        let tables: Vec<&str> = files.tables().collect();
        match tables[..] {
            [] => Ok(from_folders(files)),
            [table] => from_table(files, table),
            _ => Err(DataError::ManyTables { paths: tables.into_iter().map(str::to_string).collect() }),
        }
    }

    /// The distinct labels of one task, sorted.
    pub fn classes(&self, task: usize) -> Vec<String> {
        let classes: BTreeSet<&String> =
            self.rows.iter().filter_map(|row| row.labels[task].as_ref()).collect();
        classes.into_iter().cloned().collect()
    }
}

/// Which column of a table means what.
struct Columns {
    file: usize,
    group: Option<usize>,
    split: Option<usize>,
    tasks: Vec<(usize, String)>,
}

impl Columns {
    fn read(table: &str, header: &csv::StringRecord) -> Result<Columns, DataError> {
        let names: Vec<String> = header.iter().map(|name| name.trim().to_string()).collect();
        let mut columns = Columns { file: usize::MAX, group: None, split: None, tasks: Vec::new() };
        let mut seen = BTreeSet::new();
        for (at, name) in names.iter().enumerate() {
            if !name.is_empty() && !seen.insert(name.to_lowercase()) {
                return Err(DataError::DuplicateColumn { table: table.to_string(), column: name.clone() });
            }
            match name.to_ascii_lowercase().as_str() {
                "file" => columns.file = at,
                "group" => columns.group = Some(at),
                "split" => columns.split = Some(at),
                "" => {}
                _ => columns.tasks.push((at, name.clone())),
            }
        }
        if columns.file == usize::MAX {
            return Err(DataError::NoFileColumn { table: table.to_string(), columns: names });
        }
        Ok(columns)
    }
}

fn from_table(files: &Files, name: &str) -> Result<Labels, DataError> {
    let bad = |reason: String| DataError::BadTable { table: name.to_string(), reason };
    let text = table::text(files.get(name).unwrap_or_default()).map_err(bad)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(table::separator(&text))
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| bad(e.to_string()))?.clone();
    let columns = Columns::read(name, &header)?;
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);

    let mut labels =
        Labels { tasks: columns.tasks.iter().map(|(_, n)| n.clone()).collect(), ..Labels::default() };
    let (mut groups, mut splits) = (Vec::new(), Vec::new());
    let unreadable: BTreeSet<&str> = files.skipped().iter().map(|s| s.path.as_str()).collect();
    let mut first_row: HashMap<String, usize> = HashMap::new();
    let (mut missing, mut repeated) = (Vec::new(), Vec::new());
    for (at, record) in reader.records().enumerate() {
        let row = at + 2;
        let record = record.map_err(|e| bad(e.to_string()))?;
        let cell = |at: usize| record.get(at).map(str::trim).filter(|cell| !cell.is_empty());
        let Some(file) = cell(columns.file) else {
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            return Err(bad(format!("row {row} has no file")));
        };
        let path = clean_path(&format!("{folder}/{file}")).unwrap_or_else(|| file.to_string());
        if let Some(first) = first_row.insert(path.clone(), row) {
            repeated.push((file.to_string(), first, row));
            continue;
        }
        if files.get(&path).is_none() {
            if !unreadable.contains(path.as_str()) {
                missing.push(file.to_string());
            }
            continue;
        }
        if let Some(column) = columns.split {
            let value = cell(column).unwrap_or_default();
            let split = Split::parse(value).ok_or_else(|| DataError::UnknownSplit {
                table: name.to_string(),
                row,
                value: value.to_string(),
            })?;
            splits.push(split);
        }
        if let Some(column) = columns.group {
            groups.push(cell(column).unwrap_or(&path).to_string());
        }
        let cells = columns.tasks.iter().map(|(at, _)| cell(*at).map(str::to_string)).collect();
        labels.rows.push(Row { path, labels: cells, place: format!("{name}, row {row}") });
    }
    if let Some((file, first, second)) = repeated.first().cloned() {
        let (table, count) = (name.to_string(), repeated.len());
        return Err(DataError::DuplicateRows { table, count, file, first, second });
    }
    if !missing.is_empty() {
        let (table, count) = (name.to_string(), missing.len());
        missing.truncate(3);
        return Err(DataError::MissingFiles { table, count, examples: missing });
    }
    if labels.rows.is_empty() && files.skipped().is_empty() {
        return Err(bad("it has no rows".to_string()));
    }
    labels.skipped = files
        .images()
        .filter(|path| !first_row.contains_key(*path))
        .map(|path| Skipped {
            path: path.to_string(),
            reason: format!("{name} has no row for it (a row with empty cells uses it without labels)"),
        })
        .collect();
    labels.groups = columns.group.map(|_| groups);
    labels.splits = columns.split.map(|_| splits);
    Ok(labels)
}

/// The folders of a path, without its file name.
fn folders(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    parts
}

fn from_folders(files: &Files) -> Labels {
    let paths: Vec<&str> = files.images().collect();
    let mut all: Vec<Vec<&str>> = paths.iter().map(|path| folders(path)).collect();
    let root = common_root(&all);
    for parts in &mut all {
        parts.drain(..root);
    }
    let splits: Option<Vec<Split>> = all.iter().map(|parts| Split::parse(parts.first()?)).collect();
    // One split alone says nothing: its folder would have been part of the common root.
    let splits = splits.filter(|splits| splits.iter().any(|split| Some(split) != splits.first()));
    if splits.is_some() {
        for parts in &mut all {
            parts.remove(0);
        }
    }
    let names: Option<Vec<&str>> = all.iter().map(|parts| parts.first().copied()).collect();
    let names = names.filter(|names| names.iter().collect::<BTreeSet<_>>().len() > 1);
    let rows = paths.iter().enumerate().map(|(at, path)| Row {
        path: path.to_string(),
        labels: names.iter().map(|names| Some(names[at].to_string())).collect(),
        place: format!("the folder of {path}"),
    });
    let rows = rows.collect();
    let tasks = names.iter().map(|_| FOLDER_TASK.to_string()).collect();
    Labels { tasks, rows, groups: None, splits, skipped: Vec::new() }
}

/// Name of the task that class folders label, until a network or the caller names it.
pub const FOLDER_TASK: &str = "label";

/// How many leading folders all paths share.
fn common_root(all: &[Vec<&str>]) -> usize {
    let Some(first) = all.first() else { return 0 };
    (0..first.len()).take_while(|&depth| all.iter().all(|parts| parts.get(depth) == first.get(depth))).count()
}

#[cfg(test)]
mod tests {
    use super::super::source::Limits;
    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        let list = list.iter().map(|(name, content)| (name.to_string(), content.as_bytes().to_vec()));
        Files::from_list(list, &Limits::default()).unwrap()
    }

    #[test]
    fn a_table_labels_several_tasks_and_leaves_gaps() {
        let table =
            "\u{feff}file,Split,group,shape,colour\na.png,train,g1,round,red\nsub/b.png,test,g2,,blue\n\n";
        let labels = Labels::read(&files(&[
            ("set/labels.csv", table),
            ("set/a.png", ""),
            ("set/sub/b.png", ""),
            ("set/c.png", ""),
        ]))
        .unwrap();
        assert_eq!(labels.tasks, ["shape", "colour"]);
        assert_eq!(labels.rows[1].path, "set/sub/b.png");
        assert_eq!(labels.rows[1].labels, [None, Some("blue".to_string())]);
        assert_eq!(labels.splits, Some(vec![Split::Train, Split::Test]));
        assert_eq!(labels.groups, Some(vec!["g1".to_string(), "g2".to_string()]));
        assert_eq!(labels.skipped[0].path, "set/c.png");
    }

    #[test]
    fn tabs_separate_a_tsv() {
        let labels =
            Labels::read(&files(&[("labels.tsv", "file\tname\na.png\tx, y\n"), ("a.png", "")])).unwrap();
        assert_eq!(labels.rows[0].labels, [Some("x, y".to_string())]);
    }

    #[test]
    fn mistakes_in_a_table_are_named() {
        let read = |table: &str| Labels::read(&files(&[("labels.csv", table), ("a.png", "")])).unwrap_err();
        assert!(
            read("name,label\na.png,x\n")
                .to_string()
                .contains("no column `file`; its columns are name, label")
        );
        assert!(read("file,x\na.png,1\nb.png,2\nc.png,2\n").to_string().contains("names 2 file(s)"));
        let twice = read("file,x\na.png,1\n./a.png,2\n").to_string();
        assert!(twice.contains("a.png (rows 2 and 3)"), "{twice}");
        assert!(read("file,split\na.png,later\n").to_string().contains("row 2: `later` is not a split"));
        assert!(read("file,x,x\na.png,1,2\n").to_string().contains("the column `x` twice"));
    }

    #[test]
    fn folders_are_classes_and_splits() {
        let labels = Labels::read(&files(&[
            ("set/train/cat/1.png", ""),
            ("set/train/dog/2.png", ""),
            ("set/test/cat/more/3.png", ""),
        ]))
        .unwrap();
        assert_eq!(labels.tasks, [FOLDER_TASK]);
        assert_eq!(labels.classes(0), ["cat", "dog"]);
        assert_eq!(labels.splits, Some(vec![Split::Test, Split::Train, Split::Train]));
    }

    #[test]
    fn images_in_one_folder_or_loose_are_unlabelled() {
        for list in [&[("pics/a.png", ""), ("pics/b.png", "")], &[("a.png", ""), ("more/b.png", "")]] {
            let labels = Labels::read(&files(list)).unwrap();
            assert_eq!((labels.tasks.len(), labels.rows.len()), (0, 2));
        }
    }

    #[test]
    fn no_images_at_all_is_an_error() {
        assert_eq!(Labels::read(&files(&[("notes.txt", "")])), Err(DataError::NoImages { found: 1 }));
    }
}
