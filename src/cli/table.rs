//! Results as text.

use crate::join::{PlanSummary, SourceSummary};
use crate::report::Report;

/// A plan, one line per network.
pub fn plan(plan: &PlanSummary) -> String {
    let mut lines = vec![format!("plan: {:.1} % of the originals' MACs", plan.relative_macs * 100.0)];
    if let Some(cost) = plan.relative_cost {
        lines[0] += &format!(", {:.1} % of what the budget counts", cost * 100.0);
    }
    lines.extend(plan.networks.iter().map(|source| match source {
        SourceSummary::Root { network } => format!("  {network} keeps its own input"),
        SourceSummary::Join { network, donor, donor_tensor, receiver_tensor, .. } if donor == network => {
            format!("  {network} skips its layers from {donor_tensor} to {receiver_tensor}")
        }
        SourceSummary::Join { network, donor, donor_tensor, receiver_tensor, channels, .. } => {
            format!(
                "  {network} joins {donor}: {donor_tensor} ({} channels) becomes {receiver_tensor} ({})",
                channels[0], channels[1]
            )
        }
    }));
    lines.join("\n")
}

/// The results of a run.
pub fn report(report: &Report) -> String {
    let percent = |share: Option<f64>| share.map_or("-".into(), |share| format!("{:.2}", share * 100.0));
    let mut lines = vec![format!(
        "{:<14} {:>10} {:>10} {:>8} {:>11}",
        "test, %", "original", "merged", "change", "agreement"
    )];
    for task in &report.tasks {
        let scores = task.test;
        let change = scores.original.zip(scores.merged).map(|(original, merged)| merged - original);
        lines.push(format!(
            "{:<14} {:>10} {:>10} {:>8} {:>11}",
            task.name,
            percent(scores.original),
            percent(scores.merged),
            change.map_or("-".into(), |change| format!("{:+.2}", change * 100.0)),
            percent(Some(scores.agreement)),
        ));
    }
    let cost = &report.cost;
    let ratio = |compared: crate::report::Compared| compared.originals as f64 / compared.merged.max(1) as f64;
    lines.push(format!(
        "MACs per image {} against {} ({:.2}× fewer); parameters {} against {} ({:.2}× fewer)",
        millions(cost.macs.merged),
        millions(cost.macs.originals),
        ratio(cost.macs),
        thousands(cost.params.merged),
        thousands(cost.params.originals),
        ratio(cost.params),
    ));
    lines.push(format!(
        "one image here in {:.2} ms against {:.2} ms ({:.2}× faster)",
        cost.milliseconds.merged,
        cost.milliseconds.originals,
        cost.milliseconds.originals / cost.milliseconds.merged.max(1e-6),
    ));
    lines.push(format!(
        "saved: {} MACs in shared layers, {} in skipped ones",
        millions(cost.macs_shared),
        millions(cost.macs_skipped)
    ));
    let seconds = report.seconds;
    lines.push(format!(
        "seconds: {:.0} search, {:.0} training, {:.0} in all",
        seconds.search, seconds.train, seconds.total
    ));
    lines.join("\n")
}

/// Multiply-accumulate operations, short.
pub fn millions(macs: u64) -> String {
    format!("{:.2} M", macs as f64 / 1e6)
}

/// Parameters, short.
pub fn thousands(params: u64) -> String {
    format!("{:.1} k", params as f64 / 1e3)
}
