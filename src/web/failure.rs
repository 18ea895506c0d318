//! Errors as JavaScript has them: an `Error` with a message, a hint and a code.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

use crate::project::ProjectError;
use crate::search::SearchError;

/// What went wrong, for the page.
pub struct Failure {
    message: String,
    code: &'static str,
    /// The smallest budget that can be met, where none was found for a smaller one.
    nearest_budget: Option<f64>,
}

impl Failure {
    pub fn new(message: impl Into<String>, code: &'static str) -> Self {
        Self { message: message.into(), code, nearest_budget: None }
    }

    /// A second call while a run is going on.
    pub fn busy() -> Self {
        Self::new("a run is going on. Hint: stop it first", "busy")
    }
}

/// A message between page and core that does not have the agreed form.
pub fn bad_message(what: &str) -> Failure {
    Failure::new(format!("a message could not be understood: {what}"), "bad_message")
}

impl From<ProjectError> for Failure {
    fn from(error: ProjectError) -> Self {
        let nearest_budget = match error {
            ProjectError::Search(SearchError::BudgetOutOfReach { nearest, .. }) => Some(nearest),
            _ => None,
        };
        Self { nearest_budget, ..Self::new(error.to_string(), error.code()) }
    }
}

impl From<Failure> for JsValue {
    /// An `Error` whose `message` is what was wrong, whose `hint` is what to do next, if there is one, and whose
    /// `code` is a short name for programs. With the code `budget_out_of_reach`, `nearestBudget` is a number.
    fn from(failure: Failure) -> Self {
        let (message, hint) = match failure.message.split_once(" Hint: ") {
            Some((message, hint)) => (message, Some(hint)),
            None => (failure.message.as_str(), None),
        };
        let error = js_sys::Error::new(message);
        // Setting a property of a new object does not fail.
        let _ = Reflect::set(&error, &"code".into(), &failure.code.into());
        if let Some(hint) = hint {
            let _ = Reflect::set(&error, &"hint".into(), &hint.into());
        }
        if let Some(nearest) = failure.nearest_budget {
            let _ = Reflect::set(&error, &"nearestBudget".into(), &nearest.into());
        }
        error.into()
    }
}
