//! What runs of guarantees certify of the answers: the set, at least e of it, every label, the first, the ranking.

use smoothtopk::record::GuaranteeRecord;

use crate::run_dir::Example;

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
    for run in runs.iter().filter(|run| run.of_answers()) {
        for (i, &k) in run.ks().iter().enumerate() {
            // None is the radius of what nothing can break; there is then no line.
            let mut line = |statement: String, radius: &dyn Fn(&GuaranteeRecord) -> Option<f64>| {
                let of_example = |example: &Example| example.guarantees.get(i).map_or(Some(0.0), radius);
                let Some(mut radii) = run.examples.iter().map(of_example).collect::<Option<Vec<f64>>>() else { return };
                radii.sort_by(f64::total_cmp);
                lines.push(Line { run, k, statement, radii });
            };
            line("the set".into(), &|found| Some(found.set_radius));
            for e in (1..k).rev() {
                line(format!("at least {e} of {k}"), &|found| found.kept_radii[e - 1]);
            }
            line("every label".into(), &|found| Some(found.label_radii.iter().copied().fold(f64::INFINITY, f64::min)));
            line("the first label".into(), &|found| Some(found.first_radius));
            line("the ranking".into(), &|found| Some(found.ranking_radius));
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
