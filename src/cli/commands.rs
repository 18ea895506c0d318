//! The small commands: inspect, run, eval.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};

use super::models::Model;
use super::table::{millions, thousands};
use super::{Failure, npy, paths};
use crate::net::{Network, NetworkOptions, Pixels, prepare, read};
use crate::project::{
    Measured, NetworkCard, ProjectError, apply_graft, copy_of, evaluate_file, inspect as card_of,
    read_network,
};

/// `graftlab inspect`
pub fn inspect(model: &str, json: bool, copy: Option<&Path>) -> Result<(), Failure> {
    let model = Model::parse(model)?;
    let graph = read_network(&model.name(), &model.bytes()?)?;
    if let Some(copy) = copy {
        paths::write(copy, &copy_of(&model.name(), &graph)?)?;
    }
    // A network need not say how its pixels are scaled to be looked at.
    let options = NetworkOptions {
        preprocessing: model
            .options
            .preprocessing
            .or((!graph.metadata.contains_key("graftlab.pixels")).then_some(Pixels::Bytes)),
        ..model.options.clone()
    };
    let stem = model.path.file_stem().unwrap_or_default().to_string_lossy();
    let prepared = prepare(&graph, &options, &stem)
        .map_err(|source| ProjectError::Network { file: model.name(), source })?;
    let card = card_of(&graph, &prepared);
    if json {
        println!("{}", serde_json::json!(card));
    } else {
        print_card(&card);
    }
    Ok(())
}

/// `graftlab inspect --support`
pub fn support() -> Result<(), Failure> {
    print!("{}", crate::ops::support_table());
    Ok(())
}

fn print_card(card: &NetworkCard) {
    let [channels, height, width] = card.input;
    println!(
        "{}: {channels} × {height} × {width} (channels × height × width), opset {}",
        card.name, card.opset
    );
    for task in &card.tasks {
        println!("task {}: {} classes: {}", task.name, task.classes.len(), task.classes.join(" "));
    }
    println!("{} MACs per image, {} parameters", millions(card.macs), thousands(card.params));
    let operators: Vec<String> =
        card.operators.iter().map(|(name, count)| format!("{name} ×{count}")).collect();
    println!("operators: {}", operators.join(", "));
    println!("join points:");
    for (index, point) in card.join_points.iter().enumerate() {
        let [channels, height, width] = point.shape;
        println!(
            "  {index:>2}  {:<24} {channels:>4} × {height:>3} × {width:<3}  {:>5.1} % of the MACs before",
            point.tensor,
            point.macs_before as f64 / card.macs.max(1) as f64 * 100.0
        );
    }
}

/// `graftlab run`
pub fn run(model: &Path, input: &Path, output: &Path, index: usize) -> Result<(), Failure> {
    let name = model.file_name().unwrap_or(model.as_os_str()).to_string_lossy();
    let graph = read_network(&name, &paths::read_network(model)?)?;
    let network = Network::new(&graph, &Device::flex())
        .map_err(|source| ProjectError::Network { file: name.clone().into_owned(), source })?;
    network.check_batch().map_err(|source| ProjectError::Network { file: name.into_owned(), source })?;
    let [image] = network.graph().inputs[..] else {
        let inputs = network.graph().inputs.len();
        return Err(Failure::BadInput(format!(
            "the network has {inputs} inputs; one can be given. Hint: export it with its image input alone"
        )));
    };
    let (values, shape) = npy::read(&paths::read(input)?)?;
    let wanted = network.graph().shape(image).to_vec();
    let shape: [usize; 4] = match <[usize; 4]>::try_from(shape.clone()) {
        Ok(shape) if shape[0] > 0 && wanted.len() == 4 && shape[1..] == wanted[1..] => shape,
        _ => {
            return Err(Failure::BadInput(format!(
                "the input has shape {shape:?}, but the network reads {wanted:?} with any batch in front. \
                 Hint: numpy.reshape and numpy.transpose bring an array into that shape"
            )));
        }
    };
    if index >= network.graph().outputs.len() {
        let outputs = network.graph().outputs.len();
        return Err(Failure::BadInput(format!(
            "the network has {outputs} outputs; there is none with index {index}. \
             Hint: they are counted from 0"
        )));
    }
    let images = Tensor::from_data(TensorData::new(values, shape), &Device::flex());
    let result = network.for_inference().forward(images).swap_remove(index);
    let shape = result.dims();
    let values = pollster::block_on(read(result)).map_err(ProjectError::from)?;
    paths::write(output, &npy::write(&values, &shape))
}

/// `graftlab apply`
pub fn apply(base: &str, graft: &Path, out: &Path) -> Result<(), Failure> {
    let base = Model::parse(base)?;
    let (base_bytes, graft_bytes) = (base.bytes()?, paths::read(graft)?);
    let name = graft.file_name().unwrap_or(graft.as_os_str()).to_string_lossy();
    let merged = apply_graft((&base.name(), &base_bytes), &base.options, (&name, &graft_bytes))?;
    paths::write(out, &merged)?;
    println!("wrote {}", out.display());
    Ok(())
}

/// `graftlab eval`
pub fn eval(model: &str, data: &Path, json: bool) -> Result<(), Failure> {
    let model = Model::parse(model)?;
    let (bytes, files) = (model.bytes()?, paths::read_data(data)?);
    let (name, device) = (model.name(), Device::flex());
    let Measured { tasks, data } =
        pollster::block_on(evaluate_file(&name, &bytes, &model.options, files, &device))?;
    paths::tell_unused(&data);
    if json {
        println!("{}", serde_json::json!({ "tasks": tasks }));
        return Ok(());
    }
    for task in tasks {
        match task.accuracy {
            Some(accuracy) => {
                println!("{:<14} {:.2} % of {} test images", task.name, accuracy * 100.0, task.labelled);
            }
            None => println!("{:<14} no labelled test images", task.name),
        }
    }
    Ok(())
}
