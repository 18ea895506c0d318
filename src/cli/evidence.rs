//! `graftlab evidence`: the figures of tables.

use super::plan_table::read_lines;
use super::{EvidenceOptions, Failure, paths};
use crate::evidence::{EvidenceError, Table, document, figures, plots};

/// `graftlab evidence`
pub fn evidence(options: &EvidenceOptions) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for path in &options.tables {
        lines.append(&mut read_lines(path, &paths::read(path)?)?);
    }
    let bad = |error: EvidenceError| Failure::BadInput(error.to_string());
    let table = Table::new(lines).map_err(bad)?;
    let evidence = figures(&table, options.budgets.clone());
    let json = serde_json::to_string_pretty(&evidence)
        .map_err(|error| Failure::Failed(format!("evidence.json: {error}")))?;
    if let Some(folder) = &options.out {
        let plots = plots(&table, &evidence);
        let names: Vec<&str> = plots.iter().map(|(name, _)| *name).collect();
        for (name, text) in &plots {
            paths::write(&folder.join(name), text.as_bytes())?;
        }
        paths::write(&folder.join("README.md"), document(&table, &evidence, &names).as_bytes())?;
        paths::write(&folder.join("evidence.json"), format!("{json}\n").as_bytes())?;
    }
    if options.json {
        println!("{json}");
    } else if options.out.is_none() {
        println!("{}", document(&table, &evidence, &[]));
    }
    Ok(())
}
