//! Successive halving (Jamieson & Talwalkar, 2016) over proposals.

use super::evaluator::{Judged, SearchNews};
use super::{Evaluator, Problem, SearchError};
use crate::join::Plan;

/// Judges plans with few image passes, keeps the better half and doubles the passes, until `full_passes` are reached, in
/// at most `rounds`. Where fewer plans need fewer rounds, the cheap first ones are left out: the last comparison, which
/// decides, always has `full_passes`.
/// The last round's plans come first, the best of them at the front; of equals the cheaper.
///
/// # Errors
///
/// A plan cannot be built or trained.
pub async fn halve(
    problem: &Problem<'_>,
    plans: Vec<Plan>,
    full_passes: usize,
    rounds: usize,
    evaluator: &mut impl Evaluator,
) -> Result<Vec<Judged>, SearchError> {
    let rounds = rounds.max(1);
    // One plan that is left has nothing to be compared with.
    let sizes = (0..rounds).map(|round| plans.len().div_ceil(1 << round));
    let sizes: Vec<usize> = sizes
        .enumerate()
        .take_while(|(round, size)| *round == 0 || *size > 1)
        .map(|(_, size)| size)
        .collect();
    let total: usize = sizes.iter().sum();
    let (mut left, mut out, mut done) = (plans, Vec::new(), 0);
    for (round, size) in sizes.iter().enumerate() {
        left.truncate(*size);
        let passes = (full_passes >> (sizes.len() - 1 - round)).max(1);
        let mut judged = Vec::with_capacity(left.len());
        for plans in left.chunks(evaluator.at_once().max(1)) {
            judged.extend(evaluator.judge(plans, passes).await?);
            done += plans.len();
            evaluator.tell(SearchNews::Progress { done, total });
        }
        judged.sort_by(|a, b| {
            a.worst_drop_points
                .total_cmp(&b.worst_drop_points)
                .then(problem.space.cost(&a.plan).cmp(&problem.space.cost(&b.plan)))
        });
        left = judged.iter().map(|judged| judged.plan.clone()).collect();
        out.retain(|known: &Judged| !left.contains(&known.plan));
        judged.append(&mut out);
        out = judged;
    }
    Ok(out)
}
