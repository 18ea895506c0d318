//! `graftlab integrate` and `graftlab demo`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Deserialize;

use super::models::Model;
use super::progress::Progress;
use super::shelf::Shelf;
use super::{CommonOptions, Failure, RunOptions, Sample, SettingsOptions, paths, table};
use crate::join::{Plan, PlanSummary};
use crate::platform::Cancel;
use crate::project::{Host, Project, Settings, run as run_project};

/// `graftlab integrate`
pub fn integrate(models: &[String], data: &Path, options: &RunOptions) -> Result<(), Failure> {
    let models = models.iter().map(|text| Model::parse(text)).collect::<Result<Vec<_>, _>>()?;
    work(&models, data, settings(&options.settings)?, options)
}

/// One entry of `models/samples/index.json`; paths are relative to `models/`.
#[derive(Deserialize)]
struct BundledSample {
    name: String,
    networks: Vec<PathBuf>,
    data: PathBuf,
    /// Where nothing else is asked for.
    budget: f64,
    /// The same for a quick run.
    quick_budget: f64,
}

#[derive(Deserialize)]
struct Index {
    samples: Vec<BundledSample>,
}

/// `graftlab demo`
pub fn demo(sample: Sample, options: &RunOptions) -> Result<(), Failure> {
    let folder = bundled()?;
    let path = folder.join("samples").join("index.json");
    let name = sample.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    let index: Index = serde_json::from_slice(&paths::read(&path)?).map_err(|error| {
        Failure::BadInput(format!("{}: {error}. Hint: check it out anew", path.display()))
    })?;
    let sample = index.samples.into_iter().find(|sample| sample.name == name).ok_or_else(|| {
        Failure::BadInput(format!("{} does not list '{name}'. Hint: check it out anew", path.display()))
    })?;
    let models: Vec<Model> = sample
        .networks
        .iter()
        .map(|network| Model { path: folder.join(network), options: Default::default() })
        .collect();
    let mut settings = settings(&options.settings)?;
    if options.settings.budget.is_none() && options.settings.common.settings.is_none() {
        settings.budget = if options.settings.quick { sample.quick_budget } else { sample.budget };
    }
    work(&models, &folder.join(sample.data), settings, options)
}

/// The folder of the bundled networks and samples: beside where the command runs, or where it was built.
fn bundled() -> Result<PathBuf, Failure> {
    [Path::new("models"), Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/models"))]
        .into_iter()
        .find(|folder| folder.join("networks").is_dir())
        .map(Path::to_path_buf)
        .ok_or_else(|| {
            Failure::BadInput(
                "the bundled models are not here. Hint: run this in Graftlab's own folder".into(),
            )
        })
}

fn settings(options: &SettingsOptions) -> Result<Settings, Failure> {
    let start = if options.quick { Settings::quick() } else { Settings::default() };
    let mut settings = common_settings(&options.common, start)?;
    if options.budget.is_some() || options.cost.is_some() || options.selector.is_some() {
        settings.plan = None;
    }
    settings.budget = options.budget.unwrap_or(settings.budget);
    settings.cost = options.cost.unwrap_or(settings.cost);
    settings.selector = options.selector.unwrap_or(settings.selector);
    Ok(settings)
}

/// The plan of a finished run, for the networks of these names.
fn plan_of(run: &Path, names: &[String]) -> Result<Plan, Failure> {
    #[derive(Deserialize)]
    struct Run {
        plan: PlanSummary,
    }
    let fault = |reason: &str| {
        Failure::BadInput(format!("{}: {reason}. Hint: give the run.json of a run", run.display()))
    };
    let run: Run = serde_json::from_slice(&paths::read(run)?).map_err(|error| fault(&error.to_string()))?;
    run.plan.plan(names).ok_or_else(|| {
        let other: Vec<&str> = run.plan.networks.iter().map(|summary| summary.network()).collect();
        fault(&format!("its plan joins {}, not {}", other.join(", "), names.join(", ")))
    })
}

/// The settings of a file, or else those to start with, and what is asked for on top.
pub fn common_settings(options: &CommonOptions, start: Settings) -> Result<Settings, Failure> {
    let mut settings = match &options.settings {
        None => start,
        Some(path) => serde_json::from_slice(&paths::read(path)?).map_err(|error| {
            Failure::BadInput(format!(
                "{}: {error}. Hint: docs/run-json.md lists the settings",
                path.display()
            ))
        })?,
    };
    settings.seed = options.seed.unwrap_or(settings.seed);
    settings.base = options.base.clone().or(settings.base);
    settings.use_labels &= !options.no_labels;
    settings.train.image_passes = options.image_passes.unwrap_or(settings.train.image_passes);
    Ok(settings)
}

fn work(models: &[Model], data: &Path, mut settings: Settings, options: &RunOptions) -> Result<(), Failure> {
    let device = options.device.open()?;
    // Before the work, which may take minutes.
    paths::make_folder(&options.out)?;
    let shelf = Shelf::new(&options.out);
    let resume = if options.resume { shelf.newest()? } else { None };
    let mut project = Project::default();
    for model in models {
        project.add_network(&model.name(), &model.bytes()?, &model.options)?;
    }
    if let Some(run) = &options.settings.plan {
        settings.plan = Some(plan_of(run, &project.labels())?);
    }
    let files = paths::read_data(data)?;
    let outcome = pollster::block_on(async {
        let card = project.load_data(files, &|_, _| {}).await?;
        paths::tell_unused(&card);
        for task in card.tasks.iter().filter(|task| task.labelled == 0) {
            eprintln!("no image is labelled for '{}': its network alone teaches it", task.name);
        }
        let progress = Progress::new();
        let host = Host {
            on_event: &|event| progress.show(event),
            cancel: &Cancel::default(),
            archive: Some(&shelf),
            crew: None,
            resume,
        };
        let outcome = run_project(&mut project, &settings, (&device, options.device.as_str()), host).await;
        progress.finish();
        outcome
    })?;
    println!("{}", table::report(&outcome.report));
    let json = serde_json::to_vec_pretty(&outcome.report)
        .map_err(|error| Failure::Failed(format!("run.json: {error}")))?;
    paths::write(&options.out.join("merged.onnx"), &outcome.onnx)?;
    paths::write(&options.out.join("merged.safetensors"), &outcome.safetensors)?;
    paths::write(&options.out.join("run.json"), &json)?;
    let mut files = "merged.onnx, merged.safetensors and run.json".to_owned();
    if let Some(graft) = &outcome.graft {
        paths::write(&options.out.join("graft.onnx"), graft)?;
        files = format!("graft.onnx, {files}");
    }
    shelf.clear();
    println!("wrote {files} to {}", options.out.display());
    Ok(())
}
