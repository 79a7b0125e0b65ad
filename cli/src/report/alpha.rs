//! What the alpha of each run says of its statements, one by one and all together.

use crate::certify::budget::Statements;
use crate::number::rounded;
use crate::run_dir::Manifest;

use super::curve::Run;
use super::tables::cell;

pub fn markdown(runs: &[Run]) -> String {
    let of_run = |run: &Run| Some(format!("\n**{}**: {}\n", cell(&run.name), reading(run)?));
    runs.iter().filter_map(of_run).collect()
}

/// In words; none of a file that does not say.
pub fn reading(run: &Run) -> Option<String> {
    run.manifest.as_ref().map(of_manifest)
}

fn of_manifest(manifest: &Manifest) -> String {
    let request = &manifest.request;
    // The manifest's own text, which was parsed when the RUN was made.
    let rule = request.rule.parse().unwrap_or_default();
    let (classes, alpha) = (manifest.reading.classes, request.alpha);
    let Statements { all, refuting } =
        Statements::of(manifest.examples, &request.k, classes, manifest.guarantee, &rule);
    if manifest.perturbation.noise.is_enumerated() {
        return format!("{all} statements, without chance: all rows were classified.");
    }
    let of = match refuting {
        0 => String::new(),
        _ => format!(", {refuting} of them refutations (whether the rule could be met at all)"),
    };
    let total = manifest.alpha_total.unwrap_or(alpha * all as f64);
    let (shared, wrong) = match manifest.alpha_total {
        Some(total) => (format!("share an alpha of {}, {} each", rounded(total), rounded(alpha)), rounded(total)),
        None => (format!("are each at alpha = {}", rounded(alpha)), rounded(up(total))),
    };
    let together = match total < 1.0 {
        true => format!("With probability at least {} all of them are true.", down(1.0 - total)),
        false if manifest.alpha_total.is_some() => "Nothing is said of all of them at once.".to_owned(),
        false => "Nothing is said of all of them at once (certify with --alpha-total for that).".to_owned(),
    };
    format!("{all} statements{of} {shared}: at most {wrong} of them are expected to be false. {together}")
}

/// At least so much, in four decimals; 1e-9 is more than the error of the difference.
fn down(value: f64) -> f64 {
    ((value * 1e4 + 1e-9).floor() / 1e4).max(0.0)
}

/// At most so much, in four decimals.
fn up(value: f64) -> f64 {
    (value * 1e4 - 1e-9).ceil() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_promised_is_rounded_against_it() {
        assert_eq!((down(1.0 - 0.01), down(1.0 - 0.0123456), down(0.00001)), (0.99, 0.9876, 0.0));
        assert_eq!((up(0.2), up(0.02 + 0.01), up(0.00001)), (0.2, 0.03, 0.0001));
    }
}
