//! Two small untrained networks, and pictures of stripes for them.

#![allow(dead_code, reason = "each file of tests uses a part")]

use std::io::Write;

use burn::tensor::Device;
use graftlab::data::Files;
use graftlab::data::source::Limits;
use graftlab::net::{NetworkOptions, Pixels, Task, write_tasks};
use graftlab::onnx;
use graftlab::platform::Cancel;
use graftlab::pretrain::backbone::{Family, Width, backbone};
use graftlab::project::{Host, Outcome, Project, ProjectError, Settings, evaluate_file, run};
use pollster::block_on;

pub const SIZE: u32 = 16;

pub fn network(family: Family, task: &str, classes: &[&str], seed: u64) -> Vec<u8> {
    let mut graph = backbone(family, Width::Full, SIZE as usize, classes.len(), seed);
    let classes = classes.iter().map(|class| (*class).to_owned()).collect();
    let task = Task::new(task, classes, graph.outputs[0]);
    write_tasks(&mut graph, &[task], Pixels::Unit);
    onnx::write(&graph).unwrap()
}

/// Stripes, upright or level, thin or thick.
pub fn pictures(count: u32) -> Vec<u8> {
    stripes(count, "file,direction,width\n", |_, upright, thick| {
        format!("{},{}", if upright { "upright" } else { "level" }, if thick { "thick" } else { "thin" })
    })
}

/// The same with other labels: the cells after the file of an image that is upright or not, and thick or not.
pub fn stripes(count: u32, header: &str, cells: impl Fn(u32, bool, bool) -> String) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let mut table = header.to_owned();
    for index in 0..count {
        let (upright, thick) = (index % 2 == 0, index % 4 < 2);
        let picture = image::GrayImage::from_fn(SIZE, SIZE, |x, y| {
            let along = if upright { x } else { y } + index;
            let period = if thick { 8 } else { 4 };
            image::Luma([if along % period < period / 2 { 220 } else { (index * 7 % 60) as u8 }])
        });
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        zip.start_file(format!("{index}.png"), options).unwrap();
        zip.write_all(bytes.get_ref()).unwrap();
        table += &format!("{index}.png,{}\n", cells(index, upright, thick));
    }
    zip.start_file("labels.csv", options).unwrap();
    zip.write_all(table.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

pub fn project() -> Project {
    let mut project = Project::default();
    let options = NetworkOptions::default();
    let direction = network(Family::Vgg, "direction", &["upright", "level"], 1);
    let width = network(Family::MobileNet, "width", &["thick", "thin"], 2);
    project.add_network("direction.onnx", &direction, &options).unwrap();
    project.add_network("width.onnx", &width, &options).unwrap();
    let files = Files::from_zip(&pictures(240), &Limits::default()).unwrap();
    block_on(project.load_data(files, &|_, _| {})).unwrap();
    project
}

pub fn settings() -> Settings {
    let mut settings = Settings { budget: 0.8, seed: 3, ..Settings::default() };
    settings.search.calibration_images = 64;
    settings.search.score_images = 16;
    settings.search.finalists = 2;
    settings.search.finalist_image_passes = 64;
    settings.train.batch_size = 16;
    settings.train.image_passes = 256;
    settings
}

pub fn outcome(project: &mut Project, settings: &Settings) -> Result<Outcome, ProjectError> {
    let host =
        Host { on_event: &|_| {}, cancel: &Cancel::default(), archive: None, crew: None, resume: None };
    block_on(run(project, settings, (&Device::flex(), "cpu"), host))
}

/// The file of a merged network is worth on the images what its report says.
pub fn assert_measured_again(outcome: &Outcome, zip: &[u8]) {
    let files = Files::from_zip(zip, &Limits::default()).unwrap();
    let options = NetworkOptions::default();
    let measured =
        block_on(evaluate_file("merged.onnx", &outcome.onnx, &options, files, &Device::flex())).unwrap();
    for (task, reported) in measured.tasks.iter().zip(&outcome.report.tasks) {
        assert_eq!(task.accuracy, reported.test.merged, "{}", task.name);
    }
}
