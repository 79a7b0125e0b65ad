//! What runs of guarantees certify of the answers: the set, at least e of it, every label, the first, the ranking.

use crate::run_dir::Answer;

use super::curve::Run;
use super::tables::{cell, field, number};

/// One statement, over the examples of a run.
struct Line<'a> {
    run: &'a Run,
    k: usize,
    statement: String,
    /// Ascending.
    radii: Vec<f64>,
}

impl Line<'_> {
    fn certified(&self) -> Option<f64> {
        let certified = self.radii.iter().filter(|&&radius| radius > 0.0).count();
        (!self.radii.is_empty()).then(|| certified as f64 / self.radii.len() as f64)
    }

    fn mean(&self) -> Option<f64> {
        (!self.radii.is_empty()).then(|| self.radii.iter().sum::<f64>() / self.radii.len() as f64)
    }

    /// The lower one of two.
    fn median(&self) -> Option<f64> {
        self.radii.get(self.radii.len().checked_sub(1)? / 2).copied()
    }
}

fn lines(runs: &[Run]) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for run in runs {
        for answers in &run.answers {
            let mut line = |statement: String, radius: &dyn Fn(&Answer) -> f64| {
                let mut radii: Vec<f64> = answers.rows.iter().map(|row| radius(&row.answer)).collect();
                radii.sort_by(f64::total_cmp);
                // Nothing can break the statement where it was made: there is no radius to tell.
                let answered = answers.rows.iter().filter(|row| !row.answer.labels.is_empty());
                if !answered.map(|row| radius(&row.answer)).any(f64::is_infinite) {
                    lines.push(Line { run, k: answers.k, statement, radii });
                }
            };
            line("the set".into(), &|answer| answer.set);
            for e in (1..answers.k).rev() {
                line(format!("at least {e} of {}", answers.k), &|answer| answer.kept[e - 1]);
            }
            line("every label".into(), &Answer::all);
            line("the first label".into(), &|answer| answer.first);
            line("the ranking".into(), &|answer| answer.ranking);
        }
    }
    lines
}

/// The table; empty where no run holds guarantees.
pub fn markdown(runs: &[Run]) -> String {
    let lines = lines(runs);
    if lines.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "\n| run | k | what stays | certified | mean radius | median |\n| --- | ---: | --- | ---: | ---: | ---: |\n",
    );
    for line in &lines {
        let numbers = [line.certified(), line.mean(), line.median()].map(number).join(" | ");
        out += &format!("| {} | {} | {} | {numbers} |\n", cell(&line.run.name), line.k, line.statement);
    }
    out + "\nOver all examples, right or wrong, with radius 0 where nothing is certified. Each is a statement of its own.\n"
}

/// The same as CSV, with all digits; none where no run holds guarantees.
pub fn csv(runs: &[Run]) -> Option<String> {
    let lines = lines(runs);
    let mut out = String::from("run,k,statement,certified,mean_radius,median_radius\n");
    for line in &lines {
        let numbers = [line.certified(), line.mean(), line.median()];
        let numbers = numbers.map(|value| value.map(|value| value.to_string()).unwrap_or_default()).join(",");
        out += &format!("{},{},{},{numbers}\n", field(&line.run.name), line.k, line.statement);
    }
    (!lines.is_empty()).then_some(out)
}
