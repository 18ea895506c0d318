use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use super::relaxation::Relaxation;
use super::*;
use crate::join::{JoinPoint, Space, SpaceNetwork};
use crate::search::baselines::fixed_depth;
use crate::search::{Judged, Matching, Score, Scores, SearchSettings, halve, share_all};

/// Networks of `points` join points each, one unit of a thousand MACs between two of them.
fn space(networks: usize, points: usize) -> Space {
    let network = |number: usize| SpaceNetwork {
        name: format!("n{number}"),
        macs: 1000 * (points as u64 + 1),
        units: 2,
        points: (0..points)
            .map(|point| JoinPoint {
                tensor: Default::default(),
                name: format!("p{point}"),
                channels: 2,
                height: 1,
                width: 1,
                macs_before: 1000 * (point as u64 + 1),
                macs_after: 1000 * (points - point) as u64,
                activation: None,
            })
            .collect(),
    };
    Space { networks: (0..networks).map(network).collect(), shortcuts: false, costs: None }
}

fn scores(space: &Space) -> Scores {
    let score = Score { agreement: 0.5, kappa: 0.5, divergence: 1.0, r_squared: 0.5 };
    space.candidates().into_iter().map(|key| (key, score)).collect()
}

fn problem<'a>(
    space: &'a Space,
    scores: &'a Scores,
    settings: &'a SearchSettings,
    budget: f64,
) -> Problem<'a> {
    Problem { space, scores, settings, budget, further: &[], seed: 0, base: None }
}

fn all_options(space: &Space) -> Vec<Vec<Source>> {
    let mut options = vec![vec![Source::Root]; space.networks.len()];
    for (receiver, join) in space.candidates() {
        options[receiver].push(Source::Join(join));
    }
    options
}

fn relaxation(space: &Space, seed: u64) -> Relaxation {
    let mut relaxation = Relaxation::new(space, all_options(space));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for logit in relaxation.logits.iter_mut().flatten() {
        *logit = rng.random_range(-1.0..1.0);
    }
    relaxation
}

#[test]
fn all_valid_plans_are_enumerated_and_no_other() {
    for shortcuts in [false, true] {
        let space = Space { shortcuts, ..space(3, 2) };
        let options = all_options(&space);
        let mut expected = Vec::new();
        for a in &options[0] {
            for b in &options[1] {
                expected.extend(options[2].iter().map(|c| Plan(vec![*a, *b, *c])));
            }
        }
        expected.retain(|plan| plan.check(&space).is_ok());
        assert_eq!(space.plans(expected.len()), Some(expected.clone()));
        assert_eq!(space.plans(expected.len() - 1), None);
    }
}

#[test]
fn a_shortcut_drops_what_it_skips_and_nothing_else() {
    let space = Space { shortcuts: true, ..space(2, 3) };
    let join = |donor, donor_point, receiver_point| Source::Join(Join { donor, donor_point, receiver_point });
    let shortcut = Plan(vec![join(0, 0, 2), Source::Root]);
    // Of four thousand MACs, those between the first and the third point go; the adapter of 2 × 2 weights comes.
    assert_eq!(space.macs(&shortcut), 4000 + 2004);
    assert_eq!((space.savings(&shortcut).shared, space.savings(&shortcut).skipped), (0, 2000));
    for (point, valid) in [(0, true), (1, false), (2, true)] {
        let plan = Plan(vec![join(0, 0, 2), join(0, point, 0)]);
        assert_eq!(plan.check(&space).is_ok(), valid, "a reader at point {point}");
    }
    assert!(Plan(vec![join(0, 2, 1), Source::Root]).check(&space).is_err(), "a step back");
    assert!(Plan(vec![join(0, 1, 1), Source::Root]).check(&space).is_err(), "no step");
}

#[test]
fn every_plan_drawn_is_valid() {
    let space = Space { shortcuts: true, ..space(4, 3) };
    let relaxation = relaxation(&space, 1);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for round in 0..500 {
        let drawn = relaxation.draw(&mut rng, round % 2 == 0);
        relaxation.plan(&drawn).check(&space).unwrap();
        if let Some(other) = relaxation.redraw(&drawn, round % 4, &mut rng) {
            assert_ne!(other, drawn);
            relaxation.plan(&other).check(&space).unwrap();
        }
    }
}

#[test]
fn the_expected_cost_is_that_of_the_plans_drawn() {
    let space = space(2, 3);
    let relaxation = relaxation(&space, 3);
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let draws = 40_000;
    let mean = (0..draws).map(|_| relaxation.cost(&relaxation.draw(&mut rng, false))).sum::<f64>()
        / f64::from(draws);
    let (exact, _) = relaxation.exact_cost();
    assert!((exact - mean).abs() < 4e-3, "{exact} against {mean}");
}

#[test]
fn gradients_of_cost_and_entropy_are_their_finite_differences() {
    let space = space(3, 2);
    let mut relaxation = relaxation(&space, 5);
    relaxation.temperature = 0.7;
    let (by_cost, by_entropy) = (relaxation.exact_cost().1, relaxation.entropy().1);
    let step = 1e-5;
    for network in 0..3 {
        for index in 0..relaxation.logits[network].len() {
            let at = |shift: f64| {
                let mut moved = relaxation.clone();
                moved.logits[network][index] += shift;
                [moved.exact_cost().0, moved.entropy().0]
            };
            let (up, down) = (at(step), at(-step));
            for (slope, (up, down)) in [by_cost[network][index], by_entropy[network][index]]
                .into_iter()
                .zip(up.into_iter().zip(down))
            {
                assert!((slope - (up - down) / (2.0 * step)).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn the_estimated_cost_and_gradient_come_near_the_exact_ones() {
    let space = space(2, 3);
    let relaxation = relaxation(&space, 6);
    let (cost, gradient) = relaxation.exact_cost();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let rounds = 60;
    let (mut mean, mut slopes) = (0.0, relaxation.zeros());
    for _ in 0..rounds {
        let (estimate, estimated) = relaxation.estimated_cost(&mut rng);
        mean += estimate / f64::from(rounds);
        for (total, slope) in slopes.iter_mut().flatten().zip(estimated.iter().flatten()) {
            *total += slope / f64::from(rounds);
        }
    }
    assert!((mean - cost).abs() < 5e-3);
    for (estimated, exact) in slopes.iter().flatten().zip(gradient.iter().flatten()) {
        assert!((estimated - exact).abs() < 5e-3, "{estimated} against {exact}");
    }
}

/// Tasks suffer by the distance of their join from a good one, and all plans train alike.
struct Synthetic {
    good: Vec<Source>,
    noise: ChaCha8Rng,
    asked: usize,
}

impl Synthetic {
    fn distance(&self, network: usize, source: Source) -> f64 {
        match (self.good[network], source) {
            (_, Source::Root) => 0.0,
            (Source::Join(good), Source::Join(join)) if good.donor == join.donor => {
                let apart = good.donor_point.abs_diff(join.donor_point)
                    + good.receiver_point.abs_diff(join.receiver_point);
                0.02 + 0.08 * apart as f64
            }
            _ => 0.6,
        }
    }
}

impl Evaluator for Synthetic {
    async fn judge(&mut self, plans: &[Plan], image_passes: usize) -> Result<Vec<Judged>, SearchError> {
        self.asked += plans.len();
        let judged = |plan: &Plan| {
            let sources = plan.0.iter().enumerate();
            let drops = sources.map(|(network, source)| 100.0 * self.distance(network, *source));
            let worst_drop_points = drops.fold(0.0, f64::max);
            Judged { plan: plan.clone(), image_passes, worst_drop_points }
        };
        Ok(plans.iter().map(judged).collect())
    }

    async fn train_shared(&mut self, _: &Plan, _: f64, _: bool) -> Result<(), SearchError> {
        Ok(())
    }

    async fn distances(&mut self, plans: &[Plan]) -> Result<Vec<Vec<f64>>, SearchError> {
        let noise = self.noise.random_range(-0.02..0.02);
        let of_plan = |plan: &Plan| {
            let sources = plan.0.iter().enumerate();
            sources.map(|(network, source)| self.distance(network, *source) + noise).collect()
        };
        Ok(plans.iter().map(of_plan).collect())
    }

    fn tell(&mut self, _: SearchNews) {}
}

#[test]
fn a_space_with_a_known_best_plan_is_solved_the_same_way_each_time() {
    let space = space(3, 5);
    let scores = scores(&space);
    let join = |donor, donor_point, receiver_point| Source::Join(Join { donor, donor_point, receiver_point });
    let good = vec![Source::Root, join(0, 3, 3), join(1, 4, 3)];
    let settings =
        SearchSettings { survivors_per_point: 5, supernet_steps: 1500, ..SearchSettings::default() };
    let budget = space.relative_macs(&Plan(good.clone())) + 1e-6;
    let problem = Problem { seed: 9, ..problem(&space, &scores, &settings, budget) };
    let run = || {
        let noise = ChaCha8Rng::seed_from_u64(10);
        let mut evaluator = Synthetic { good: good.clone(), noise, asked: 0 };
        let found = pollster::block_on(Differentiable.select(&problem, &mut evaluator)).unwrap().judged;
        assert!(evaluator.asked < 20);
        found
    };
    let found = run();
    assert_eq!(found[0].plan, Plan(good.clone()), "{found:?}");
    assert_eq!(found, run());
}

#[test]
fn plans_of_simple_rules_are_compared_too() {
    let space = space(3, 5);
    let scores = scores(&space);
    let settings = SearchSettings { supernet_steps: 50, ..SearchSettings::default() };
    let problem = Problem { seed: 1, ..problem(&space, &scores, &settings, 0.8) };
    let rules = [share_all(&problem), fixed_depth(&problem)].map(Result::unwrap);
    let mut evaluator =
        Synthetic { good: vec![Source::Root; 3], noise: ChaCha8Rng::seed_from_u64(2), asked: 0 };
    for plans in [
        pollster::block_on(Differentiable.propose(&problem, &mut evaluator)),
        pollster::block_on(Matching.propose(&problem, &mut evaluator)),
    ] {
        let finalists = &plans.unwrap().plans[..settings.finalists];
        for plans in &rules {
            assert!(finalists.iter().any(|plan| plans.contains(plan)), "{finalists:?}");
        }
    }
}

#[test]
fn the_last_comparison_always_has_all_image_passes() {
    let space = space(2, 5);
    let scores = scores(&space);
    let settings = SearchSettings::default();
    let problem = problem(&space, &scores, &settings, 1.0);
    for (count, expected) in
        [(2, vec![400, 400]), (3, vec![400, 400, 200]), (8, vec![400, 400, 200, 200, 100, 100, 100, 100])]
    {
        let plans = space.plans(1000).unwrap().into_iter().take(count).collect();
        let noise = ChaCha8Rng::seed_from_u64(0);
        let mut evaluator = Synthetic { good: vec![Source::Root; 2], noise, asked: 0 };
        let judged = pollster::block_on(halve(&problem, plans, 400, 3, &mut evaluator)).unwrap();
        assert_eq!(judged.iter().map(|judged| judged.image_passes).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn the_same_lack_counts_less_for_a_network_of_many_classes() {
    let mut space = space(2, 3);
    let (scores, settings) = (scores(&space), SearchSettings::default());
    let badness = |space: &Space, receiver: usize| {
        let join = Join { donor: 1 - receiver, donor_point: 1, receiver_point: 1 };
        problem(space, &scores, &settings, 1.0).badness(receiver, join)
    };
    assert_eq!(badness(&space, 0), badness(&space, 1));
    space.networks[1].units = 62;
    assert!(badness(&space, 0) > badness(&space, 1));
}
