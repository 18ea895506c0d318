//! From what a table's cell says of an image to what a network's output units should say.

use crate::task_kind::TaskKind;

/// Between the labels or the numbers of one cell of a table.
const SEPARATORS: [char; 2] = [';', '|'];
/// A cell of an image that has none of the labels; an empty cell is "not labelled".
const NONE: [&str; 2] = ["-", "none"];

impl TaskKind {
    /// What each output unit should be for an image of which a table says `cell`: 1 for what is there and 0 for what is
    /// not, or the numbers themselves.
    ///
    /// # Errors
    ///
    /// The part of the cell that is none of `names`, or no number; of numbers too few or too many, the whole cell.
    pub fn target(self, cell: &str, names: &[String]) -> Result<Box<[f32]>, String> {
        let parts = || cell.split(SEPARATORS).map(str::trim).filter(|part| !part.is_empty());
        let unit = |part: &str| names.iter().position(|name| name == part).ok_or_else(|| part.to_owned());
        let mut target = vec![0.0; names.len()];
        match self {
            Self::Class => target[unit(cell)?] = 1.0,
            Self::Labels if NONE.contains(&cell) => {}
            Self::Labels => {
                for part in parts() {
                    target[unit(part)?] = 1.0;
                }
            }
            Self::Values => {
                if parts().count() != names.len() {
                    return Err(cell.to_owned());
                }
                for (value, part) in target.iter_mut().zip(parts()) {
                    *value = part.parse().ok().filter(|value: &f32| value.is_finite()).ok_or(part)?;
                }
            }
        }
        Ok(target.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_by_kind() {
        let names = ["red", "round"].map(str::to_owned);
        let read = |kind: TaskKind, cell: &str| kind.target(cell, &names).map(|target| target.to_vec());
        assert_eq!(read(TaskKind::Class, "round"), Ok(vec![0.0, 1.0]));
        assert_eq!(read(TaskKind::Labels, "round; red"), Ok(vec![1.0, 1.0]));
        assert_eq!(read(TaskKind::Labels, "-"), Ok(vec![0.0, 0.0]));
        assert_eq!(read(TaskKind::Values, "1.5|-2"), Ok(vec![1.5, -2.0]));
        assert_eq!(read(TaskKind::Labels, "red;square"), Err("square".into()));
        assert_eq!(read(TaskKind::Values, "1.5"), Err("1.5".into()));
        assert_eq!(read(TaskKind::Values, "1;inf"), Err("inf".into()));
    }
}
