//! Networks as the command line names them: `NAME.onnx:task=NAME,pixels=unit,kind=labels,classes=a|b|c,output=NAME`.

use std::path::PathBuf;

use super::{Failure, paths};
use crate::net::{NetworkOptions, Pixels};
use crate::task_kind::TaskKind;

/// A network's file and what its owner says of it.
#[derive(Debug)]
pub struct Model {
    pub path: PathBuf,
    pub options: NetworkOptions,
}

impl Model {
    /// # Errors
    ///
    /// Options that are not known.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let (path, list) = match text.rfind(".onnx:") {
            Some(position) => (&text[..position + 5], &text[position + 6..]),
            None => (text, ""),
        };
        let mut options = NetworkOptions::default();
        for option in list.split(',').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("output", name)) => options.output = Some(name.to_owned()),
                Some(("task", name)) => options.task = Some(name.to_owned()),
                Some(("classes", names)) => {
                    options.classes = Some(names.split('|').map(str::to_owned).collect());
                }
                Some(("kind", name)) => options.kind = Some(kind(name)?),
                Some(("pixels", name)) => options.preprocessing = Some(pixels(name)?),
                _ => {
                    return Err(Failure::BadInput(format!(
                        "'{option}' is not an option of a network. \
                         Hint: write NAME.onnx:task=NAME,kind=class,classes=A|B,pixels=unit,output=NAME"
                    )));
                }
            }
        }
        Ok(Self { path: path.into(), options })
    }

    /// The name that messages use.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    pub fn bytes(&self) -> Result<Vec<u8>, Failure> {
        paths::read_network(&self.path)
    }
}

fn pixels(name: &str) -> Result<Pixels, Failure> {
    serde_json::from_value(name.into()).map_err(|_| {
        Failure::BadInput(format!(
            "'{name}' is no way to scale pixels. Hint: bytes, unit, signed or imagenet"
        ))
    })
}

fn kind(name: &str) -> Result<TaskKind, Failure> {
    serde_json::from_value(name.into())
        .map_err(|_| Failure::BadInput(format!("'{name}' is no kind of task. Hint: class, labels or values")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_follow_the_file() {
        let model =
            Model::parse("a/b.onnx:task=fruit,classes=pear|fig,kind=labels,pixels=signed,output=soft")
                .unwrap();
        assert_eq!(model.path, PathBuf::from("a/b.onnx"));
        assert_eq!(model.options.output.as_deref(), Some("soft"));
        assert_eq!(model.options.task.as_deref(), Some("fruit"));
        assert_eq!(model.options.classes, Some(vec!["pear".into(), "fig".into()]));
        assert_eq!(model.options.kind, Some(TaskKind::Labels));
        assert_eq!(model.options.preprocessing, Some(Pixels::Signed));
    }

    #[test]
    fn an_unknown_option_is_refused() {
        assert!(Model::parse("b.onnx:colour=red").is_err());
        assert!(Model::parse("b.onnx:pixels=loud").is_err());
        assert!(Model::parse("b.onnx:kind=mixed").is_err());
    }
}
