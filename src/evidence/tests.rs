use super::*;
use crate::join::{Join, JoinPoint, Plan, Source, Space, SpaceNetwork};
use crate::report::{CandidateReport, JudgedPlan, PlanLine, Scores, SearchLine, SpaceLine, TableLine};
use crate::search::{LikelySource, SearchSettings, SelectorName};

const POINTS: usize = 3;

/// Two networks of three join points, a thousand MACs between two of them.
fn space() -> Space {
    let point = |point: usize| JoinPoint {
        tensor: Default::default(),
        name: format!("p{point}"),
        channels: 2,
        height: 1,
        width: 1,
        macs_before: 1000 * (point as u64 + 1),
        macs_after: 1000 * (POINTS - point) as u64,
        activation: None,
    };
    let network = |name: &str| SpaceNetwork {
        name: name.into(),
        macs: 1000 * (POINTS as u64 + 1),
        units: 2,
        points: (0..POINTS).map(point).collect(),
    };
    Space { networks: vec![network("a"), network("b")], shortcuts: false, costs: None }
}

/// Joins late in the receiver lose most, and those that skip layers lose more.
fn drop_of(plan: &Plan) -> f64 {
    let loss = |(_, join): (usize, Join)| {
        4.0 * (join.receiver_point as f64 + 1.0) + 2.0 * join.donor_point.abs_diff(join.receiver_point) as f64
    };
    plan.joins().map(loss).sum()
}

fn scores_of(drop: f64) -> Scores {
    let merged = Some(0.9 - drop / 100.0);
    Scores { original: Some(0.9), merged, agreement: 0.5, images: 100, labelled: 100 }
}

/// A whole table of two seeds; `seen` is how good a join looks before training.
fn lines(seen: impl Fn(f64) -> f64) -> Vec<TableLine> {
    let space = space();
    let mut lines = Vec::new();
    for seed in [0, 1] {
        let candidates = space.candidates().into_iter().map(|(receiver, join)| {
            let looks = seen(drop_of(&Plan(match receiver {
                0 => vec![Source::Join(join), Source::Root],
                _ => vec![Source::Root, Source::Join(join)],
            })));
            CandidateReport {
                receiver,
                receiver_point: join.receiver_point,
                donor: join.donor,
                donor_point: join.donor_point,
                agreement: looks,
                kappa: looks,
                divergence: 1.0 - looks,
                r_squared: looks,
                macs_kept: 0.5,
            }
        });
        lines.push(TableLine::Space(Box::new(SpaceLine {
            version: "1".into(),
            seed,
            settings: serde_json::json!({ "seed": seed, "search": { "finalists": 2 } }),
            networks: space.networks.clone(),
            candidates: candidates.collect(),
            seconds: 2.0,
        })));
        for plan in space.plans(1000).unwrap() {
            // The seeds differ by two points.
            let drop = drop_of(&plan) + 2.0 * f64::from(seed);
            lines.push(TableLine::Plan(Box::new(PlanLine {
                seed,
                relative_macs: space.relative_macs(&plan),
                macs: space.macs(&plan),
                params: 1,
                image_passes: 64,
                validation: vec![scores_of(drop), scores_of(0.0)],
                test: vec![scores_of(0.0), scores_of(drop)],
                seconds: 1.0,
                plan,
            })));
        }
    }
    lines
}

fn of(evidence: &Evidence, selector: SelectorName) -> Vec<&SelectorFigures> {
    evidence.selectors.iter().filter(|figures| figures.selector == selector).collect()
}

#[test]
fn a_full_search_has_no_regret_and_a_good_score_finds_it_sooner() {
    let table = Table::new(lines(|drop| 1.0 - drop / 20.0)).unwrap();
    assert!(table.is_whole());
    let evidence = figures(&table, Some(vec![0.65, 0.8]));
    for figures in of(&evidence, SelectorName::Exhaustive) {
        assert!(figures.regret.unwrap().abs() < 1e-9);
        assert!((figures.hypervolume_ratio.unwrap() - 1.0).abs() < 1e-9);
        // Two seeds two points apart.
        assert!((figures.seed_noise - f64::sqrt(2.0)).abs() < 1e-9);
    }
    let plans = table.rows.len() as f64;
    for figures in of(&evidence, SelectorName::Matching) {
        assert!(figures.regret.unwrap().abs() < 1e-9);
        // Scoring and two finalists, against scoring and every plan.
        assert!((figures.time_ratio.unwrap() - 4.0 / (2.0 + plans)).abs() < 1e-9);
        assert!(!figures.run);
    }
    let predictor =
        |name: &str| evidence.predictors.iter().find(|figures| figures.predictor == name).unwrap();
    assert!(predictor("variance explained").spearman > 0.99);
    assert!(predictor("agreement beyond chance").spearman_within_receiver_point > 0.99);
    assert!(evidence.predictors.iter().all(|figures| figures.predictor != "probability in the search"));
}

#[test]
fn a_score_that_is_upside_down_is_told_by_its_correlation_and_its_regret() {
    let table = Table::new(lines(|drop| drop / 20.0)).unwrap();
    let evidence = figures(&table, Some(vec![0.8]));
    let predictor = evidence.predictors.iter().find(|figures| figures.predictor == "divergence").unwrap();
    assert!(predictor.spearman < -0.99 && predictor.kendall_tau_b < -0.99);
    assert!(of(&evidence, SelectorName::ShareAll)[0].regret.unwrap() > 1.0);
}

#[test]
fn a_search_that_was_run_counts_as_it_was() {
    let plan = Plan(vec![Source::Root, Source::Join(Join { donor: 0, donor_point: 2, receiver_point: 1 })]);
    let likely = |source: Source, probability| match source {
        Source::Root => LikelySource { donor: None, donor_point: 0, receiver_point: 0, probability },
        Source::Join(Join { donor, donor_point, receiver_point }) => {
            LikelySource { donor: Some(donor), donor_point, receiver_point, probability }
        }
    };
    let mut all = lines(|_| 0.5);
    for seed in [0, 1] {
        all.push(TableLine::Search(Box::new(SearchLine {
            selector: SelectorName::Differentiable,
            budget: 0.8,
            seed,
            plan: plan.clone(),
            judged: Vec::<JudgedPlan>::new(),
            likely: Some(vec![vec![likely(Source::Root, 1.0)], vec![likely(plan.0[1], 0.7)]]),
            seconds: 3.0,
        })));
    }
    let table = Table::new(all).unwrap();
    let evidence = figures(&table, None);
    let [figures] = of(&evidence, SelectorName::Differentiable)[..] else { panic!("one budget") };
    assert!(figures.run);
    assert!((figures.drop - (drop_of(&plan) + 1.0)).abs() < 1e-9);
    assert!((figures.time_ratio.unwrap() - 5.0 / (2.0 + table.rows.len() as f64)).abs() < 1e-9);
    let [likeliest] = &evidence.most_probable[..] else { panic!("one budget") };
    // The search left the chosen plan alone in its network, and that is the likeliest within the budget.
    assert_eq!((likeliest.seeds, likeliest.regret), (2, likeliest.regret_of_finalists));
    let text = document(&table, &evidence, &["plans.svg"]);
    assert!(text.contains("| differentiable | 0.8 |"), "{text}");
    let plots = plots(&table, &evidence);
    assert_eq!(plots.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["plans.svg", "regret.svg"]);
    assert!(plots.iter().all(|(_, text)| text.starts_with("<svg") && text.trim_end().ends_with("</svg>")));
}

#[test]
fn lines_of_different_tables_and_halves_of_one_are_told_apart() {
    let mut mixed = lines(|_| 0.5);
    for line in &mut mixed {
        if let TableLine::Plan(line) = line {
            line.image_passes += line.seed as usize;
        }
    }
    let error = Table::new(mixed).err().unwrap().to_string();
    assert!(error.contains("different numbers of image passes"), "{error}");

    let mut half = lines(|_| 0.5);
    half.truncate(half.len() - 1);
    let table = Table::new(half).unwrap();
    assert!(!table.is_whole());
    assert!(figures(&table, None).selectors.iter().all(|figures| figures.regret.is_none()));

    let searches: Vec<TableLine> = lines(|_| 0.5).into_iter().skip(1).take(1).collect();
    assert!(Table::new(searches).err().unwrap().to_string().contains("describes the space"));
}

#[test]
fn what_an_earlier_version_did_not_say_is_what_it_is_by_default() {
    let settings_of = |line: &mut TableLine, settings: serde_json::Value| {
        if let TableLine::Space(line) = line {
            line.settings = settings;
        }
    };
    let whole = |search: SearchSettings| serde_json::json!({ "seed": 0, "cost": "macs", "base": null, "search": search });
    let mut known = lines(|drop| 1.0 - drop / 20.0);
    settings_of(&mut known[0], whole(SearchSettings { finalists: 2, ..SearchSettings::default() }));
    assert!(Table::new(known.clone()).is_ok());
    settings_of(&mut known[0], whole(SearchSettings { shortcuts: true, ..SearchSettings::default() }));
    assert!(matches!(Table::new(known), Err(EvidenceError::Mixed { what: "settings" })));
}
