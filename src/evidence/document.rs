//! The figures as a Markdown text.

use std::fmt::Write;

use super::figures::{Evidence, SelectorFigures};
use super::hypervolume::REFERENCE_DROP;
use super::most_probable::MostProbable;
use super::table::Table;
use crate::join::SourceSummary;

/// Writes all tables, with what they mean. Plots are shown from beside the text, by the names that they have.
pub fn document(table: &Table, evidence: &Evidence, plots: &[&str]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, table, evidence, plots);
    text
}

fn write(text: &mut String, table: &Table, evidence: &Evidence, plots: &[&str]) -> std::fmt::Result {
    let Evidence { tasks, plans, whole, seeds, image_passes, full_seconds, .. } = evidence;
    writeln!(text, "# Evidence: {}\n", tasks.join(" + "))?;
    let share = match (whole, table.plans) {
        (true, _) => "all plans of the space".into(),
        (false, Some(all)) => format!("of {all} plans of the space"),
        (false, None) => "of more plans than can be counted".into(),
    };
    writeln!(
        text,
        "{plans} plans ({share}), each fine-tuned with {image_passes} image passes and {} ({:.0} min of processor time \
         per seed). A drop is the loss of accuracy of the task that loses most, in points. Plans are chosen on the \
         validation split and judged on the test split.\n",
        counted(seeds.len(), "seed"),
        full_seconds / 60.0
    )?;
    for name in plots {
        writeln!(text, "![{}]({name})\n", name.trim_end_matches(".svg"))?;
    }
    selectors(text, evidence)?;
    most_probable(text, evidence)?;
    predictors(text, evidence)?;
    front(text, table, evidence)
}

fn selectors(text: &mut String, evidence: &Evidence) -> std::fmt::Result {
    writeln!(text, "## Searches\n")?;
    writeln!(
        text,
        "Regret: mean drop on test of the plans chosen (one search per seed), above that of the plan which a full search \
         with all seeds chooses. Seed noise: standard deviation of a plan's drop between seeds, pooled over the best \
         quarter of the plans within the budget. Time: processor time of the whole search, and relative to training every plan. Hypervolume: \
         of the choices at all budgets, up to a drop of {REFERENCE_DROP:.0} points, relative to a full search's; of the \
         fronts, with all plans that a search compared and that no other of these beats.\n"
    )?;
    writeln!(
        text,
        "| selector | budget | drop | regret | seed noise | time | hypervolume | of the fronts |"
    )?;
    writeln!(text, "|---|--:|--:|--:|--:|--:|--:|--:|")?;
    for figures in &evidence.selectors {
        let SelectorFigures { selector, budget, run, drop, regret, seed_noise, .. } = figures;
        let volume = |volume: [f64; 2]| match figures.hypervolume_ratio {
            // Both in units of the full search's.
            Some(ratio) => number(volume[0] * ratio / figures.hypervolume[0], 3),
            None => with_spread(volume),
        };
        let fronts = figures.front_hypervolume.map_or_else(|| "–".into(), volume);
        let volume = volume(figures.hypervolume);
        writeln!(
            text,
            "| {}{} | {budget} | {drop:.2} | {} | {} | {} | {volume} | {fronts} |",
            selector.as_str(),
            if *run { "" } else { " (replayed)" },
            number(regret.unwrap_or(f64::NAN), 2),
            number(*seed_noise, 2),
            time(figures),
        )?;
    }
    writeln!(
        text,
        "\nA replayed search judges plans by the table's rows, with all their image passes, and is charged their time.\n"
    )
}

fn time(figures: &SelectorFigures) -> String {
    let share = figures.time_ratio.map_or(String::new(), |ratio| format!(" ({:.1} %)", ratio * 100.0));
    format!("{:.0} s{share}", figures.seconds)
}

fn most_probable(text: &mut String, evidence: &Evidence) -> std::fmt::Result {
    if evidence.most_probable.is_empty() {
        return Ok(());
    }
    writeln!(text, "## Probabilities against comparing\n")?;
    writeln!(
        text,
        "Regret of the plan within the budget to which the differentiable search gives the highest probability, beside that of \
         the one which the same searches chose by training finalists briefly.\n"
    )?;
    writeln!(text, "| budget | searches | most probable | chosen |")?;
    writeln!(text, "|--:|--:|--:|--:|")?;
    for MostProbable { budget, seeds, regret, regret_of_finalists, .. } in &evidence.most_probable {
        writeln!(text, "| {budget} | {seeds} | {regret:.2} | {regret_of_finalists:.2} |")?;
    }
    writeln!(text)
}

fn predictors(text: &mut String, evidence: &Evidence) -> std::fmt::Result {
    writeln!(text, "## What ranks plans beforehand\n")?;
    writeln!(
        text,
        "Correlation with the mean drop on test, over all plans that share something; 1 is a perfect ranking. *Cost alone* \
         ranks the dearest plan first: what does no better only knows the cost.\n"
    )?;
    writeln!(
        text,
        "| predictor | plans | Kendall τ-b | Spearman ρ | ρ with agreement | ρ in the best quarter | ρ within a receiver point | precision@10 |"
    )?;
    writeln!(text, "|---|--:|--:|--:|--:|--:|--:|--:|")?;
    for figures in &evidence.predictors {
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            figures.predictor,
            figures.plans,
            number(figures.kendall_tau_b, 2),
            number(figures.spearman, 2),
            number(figures.spearman_agreement, 2),
            number(figures.spearman_top_quarter, 2),
            number(figures.spearman_within_receiver_point, 2),
            number(figures.precision_at_10, 2)
        )?;
    }
    writeln!(text)
}

fn front(text: &mut String, table: &Table, evidence: &Evidence) -> std::fmt::Result {
    writeln!(text, "## The front\n")?;
    writeln!(text, "The plans that no other beats in cost and in mean drop on validation.\n")?;
    writeln!(text, "| relative MACs | drop, validation | drop, test | plan |")?;
    writeln!(text, "|--:|--:|--:|---|")?;
    for plan in &evidence.front {
        let joins: Vec<String> = table.space.summary(&plan.plan).networks.iter().filter_map(join).collect();
        let joins = if joins.is_empty() { "the originals apart".into() } else { joins.join("; ") };
        writeln!(
            text,
            "| {:.3} | {:.2} | {:.2} | {joins} |",
            plan.relative_macs, plan.validation, plan.test
        )?;
    }
    Ok(())
}

/// A join in words; points are counted from 1.
fn join(source: &SourceSummary) -> Option<String> {
    match source {
        SourceSummary::Root { .. } => None,
        SourceSummary::Join { network, donor, donor_point, receiver_point, .. } if donor == network => {
            Some(format!("{network} skips from its point {} to {}", donor_point + 1, receiver_point + 1))
        }
        SourceSummary::Join { network, donor, donor_point, receiver_point, .. } => Some(format!(
            "{network} after its point {} reads {donor} at point {}",
            receiver_point + 1,
            donor_point + 1
        )),
    }
}

/// What cannot be computed, for want of seeds or of differences, is a dash.
fn number(value: f64, digits: usize) -> String {
    if value.is_finite() { format!("{value:.digits$}") } else { "–".into() }
}

fn with_spread(figures: [f64; 2]) -> String {
    figures.map(|figure| number(figure, 3)).join(" ± ")
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
