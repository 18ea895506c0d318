//! Matches the labels of a data set with the tasks of the networks.

use serde::{Deserialize, Serialize};

use super::dataset::TaskLabels;
use super::error::DataError;
use super::labels::{FOLDER_TASK, Labels};
use crate::task_kind::TaskKind;

/// A task that a network knows, with its classes in the order of the network's outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    pub name: String,
    #[serde(default)]
    pub kind: TaskKind,
    pub classes: Vec<String>,
}

/// Finds which of the expected tasks the class folders label.
///
/// # Errors
/// The folders could be classes of several tasks, or of none of several.
pub fn name_folder_task(labels: &mut Labels, expected: &[Expected]) -> Result<(), DataError> {
    if labels.tasks != [FOLDER_TASK]
        || labels.groups.is_some()
        || expected.iter().any(|task| task.name == FOLDER_TASK)
    {
        return Ok(());
    }
    let folders = labels.classes(0);
    let fits = |task: &&Expected| folders.iter().all(|folder| task.classes.contains(folder));
    let fitting: Vec<&Expected> = expected.iter().filter(fits).collect();
    match (&fitting[..], expected) {
        (_, []) => {}
        ([task], _) => labels.tasks = vec![task.name.clone()],
        // The message about an unknown class will say more.
        ([], [task]) => labels.tasks = vec![task.name.clone()],
        _ => {
            let tasks = fitting.iter().map(|task| task.name.clone()).collect();
            return Err(DataError::FoldersFitNoTask { folders, tasks });
        }
    }
    Ok(())
}

/// Labels as class indices: of the expected tasks, or of those that the data set names. Beside them the names of tasks
/// that no network knows.
///
/// # Errors
/// A label that is not of its task's kind.
pub fn map_tasks(
    labels: &Labels,
    expected: &[Expected],
) -> Result<(Vec<TaskLabels>, Vec<String>), DataError> {
    let own: Vec<Expected>;
    let wanted = if expected.is_empty() {
        let named = labels.tasks.iter().enumerate();
        own = named
            .map(|(at, name)| Expected {
                name: name.clone(),
                kind: TaskKind::Class,
                classes: ordered(labels.classes(at)),
            })
            .collect();
        &own
    } else {
        expected
    };
    let mut used = vec![false; labels.tasks.len()];
    let mut tasks = Vec::with_capacity(wanted.len());
    for task in wanted {
        let column = labels.tasks.iter().position(|name| *name == task.name);
        let column =
            column.or_else(|| labels.tasks.iter().position(|name| name.eq_ignore_ascii_case(&task.name)));
        let mut known =
            TaskLabels::of_classes(&task.name, task.classes.clone(), vec![None; labels.rows.len()]);
        known.kind = task.kind;
        if task.kind != TaskKind::Class {
            known.targets.clear();
        }
        if let Some(column) = column {
            used[column] = true;
            let TaskLabels { labels: found, targets, .. } = &mut known;
            for (row, label) in labels.rows.iter().zip(found) {
                let Some(cell) = &row.labels[column] else { continue };
                let target = task.kind.target(cell, &task.classes);
                let target = target.map_err(|value| fault(task, value, row.place.clone()))?;
                // Numbers are hardly ever the same twice.
                let place =
                    targets.iter().position(|other| *other == target && task.kind != TaskKind::Values);
                *label = Some(place.unwrap_or(targets.len()) as u32);
                if place.is_none() {
                    targets.push(target);
                }
            }
        }
        tasks.push(known);
    }
    let unused =
        labels.tasks.iter().zip(used).filter(|(_, used)| !used).map(|(name, _)| name.clone()).collect();
    Ok((tasks, unused))
}

/// What is wrong with a cell, or with a part of it.
fn fault(task: &Expected, value: String, place: String) -> DataError {
    let (name, names) = (task.name.clone(), task.classes.clone());
    match task.kind {
        TaskKind::Class | TaskKind::Labels => {
            DataError::UnknownClass { task: name, value, place, classes: names }
        }
        TaskKind::Values => DataError::BadValues { task: name, value, place, count: names.len() },
    }
}

/// Class names by number where all are numbers, else as text.
fn ordered(mut classes: Vec<String>) -> Vec<String> {
    if classes.iter().all(|class| class.parse::<i64>().is_ok()) {
        classes.sort_by_key(|class| class.parse::<i64>().unwrap_or_default());
    }
    classes
}
