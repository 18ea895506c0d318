//! Milliseconds of layers, adapters and networks on the device of a run.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};

use super::ProjectError;
use super::teachers::Teachers;
use crate::graph::TensorId;
use crate::join::{Adapter, Costs, SegmentCosts, Space, adapter_ends, adapter_graph};
use crate::net::{Network, read_all};
use crate::ops::{Mode, Value};
use crate::platform::{Cancel, Stopwatch, yield_now};

/// Rounds of which the fastest counts: whatever else a machine does only makes a pass slower.
const ROUNDS: usize = 3;
/// A round has as many passes as take this long.
const ROUND_SECONDS: f64 = 0.005;

/// Times all layers and adapters, for one image at a time.
///
/// # Errors
///
/// The device fails, or the run is cancelled.
pub async fn measured_costs(
    space: &Space,
    teachers: &Teachers,
    cancel: &Cancel,
) -> Result<Costs, ProjectError> {
    let mut timer = Timer::new(teachers.device());
    let mut networks = Vec::new();
    for (network, info) in teachers.networks.iter().zip(&space.networks) {
        let whole = timer.nanoseconds(network, &network.graph().outputs).await?;
        let mut before = Vec::new();
        for point in &info.points {
            go_on(cancel)?;
            before.push(timer.nanoseconds(network, &[point.tensor]).await?);
        }
        // A longer way takes no less time, whatever the clock says.
        for index in (1..before.len()).rev() {
            before[index - 1] = before[index - 1].min(before[index]);
        }
        let before = before.into_iter().map(|time| time.min(whole)).collect();
        networks.push(SegmentCosts { whole, before });
    }
    let mut adapters = BTreeMap::new();
    for (key, [from, to]) in adapter_ends(space) {
        go_on(cancel)?;
        let network = Network::new(&adapter_graph(&Adapter::blank(from, to), from, to), teachers.device())?;
        adapters.insert(key, timer.nanoseconds(&network, &network.graph().outputs).await?);
    }
    Ok(Costs { networks, adapters })
}

/// Milliseconds of one image's way through each of `networks`, all outputs included.
///
/// # Errors
///
/// The device fails.
pub async fn milliseconds<'a>(
    networks: impl IntoIterator<Item = &'a Network>,
    device: &Device,
) -> Result<f64, ProjectError> {
    let mut timer = Timer::new(device);
    let mut nanoseconds = 0;
    for network in networks {
        let network = network.for_inference();
        nanoseconds += timer.nanoseconds(&network, &network.graph().outputs).await?;
    }
    Ok(nanoseconds as f64 / 1e6)
}

/// Times passes, less what it takes to ask for them and to read a result.
struct Timer<'a> {
    device: &'a Device,
    /// Nanoseconds of reading a sum, by the number of tensors and their shape.
    idle: BTreeMap<(usize, Vec<usize>), u64>,
}

impl<'a> Timer<'a> {
    fn new(device: &'a Device) -> Self {
        Self { device, idle: BTreeMap::new() }
    }

    /// Time that the layers before `targets` take for one image.
    async fn nanoseconds(&mut self, network: &Network, targets: &[TensorId]) -> Result<u64, ProjectError> {
        let input = network.graph().inputs[0];
        let shape = network.graph().shape(input);
        let image = Value::from_host(&vec![1.0; shape.iter().product()], shape, self.device);
        let key = (targets.len(), shape.to_vec());
        let idle = match self.idle.get(&key) {
            Some(known) => *known,
            None => {
                let idle = time(|| vec![image.clone(); targets.len()]).await?;
                self.idle.insert(key, idle);
                idle
            }
        };
        let busy = time(|| network.run(&[(input, image.clone())], targets, Mode::Inference).targets).await?;
        Ok(busy.saturating_sub(idle))
    }
}

/// Nanoseconds of one pass until its results can be read: only their sums, so that reading takes no time.
async fn time(pass: impl Fn() -> Vec<Value>) -> Result<u64, ProjectError> {
    let mut repeats = 1_u32;
    let mut fastest = f64::INFINITY;
    let mut rounds = 0;
    while rounds < ROUNDS {
        let clock = Stopwatch::start();
        for _ in 0..repeats {
            read_all(pass().into_iter().map(sum).collect()).await?;
        }
        let seconds = clock.elapsed_seconds();
        // The first passes also compile shaders and fill caches; clocks of browsers are coarse.
        if seconds < ROUND_SECONDS {
            repeats *= 2;
            continue;
        }
        fastest = fastest.min(seconds / f64::from(repeats));
        rounds += 1;
        yield_now().await;
    }
    Ok((fastest * 1e9) as u64)
}

fn sum(value: Value) -> Value {
    let count = value.dims().iter().product();
    let flat: Tensor<1> = value.reshape(&[count]).to_rank();
    flat.sum().into()
}

fn go_on(cancel: &Cancel) -> Result<(), ProjectError> {
    if cancel.is_cancelled() { Err(ProjectError::Cancelled) } else { Ok(()) }
}
