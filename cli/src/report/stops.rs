//! How many rows the examples of a run took, and what was decided by them.

use smoothtopk::certificate::stop::Decision;

use super::curve::Run;
use super::tables::{cell, field};

const DECISIONS: [Decision; 4] = [Decision::Certified, Decision::Reached, Decision::Refuted, Decision::Undecided];

/// The rows of a run's examples.
struct Rows {
    mean: f64,
    median: u64,
    /// The 95th percentile.
    p95: u64,
}

impl Rows {
    /// None without examples. Percentiles are rows of some example: the least that so large a share of them did not exceed.
    fn of(rows: impl Iterator<Item = u64>) -> Option<Self> {
        let mut rows: Vec<u64> = rows.collect();
        rows.sort_unstable();
        let last = rows.len().checked_sub(1)?;
        let mean = rows.iter().map(|&rows| rows as f64).sum::<f64>() / rows.len() as f64;
        // In whole numbers: ceil(share n) - 1.
        let at = |percent: usize| rows[(percent * rows.len()).div_ceil(100).saturating_sub(1).min(last)];
        Some(Self { mean, median: at(50), p95: at(95) })
    }
}

/// One line of the table.
struct Line<'a> {
    run: &'a Run,
    rule: &'a str,
    n: u64,
    k: usize,
    rows: Rows,
    /// Examples by decision, in the order of [`DECISIONS`].
    decided: [usize; 4],
}

fn lines(runs: &[Run]) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for run in runs {
        let Some(manifest) = run.manifest.as_ref().filter(|manifest| manifest.rule != "fixed") else { continue };
        for (at, &k) in manifest.k.iter().enumerate() {
            let Some(rows) = Rows::of(run.stops.iter().map(|stop| stop.rows)) else { continue };
            let count = |decision| run.stops.iter().filter(|stop| stop.of_k[at].decision == decision).count();
            lines.push(Line { run, rule: &manifest.rule, n: manifest.n, k, rows, decided: DECISIONS.map(count) });
        }
    }
    lines
}

/// The table; empty where no rule ended any rows.
pub fn markdown(runs: &[Run]) -> String {
    let lines = lines(runs);
    if lines.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "\n| run | k | rule | n at most | mean rows | median | 95% | certified | reached | refuted | undecided |\n\
         | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for Line { run, rule, n, k, rows: Rows { mean, median, p95 }, decided: [certified, reached, refuted, undecided] } in
        lines
    {
        out += &format!(
            "| {} | {k} | {rule} | {n} | {mean:.0} | {median} | {p95} | {certified} | {reached} | {refuted} | {undecided} |\n",
            cell(&run.name)
        );
    }
    out + "\nRows: of an example, for all of its k together. Decisions: examples, by what ended their rows.\n"
}

/// The same as CSV, with all digits; none where no rule ended any rows.
pub fn csv(runs: &[Run]) -> Option<String> {
    let lines = lines(runs);
    let mut out = String::from("run,k,rule,n,rows_mean,rows_median,rows_p95,certified,reached,refuted,undecided\n");
    for Line { run, rule, n, k, rows: Rows { mean, median, p95 }, decided } in &lines {
        let decided = decided.map(|examples| examples.to_string()).join(",");
        out += &format!("{},{k},{rule},{n},{mean},{median},{p95},{decided}\n", field(&run.name));
    }
    (!lines.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_rows_of_examples() {
        let rows = Rows::of((1..=20).rev()).unwrap();
        assert_eq!((rows.mean, rows.median, rows.p95), (10.5, 10, 19));
        let one = Rows::of([7].into_iter()).unwrap();
        assert_eq!((one.mean, one.median, one.p95), (7.0, 7, 7));
        assert!(Rows::of([].into_iter()).is_none());
    }
}
