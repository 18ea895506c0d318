//! What is supported of each operator, as families declare it beside their code.

/// One operator of the standard domain that networks may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    pub name: &'static str,
    /// Operator sets in which the operator changed, from the oldest that is read on.
    pub versions: &'static [i64],
    pub gradient: Gradient,
    /// What is beyond the implementation, in words; empty where there is nothing.
    pub limits: &'static str,
}

/// Whether a loss behind an operator reaches what is before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gradient {
    /// Compared with finite differences in the operator's tests.
    Exact,
    /// The operator is constant almost everywhere: its gradient is 0.
    Zero,
    /// It is worked out when a network is loaded, and does not run.
    Host,
}

impl Gradient {
    /// The word of the operator table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "yes",
            Self::Zero => "zero",
            Self::Host => "constants only",
        }
    }

    /// Where the operator runs, in the words of the operator table.
    pub fn runs_on(self) -> &'static str {
        match self {
            Self::Exact | Self::Zero => "CPU, GPU",
            Self::Host => "–",
        }
    }
}

/// The operators as a Markdown table: docs/operators.md holds it.
pub fn table(operators: &[Support]) -> String {
    let mut table =
        String::from("| operator | versions | runs on | gradient | limits |\n|---|---|---|---|---|\n");
    for Support { name, versions, gradient, limits } in operators {
        let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
        let (versions, runs_on, gradient) = (versions.join(", "), gradient.runs_on(), gradient.as_str());
        table += &format!("| {name} | {versions} | {runs_on} | {gradient} | {limits} |\n");
    }
    table
}

impl Support {
    pub const fn new(name: &'static str, versions: &'static [i64]) -> Self {
        Self { name, versions, gradient: Gradient::Exact, limits: "" }
    }

    /// With words on what is beyond the implementation.
    pub const fn limits(self, limits: &'static str) -> Self {
        Self { limits, ..self }
    }

    /// Of an operator that is constant almost everywhere.
    pub const fn zero_gradient(self) -> Self {
        Self { gradient: Gradient::Zero, ..self }
    }

    /// Of an operator that is supported only where its result is known before the network runs.
    pub const fn host(self) -> Self {
        Self { gradient: Gradient::Host, ..self }
    }
}
