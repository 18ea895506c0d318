//! `graftlab table`: every plan of a space, one line each.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::Device;

use super::models::Model;
use super::{DeviceName, Failure, TableOptions, paths, run};
use crate::join::Plan;
use crate::platform::Stopwatch;
use crate::project::{Project, tabulate};
use crate::report::TableLine;

/// `graftlab table`
pub fn table(options: &TableOptions) -> Result<(), Failure> {
    let settings = run::settings(&options.settings)?;
    let DeviceName::Cpu = options.device;
    let known = resume(&options.out)?;
    let mut project = Project::default();
    for model in &options.models {
        let model = Model::parse(model)?;
        project.add_network(&model.name(), &model.bytes()?, &model.options)?;
    }
    let files = paths::read_data(&options.data)?;
    let mut file = open(&options.out)?;
    let seeds: Vec<u32> = (settings.seed..settings.seed.saturating_add(options.seeds.max(1))).collect();
    let clock = Stopwatch::start();
    let mut failure = None;
    let mut on_line = |line: TableLine, done: usize, total: usize| {
        let written = serde_json::to_string(&line)
            .map_err(std::io::Error::from)
            .and_then(|text| file.write_all(format!("{text}\n").as_bytes()));
        if let Err(error) = written {
            failure = Some(Failure::Failed(format!("{}: {error}", options.out.display())));
            return ControlFlow::Break(());
        }
        if done.is_multiple_of(10) && done > 0 {
            let left = clock.elapsed_seconds() / done as f64 * total.saturating_sub(done) as f64;
            eprintln!("{done}/{total} plans, {:.0} min left", left / 60.0);
        }
        ControlFlow::Continue(())
    };
    let image_passes = settings.train.image_passes;
    pollster::block_on(async {
        project.load_data(files, &|_, _| {}).await?;
        let done = |plan: &Plan, seed: u32| known.contains(&(plan.clone(), seed, image_passes));
        tabulate(&mut project, &settings, &seeds, options.shard, &done, &Device::flex(), &mut on_line).await
    })?;
    failure.map_or(Ok(()), Err)
}

/// Plans, seeds and image passes of a table that was begun before. A last line that was cut off is taken away.
fn resume(path: &Path) -> Result<HashSet<(Plan, u32, usize)>, Failure> {
    if !path.exists() {
        return Ok(HashSet::new());
    }
    let bytes = paths::read(path)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole < bytes.len() {
        paths::write(path, &bytes[..whole])?;
    }
    let plans = read_lines(path, &bytes[..whole])?.into_iter().filter_map(|line| match line {
        TableLine::Plan(line) => Some((line.plan, line.seed, line.image_passes)),
        TableLine::Space(_) => None,
    });
    Ok(plans.collect())
}

/// The lines of a table.
fn read_lines(path: &Path, bytes: &[u8]) -> Result<Vec<TableLine>, Failure> {
    bytes
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| {
            serde_json::from_slice(line).map_err(|error| {
                Failure::BadInput(format!(
                    "{}, line {}: {error}. Hint: give a file that graftlab table has written",
                    path.display(),
                    number + 1
                ))
            })
        })
        .collect()
}

fn open(path: &Path) -> Result<File, Failure> {
    OpenOptions::new().create(true).append(true).open(path).map_err(|error| {
        Failure::BadInput(format!("{}: {error}. Hint: choose a file that can be written", path.display()))
    })
}
