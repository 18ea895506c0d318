//! Progress on a terminal, and plain lines elsewhere.

use std::cell::RefCell;
use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use crate::project::{Event, Phase};

/// Shows the events of a run.
pub struct Progress {
    terminal: bool,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    bar: Option<(Phase, ProgressBar)>,
    /// Steps of the part of the phase that is going on.
    total: usize,
    /// Tenths of it that a plain line has told of.
    tenths: usize,
    note: String,
}

impl Progress {
    pub fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal(), state: RefCell::default() }
    }

    /// Takes one event.
    pub fn show(&self, event: Event) {
        let mut state = self.state.borrow_mut();
        match event {
            Event::PhaseStarted { phase } => {
                finish(&mut state);
                state.tenths = 0;
                state.note.clear();
                if !self.terminal {
                    eprintln!("{}", title(phase));
                }
            }
            Event::Progress { phase, done, total, seconds_left } => {
                self.advance(&mut state, phase, done, total, seconds_left);
            }
            Event::PlanJudged { plan, image_passes, worst_drop_points } => self.line(
                &state,
                &format!(
                    "  plan at {:.1} % of the MACs: worst drop {worst_drop_points:+.2} points after {image_passes} image passes",
                    plan.relative_macs * 100.0
                ),
            ),
            Event::PlanChosen { plan } => self.line(&state, &super::table::plan(&plan)),
            Event::Step { loss, images_per_second, .. } => {
                state.note = format!("loss {loss:.3}, {images_per_second:.0} images/s");
            }
            Event::Validated { student, teacher, .. } => {
                let tasks: Vec<String> = student
                    .iter()
                    .zip(&teacher)
                    .map(|(student, teacher)| format!("{:.1}/{:.1}", student * 100.0, teacher * 100.0))
                    .collect();
                self.line(&state, &format!("  validation, merged/original in %: {}", tasks.join("  ")));
            }
            Event::Warning { message } => self.line(&state, &format!("warning: {message}")),
            Event::SearchStep { step } => {
                let (cost, entropy) = (step.expected_cost * 100.0, step.entropy * 100.0);
                state.note = format!("expected cost {cost:.0} %, entropy {entropy:.0} %");
            }
            Event::CandidateScored { .. } => {}
        }
    }

    /// Clears the bar.
    pub fn finish(&self) {
        finish(&mut self.state.borrow_mut());
    }

    fn advance(&self, state: &mut State, phase: Phase, done: usize, total: usize, seconds_left: Option<f64>) {
        if total != state.total {
            (state.total, state.tenths) = (total, 0);
        }
        if self.terminal {
            if state.bar.as_ref().is_none_or(|(known, _)| *known != phase) {
                let style = ProgressStyle::with_template("{prefix:9} {bar:40} {pos}/{len} {msg}");
                let bar = ProgressBar::new(total as u64).with_prefix(title(phase));
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                state.bar = Some((phase, bar));
            }
            if let Some((_, bar)) = &state.bar {
                bar.set_length(total as u64);
                bar.set_position(done as u64);
                bar.set_message(format!("{} {}", left(seconds_left), state.note));
            }
        } else {
            let tenths = done * 10 / total.max(1);
            if tenths > state.tenths {
                state.tenths = tenths;
                eprintln!("  {done}/{total} {} {}", left(seconds_left), state.note);
            }
        }
    }

    fn line(&self, state: &State, text: &str) {
        match &state.bar {
            Some((_, bar)) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }
}

fn finish(state: &mut State) {
    if let Some((_, bar)) = state.bar.take() {
        bar.finish_and_clear();
    }
}

fn left(seconds: Option<f64>) -> String {
    match seconds {
        Some(seconds) if seconds >= 60.0 => format!("{:.0} min left", seconds / 60.0),
        Some(seconds) => format!("{seconds:.0} s left"),
        None => String::new(),
    }
}

fn title(phase: Phase) -> &'static str {
    match phase {
        Phase::Teachers => "teachers",
        Phase::Score => "score",
        Phase::Search => "search",
        Phase::Distil => "distil",
        Phase::Evaluate => "evaluate",
        Phase::Export => "export",
    }
}
