//! Stage 0: every candidate's grafted tail against its teacher, before any training.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use super::calibrate::{Fits, images_on};
use super::teachers::Teachers;
use super::{Event, OnEvent, ProjectError};
use crate::data::{Dataset, batch::IndexBatch};
use crate::join::{Adapter, Fit, Join, Space, adapter_graph};
use crate::net::{Network, read_all};
use crate::ops::{Mode, Value};
use crate::platform::{Cancel, for_all, lanes, yield_now};
use crate::search::{Score, Scores};
use crate::task_kind::TaskKind;
use crate::train::{agreement, likeness};

/// Images that candidates are scored on.
#[derive(Clone, Copy, Debug)]
pub struct Looks<'a> {
    /// What a tail's batch-normalisation statistics are re-estimated on, if they are.
    pub recalibration: Option<&'a IndexBatch>,
    /// What the tail is compared with its teacher on.
    pub held_out: &'a IndexBatch,
}

/// Who hears of the scores.
#[derive(Clone, Copy)]
pub struct Tell<'a> {
    pub event: OnEvent<'a>,
    /// How many are there.
    pub done: &'a dyn Fn(usize),
}

/// Scores candidates. Batch-normalisation statistics of the tail are first re-estimated on adapted features; the tail is
/// then compared with its teacher; of several tasks the worst counts.
///
/// # Errors
///
/// The device fails, or the run is cancelled.
pub async fn score_candidates(
    space: &Space,
    teachers: &Teachers,
    fits: &[Candidate<'_>],
    dataset: &Dataset,
    looks: Looks<'_>,
    tell: Tell<'_>,
    cancel: &Cancel,
) -> Result<Scores, ProjectError> {
    let on = |batch: &IndexBatch| images_on(teachers, dataset, batch);
    let (recalibration, held_out) = (looks.recalibration.map(on), on(looks.held_out));
    let reference = read_all(teachers.forward(&held_out)).await?;
    let mut scores = Scores::new();
    for donor in 0..space.networks.len() {
        let tensors: Vec<_> = space.networks[donor].points.iter().map(|point| point.tensor).collect();
        let tap = |images: &Tensor<4>| teachers.tap(donor, images.clone(), &tensors);
        let taps = Taps { recalibration: recalibration.as_ref().map(tap), held_out: tap(&held_out) };
        let of_donor: Vec<Candidate> =
            fits.iter().copied().filter(|((_, join), _)| join.donor == donor).collect();
        for some in of_donor.chunks(4 * lanes()) {
            if cancel.is_cancelled() {
                return Err(ProjectError::Cancelled);
            }
            let found =
                for_all(some, |candidate| score(space, teachers, &reference, &taps, *candidate)).await;
            for (((receiver, join), _), score) in some.iter().zip(found) {
                let score = score?;
                scores.insert((*receiver, *join), score);
                (tell.event)(Event::CandidateScored {
                    donor,
                    donor_point: join.donor_point,
                    receiver: *receiver,
                    receiver_point: join.receiver_point,
                    agreement: score.agreement,
                    kappa: score.kappa,
                    divergence: score.divergence,
                    r_squared: score.r_squared,
                });
            }
            (tell.done)(scores.len());
            yield_now().await;
        }
    }
    Ok(scores)
}

/// A donor's tensors at all its join points.
struct Taps {
    recalibration: Option<Vec<Value>>,
    held_out: Vec<Value>,
}

/// Scores one candidate. `reference` holds the teachers' logits of all tasks on held-out images.
async fn score(
    space: &Space,
    teachers: &Teachers,
    reference: &[Vec<f32>],
    taps: &Taps,
    ((receiver, join), fit): Candidate<'_>,
) -> Result<Score, ProjectError> {
    let [from, to] = space.ends(receiver, join);
    let adapter = Network::new(&adapter_graph(&Adapter::from(fit), from, to), teachers.device())?;
    let adapted = |taps: &Vec<Value>| {
        let features: Tensor<4> = taps[join.donor_point].clone().to_rank();
        vec![(to.tensor, adapter.forward(features).swap_remove(0))]
    };
    let mut tail = teachers.networks[receiver].clone();
    if let Some(taps) = &taps.recalibration {
        tail.recalibrate(&[adapted(taps)]);
    }
    let logits =
        read_all(tail.run(&adapted(&taps.held_out), &teachers.outputs[receiver], Mode::Inference).targets)
            .await?;
    let mut score = Score { r_squared: fit.r_squared, ..Score::PERFECT };
    for (task, logits) in teachers.tasks_of(receiver).zip(&logits) {
        score = score.worse(of_task(teachers.kinds[task], &reference[task], logits, teachers.classes[task]));
    }
    Ok(score)
}

/// What a tail's logits of one task are worth beside its teacher's.
fn of_task(kind: TaskKind, teacher: &[f32], logits: &[f32], classes: usize) -> Score {
    let unlabelled = vec![None; teacher.len() / classes.max(1)];
    let compared = agreement(kind, teacher, logits, &unlabelled, classes);
    let (kappa, divergence) = likeness(kind, teacher, logits, classes);
    let agreement = compared.agreeing / compared.images.max(1) as f64;
    Score { agreement, kappa, divergence, ..Score::PERFECT }
}

/// A candidate, by receiver and join, with its adapter's fit.
type Candidate<'a> = ((usize, Join), &'a Fit);

/// How many fits [`best_fits`] leaves of these joins.
pub fn count_best(joins: &[(usize, Join)], donor_points: usize) -> usize {
    let mut groups: BTreeMap<(usize, usize, usize), usize> = BTreeMap::new();
    for (receiver, join) in joins {
        *groups.entry((*receiver, join.receiver_point, join.donor)).or_default() += 1;
    }
    groups.into_values().map(|count| count.min(donor_points.max(1))).sum()
}

/// Per receiver point and donor the `donor_points` fits that explain most.
pub fn best_fits(fits: &Fits, donor_points: usize) -> Vec<Candidate<'_>> {
    let mut groups: BTreeMap<(usize, usize, usize), Vec<Candidate>> = BTreeMap::new();
    for ((receiver, join), fit) in fits {
        groups
            .entry((*receiver, join.receiver_point, join.donor))
            .or_default()
            .push(((*receiver, *join), fit));
    }
    for group in groups.values_mut() {
        group.sort_by(|(_, a), (_, b)| b.r_squared.total_cmp(&a.r_squared));
        group.truncate(donor_points.max(1));
    }
    groups.into_values().flatten().collect()
}
