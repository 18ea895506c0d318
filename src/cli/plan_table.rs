//! `graftlab table`: every plan of a space, one line each.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use super::models::Model;
use super::{Failure, Plans, TableOptions, paths, run};
use crate::platform::Stopwatch;
use crate::project::{Project, Settings, TablePlans, TableRequest, tabulate};
use crate::report::TableLine;

/// `graftlab table`
pub fn table(options: &TableOptions) -> Result<(), Failure> {
    let settings = run::common_settings(&options.common, Settings::default())?;
    let device = options.device.open()?;
    let known = resume(&options.out)?;
    let mut project = Project::default();
    for model in &options.models {
        let model = Model::parse(model)?;
        project.add_network(&model.name(), &model.bytes()?, &model.options)?;
    }
    let files = paths::read_data(&options.data)?;
    let mut file = open(&options.out)?;
    let budgets = options.budgets.iter();
    let request = TableRequest {
        seeds: (0..options.seeds.max(1)).map_while(|more| settings.seed.checked_add(more)).collect(),
        settings,
        shard: options.shard,
        searches: budgets
            .flat_map(|budget| options.searches.iter().map(move |name| (*name, *budget)))
            .collect(),
        plans: match options.plans {
            Plans::All => TablePlans::All,
            Plans::Chosen => TablePlans::Chosen,
            Plans::Front => TablePlans::Front,
        },
    };
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
            eprintln!("{done}/{total} lines, {:.0} min left", left / 60.0);
        }
        ControlFlow::Continue(())
    };
    pollster::block_on(async {
        project.load_data(files, &|_, _| {}).await?;
        tabulate(&mut project, &request, &known, &device, &mut on_line).await
    })?;
    failure.map_or(Ok(()), Err)
}

/// The lines of a table that was begun before. A last line that was cut off is taken away.
fn resume(path: &Path) -> Result<Vec<TableLine>, Failure> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = paths::read(path)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole < bytes.len() {
        paths::write(path, &bytes[..whole])?;
    }
    read_lines(path, &bytes[..whole])
}

/// The lines of a table.
pub fn read_lines(path: &Path, bytes: &[u8]) -> Result<Vec<TableLine>, Failure> {
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
