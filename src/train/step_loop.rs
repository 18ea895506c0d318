//! The step loop.

use burn::module::ParamId;
use burn::tensor::Tensor;

use super::{Optimiser, Progress, TaskTarget, TrainError, TrainSettings, TrainState, hint, one_cycle};
use crate::graph::TensorId;
use crate::join::SelfHead;
use crate::net::{Network, read_all};
use crate::ops::{Mode, Value};
use crate::platform::{Cancel, Stopwatch, both, yield_now};

/// A network that is trained, on a device with automatic differentiation.
#[derive(Debug)]
pub struct Student {
    pub network: Network,
    /// Logits per task, `[batch, classes]`.
    pub outputs: Vec<TensorId>,
    /// Auxiliary classifiers, if any.
    pub heads: Vec<SelfHead>,
    /// Inner tensors that have a hint, in the order of [`TrainBatch::hints`].
    pub hinted: Vec<TensorId>,
    /// Parameters of the trunk, which have their own learning rate.
    pub trunk: Vec<ParamId>,
}

/// Images and what their outputs should be, all on the student's device.
#[derive(Clone, Debug)]
pub struct TrainBatch {
    /// `[batch, channels, height, width]`
    pub images: Tensor<4>,
    /// Tensors of the student that need not be computed.
    pub known: Vec<(TensorId, Value)>,
    /// One per task.
    pub targets: Vec<TaskTarget>,
    /// The teachers' inner tensors.
    pub hints: Vec<Value>,
}

/// Makes batches.
pub trait BatchSource: Send {
    /// The batch of step `step`.
    ///
    /// # Errors
    ///
    /// The device fails.
    fn batch(&mut self, step: usize) -> impl Future<Output = Result<TrainBatch, TrainError>>;
}

/// What one step did. Losses are read back only now and then.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// Counted from 1.
    pub step: usize,
    pub steps: usize,
    pub image_passes: usize,
    /// Weighted sum over the tasks.
    pub loss: f64,
    pub task_losses: Vec<f64>,
    pub learning_rate: f64,
    pub images_per_second: f64,
}

/// Watches training.
pub trait Observer {
    /// Called when losses have been read.
    fn step(&mut self, report: StepReport);

    /// Called now and then with the network as it is, to judge it. Returns, per task, how much of its teacher's
    /// accuracy is missing; the task that lags most gets more weight. `None` leaves the weights as they are.
    ///
    /// # Errors
    ///
    /// The device fails.
    fn validate(
        &mut self,
        step: usize,
        network: &Network,
    ) -> impl Future<Output = Result<Option<Vec<f64>>, TrainError>>;

    /// Whether the state is to be kept now. Asked whenever losses have been read.
    fn wants_state(&self) -> bool {
        false
    }

    /// Takes the state that was asked for.
    fn state(&mut self, _state: &TrainState) {}

    /// Hears that the loss exploded at `step` and that training goes on from an earlier one, with a lower learning rate.
    fn went_back(&mut self, _step: usize, _to: usize) {}
}

/// Steps between two reads of the losses. Reading makes the device wait, not reading lets work pile up on it.
const READ_EVERY: usize = 8;
/// Validations of a whole training.
const VALIDATIONS: usize = 8;
/// A loss this many times the smallest so far is an explosion; one below 1 counts as 1.
const EXPLODES: f64 = 100.0;
/// How far learning rates are halved before training is given up.
const SLOWEST: f64 = 1.0 / 16.0;
/// How fast stored batch-normalisation statistics follow the batches.
const STATISTICS_MOMENTUM: f64 = 0.1;

/// Trains until `steps` are done or `cancel` is called, from `start` if there is one. The student is usable at any end.
///
/// A loss that is no number, or that has grown beyond all measure, takes training back to the last state that was good,
/// with half the learning rate.
///
/// # Errors
///
/// The loss explodes again and again, or the device fails.
pub async fn train(
    student: &mut Student,
    source: &mut impl BatchSource,
    settings: &TrainSettings,
    start: Option<&TrainState>,
    observer: &mut impl Observer,
    cancel: &Cancel,
) -> Result<(), TrainError> {
    let steps = settings.image_passes.div_ceil(settings.batch_size.max(1)).max(1);
    let mut optimiser = Optimiser::new(settings.weight_decay);
    let mut progress = Progress::start(student.outputs.len());
    if let Some(start) = start {
        start.put(student, &mut optimiser);
        progress = start.progress.clone();
    }
    let mut good = TrainState::read(student, &optimiser, &progress).await?;
    let mut explodes_at = f64::INFINITY;
    let first = progress.step;
    let clock = Stopwatch::start();

    let mut ahead = None;
    while progress.step < steps && !cancel.is_cancelled() {
        let batch = match ahead.take() {
            Some((step, batch)) if step == progress.step => batch,
            _ => source.batch(progress.step).await?,
        };
        let learning_rate = one_cycle(progress.step, steps, settings.learning_rate) * progress.slowed;
        progress.step += 1;
        let done = progress.step;
        let weights = &progress.task_weights;
        let make = || step(student, &mut optimiser, batch, settings, learning_rate, weights);
        // The teachers look at the next batch meanwhile.
        let losses = if done < steps {
            let (losses, next) = both(make, || source.batch(done)).await;
            ahead = Some((done, next?));
            losses
        } else {
            make()
        };

        let validates = done.is_multiple_of((steps / VALIDATIONS).max(1));
        let tells = done.is_multiple_of(READ_EVERY) || done == steps;
        // Before it is validated: what exploded answers nonsense, which looks like a broken device.
        if tells || validates {
            let losses = losses.into_iter().map(Value::from).collect();
            let mut task_losses: Vec<f64> =
                read_all(losses).await?.into_iter().map(|values| f64::from(values[0])).collect();
            let loss = task_losses.pop().unwrap_or(f64::NAN);
            if loss.is_nan() || loss.abs() >= explodes_at {
                if progress.slowed < SLOWEST {
                    return Err(TrainError::Diverged { step: done });
                }
                good.put(student, &mut optimiser);
                good.progress.slowed = progress.slowed / 2.0;
                progress = good.progress.clone();
                observer.went_back(done, progress.step);
                continue;
            }
            explodes_at = explodes_at.min(EXPLODES * loss.abs().max(1.0));
            if tells {
                observer.step(StepReport {
                    step: done,
                    steps,
                    image_passes: done * settings.batch_size,
                    loss,
                    task_losses,
                    learning_rate,
                    images_per_second: (done.saturating_sub(first) * settings.batch_size) as f64
                        / clock.elapsed_seconds().max(1e-9),
                });
            }
        }
        if validates && let Some(gaps) = observer.validate(done, &student.network).await? {
            progress.task_weights = lagging_weights(&gaps, settings.lagging_task_weight);
        }
        if tells && observer.wants_state() {
            let state = TrainState::read(student, &optimiser, &progress).await?;
            if state.is_finite() {
                observer.state(&state);
                good = state;
            }
        }
        yield_now().await;
    }
    Ok(())
}

/// One step. Returns the losses of the tasks, and last their weighted sum.
fn step(
    student: &mut Student,
    optimiser: &mut Optimiser,
    batch: TrainBatch,
    settings: &TrainSettings,
    learning_rate: f64,
    task_weights: &[f64],
) -> Vec<Tensor<1>> {
    let image = student.network.graph().inputs[0];
    let heads = student.heads.iter().map(|head| head.output);
    let targets: Vec<TensorId> =
        student.outputs.iter().copied().chain(heads).chain(student.hinted.iter().copied()).collect();
    let mut feeds = vec![(image, batch.images.clone().into())];
    feeds.extend(batch.known.iter().cloned());
    let pass = student.network.run(&feeds, &targets, Mode::Training);
    let losses = task_losses(student, &pass.targets, &batch, settings);
    let mut loss = weighted(&losses, task_weights);
    if let Some(hints) = hint_loss(student, &pass.targets, &batch) {
        loss = loss + weigh(hints, settings.hint_weight);
    }
    let of_trunk = |id: &ParamId| settings.trunk_learning_rate != 1.0 && student.trunk.contains(id);
    optimiser.step(&mut student.network, &loss.backward(), |id| {
        learning_rate * if of_trunk(&id) { settings.trunk_learning_rate } else { 1.0 }
    });
    student.network.update_statistics(pass.statistics, STATISTICS_MOMENTUM);
    losses.into_iter().chain([loss]).map(Tensor::detach).collect()
}

/// Per task: labels, teacher, and its auxiliary heads.
fn task_losses(
    student: &Student,
    outputs: &[Value],
    batch: &TrainBatch,
    settings: &TrainSettings,
) -> Vec<Tensor<1>> {
    let tasks = student.outputs.len();
    let logits = |index: usize| outputs[index].clone().to_rank::<2>();
    (0..tasks)
        .map(|task| {
            let target = &batch.targets[task];
            let labels = target.supervised(logits(task)).map(|term| weigh(term, settings.label_weight));
            let teacher = target.distilled(logits(task), settings.temperature);
            let teacher = teacher.map(|term| weigh(term, settings.distillation_weight));
            let heads = student.heads.iter().enumerate().filter(|(_, head)| head.task == task);
            let deepest = |number: usize| {
                let term =
                    target.between(logits(tasks + number), logits(task).detach(), settings.temperature);
                weigh(term, settings.self_distillation_weight)
            };
            let terms = labels.into_iter().chain(teacher).chain(heads.map(|(number, _)| deepest(number)));
            // A batch that says nothing of a task leaves it alone.
            terms.reduce(|sum, term| sum + term).unwrap_or_else(|| logits(task).sum().mul_scalar(0.0))
        })
        .collect()
}

/// A term of the loss, as often as it counts. Most count once, and a GPU is better not asked to multiply by that.
fn weigh(term: Tensor<1>, weight: f64) -> Tensor<1> {
    if weight == 1.0 { term } else { term.mul_scalar(weight) }
}

fn weighted(losses: &[Tensor<1>], weights: &[f64]) -> Tensor<1> {
    let terms = losses.iter().zip(weights).map(|(loss, weight)| weigh(loss.clone(), *weight));
    terms.reduce(|sum, term| sum + term).unwrap_or_else(|| unreachable!("a student has at least one task"))
}

fn hint_loss(student: &Student, outputs: &[Value], batch: &TrainBatch) -> Option<Tensor<1>> {
    let inner = &outputs[student.outputs.len() + student.heads.len()..];
    inner
        .iter()
        .zip(&batch.hints)
        .map(|(ours, theirs)| hint(ours.clone(), theirs.clone()))
        .reduce(|a, b| a + b)
}

/// The task with the largest gap gets `factor`, if there is a gap at all; the others get 1.
fn lagging_weights(gaps: &[f64], factor: f64) -> Vec<f64> {
    let largest = gaps.iter().copied().fold(0.0, f64::max);
    gaps.iter().map(|gap| if largest > 0.0 && *gap == largest { factor } else { 1.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lagging_task_gets_more_weight_and_a_gain_is_no_gap() {
        assert_eq!(lagging_weights(&[0.01, 0.03, -0.02], 2.0), [1.0, 2.0, 1.0]);
        assert_eq!(lagging_weights(&[-0.01, -0.02], 2.0), [1.0, 1.0]);
    }
}
