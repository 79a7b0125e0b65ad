//! How many samples the examples of a run took, and what was decided by them.

use smoothtopk::certificate::stop::Decision;

use super::curve::Run;
use super::tables::{cell, field};

const DECISIONS: [Decision; 4] = [Decision::Certified, Decision::Reached, Decision::Refuted, Decision::Undecided];

/// The samples of a run's examples.
struct Samples {
    mean: f64,
    median: u64,
    /// The 95th percentile.
    p95: u64,
}

impl Samples {
    /// None without examples. Percentiles are those of some example: the least that so large a share of them did not
    /// exceed.
    fn of(samples: impl Iterator<Item = u64>) -> Option<Self> {
        let mut samples: Vec<u64> = samples.collect();
        samples.sort_unstable();
        let last = samples.len().checked_sub(1)?;
        let mean = samples.iter().map(|&samples| samples as f64).sum::<f64>() / samples.len() as f64;
        // In whole numbers: ceil(share n) - 1.
        let at = |percent: usize| samples[(percent * samples.len()).div_ceil(100).saturating_sub(1).min(last)];
        Some(Self { mean, median: at(50), p95: at(95) })
    }
}

/// One line of the table.
struct Line<'a> {
    run: &'a Run,
    rule: &'a str,
    n: u64,
    k: usize,
    samples: Samples,
    /// Examples by decision, in the order of [`DECISIONS`].
    decided: [usize; 4],
}

fn lines(runs: &[Run]) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for run in runs {
        let Some(request) = run.manifest.as_ref().map(|manifest| &manifest.request) else { continue };
        if request.rule == "fixed" {
            continue;
        }
        for (at, &k) in request.k.iter().enumerate() {
            let Some(samples) = Samples::of(run.examples.iter().map(|example| example.samples)) else { continue };
            let count = |decision: Decision| {
                run.examples.iter().filter(|example| example.decision(at) == decision.to_string()).count()
            };
            lines.push(Line { run, rule: &request.rule, n: request.n, k, samples, decided: DECISIONS.map(count) });
        }
    }
    lines
}

/// The table; empty where no rule ended any samples.
pub fn markdown(runs: &[Run]) -> String {
    let lines = lines(runs);
    if lines.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "\n| run | k | rule | n at most | mean samples | median | 95% | certified | reached | refuted | undecided |\n\
         | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for Line {
        run,
        rule,
        n,
        k,
        samples: Samples { mean, median, p95 },
        decided: [certified, reached, refuted, undecided],
    } in lines
    {
        out += &format!(
            "| {} | {k} | {rule} | {n} | {mean:.0} | {median} | {p95} | {certified} | {reached} | {refuted} | {undecided} |\n",
            cell(&run.name)
        );
    }
    out + "\nSamples: of an example, for all of its k together. Decisions: examples, by what ended their samples.\n"
}

/// The same as CSV, with all digits; none where no rule ended any samples.
pub fn csv(runs: &[Run]) -> Option<String> {
    let lines = lines(runs);
    let mut out =
        String::from("run,k,rule,n,samples_mean,samples_median,samples_p95,certified,reached,refuted,undecided\n");
    for Line { run, rule, n, k, samples: Samples { mean, median, p95 }, decided } in &lines {
        let decided = decided.map(|examples| examples.to_string()).join(",");
        out += &format!("{},{k},{rule},{n},{mean},{median},{p95},{decided}\n", field(&run.name));
    }
    (!lines.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_examples() {
        let samples = Samples::of((1..=20).rev()).unwrap();
        assert_eq!((samples.mean, samples.median, samples.p95), (10.5, 10, 19));
        let one = Samples::of([7].into_iter()).unwrap();
        assert_eq!((one.mean, one.median, one.p95), (7.0, 7, 7));
        assert!(Samples::of([].into_iter()).is_none());
    }
}
