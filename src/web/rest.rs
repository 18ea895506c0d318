//! A run that rests when it is asked to.

use std::cell::Cell;

use crate::platform::hold;
use crate::project::{Event, Phase};

/// Training rests once a checkpoint of it has been kept, so that nothing is lost if the page is closed meanwhile; all else
/// rests where it next yields.
#[derive(Default)]
pub struct Rest {
    trains: Cell<bool>,
    /// Asked for, and not begun yet.
    wanted: Cell<bool>,
}

impl Rest {
    /// Asks the run to rest, or to go on.
    pub fn ask(&self, rests: bool) {
        self.wanted.set(rests && self.trains.get());
        hold(rests && !self.trains.get());
    }

    /// Begins what was asked for.
    pub fn begin(&self) {
        if self.wanted.take() {
            hold(true);
        }
    }

    /// Hears what a run tells.
    pub fn hear(&self, event: &Event) {
        if let Event::PhaseStarted { phase } = event {
            self.trains.set(*phase == Phase::Distil);
            self.begin();
        }
    }
}
