//! What was checked and measured, printed as it comes and as a table at the end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use smoothtopk::Result;

/// How a check ended, with what is worth knowing of it.
pub enum Outcome {
    Passed(String),
    Failed(String),
    /// Not made, and why.
    Skipped(String),
}

#[derive(Default)]
pub struct Report {
    rows: Vec<(String, Outcome)>,
}

impl Report {
    /// Makes a check. An error that it does not expect is a failure.
    pub fn check(&mut self, name: impl Into<String>, check: impl FnOnce() -> Result<Outcome>) {
        let name = name.into();
        eprintln!("{name} ..");
        let start = Instant::now();
        let outcome = match catch_unwind(AssertUnwindSafe(check)) {
            Ok(made) => made.unwrap_or_else(|error| Outcome::Failed(error.to_string())),
            Err(_) => Outcome::Failed("it panicked: see above".to_owned()),
        };
        let (word, detail) = words(&outcome);
        eprintln!("{name}: {word} ({:.1} s) {detail}", start.elapsed().as_secs_f64());
        self.rows.push((name, outcome));
    }

    pub fn has_failed(&self) -> bool {
        self.rows.iter().any(|(_, outcome)| matches!(outcome, Outcome::Failed(_)))
    }

    /// The table, one line for each check.
    pub fn table(&self) -> String {
        let width = self.rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let line = |(name, outcome): &(String, Outcome)| {
            let (word, detail) = words(outcome);
            format!("{name:width$}  {word:7}  {detail}").trim_end().to_owned() + "\n"
        };
        self.rows.iter().map(line).collect()
    }
}

fn words(outcome: &Outcome) -> (&'static str, &str) {
    match outcome {
        Outcome::Passed(detail) => ("ok", detail),
        Outcome::Failed(detail) => ("FAILED", detail),
        Outcome::Skipped(why) => ("skipped", why),
    }
}
