//! What the alpha of each run says of its statements, one by one and all together.

use crate::certify::budget;
use crate::number::number;
use crate::run_dir::Manifest;

use super::curve::Run;
use super::tables::cell;

pub fn markdown(runs: &[Run]) -> String {
    let of_run = |run: &Run| Some(format!("\n**{}**: {}\n", cell(&run.name), reading(run.manifest.as_ref()?)));
    runs.iter().filter_map(of_run).collect()
}

fn reading(manifest: &Manifest) -> String {
    let Manifest { alpha, examples, ref k, classes, guarantee, .. } = *manifest;
    let statements = budget::statements(examples, k, classes, guarantee);
    match manifest.alpha_total {
        Some(total) => {
            let all = match total < 1.0 {
                true => format!("with probability at least {} all of them are true, and", down(1.0 - total)),
                false => "nothing is said of all of them at once, but".to_owned(),
            };
            format!(
                "{statements} statements share an alpha of {0}, {alpha:.3e} each: {all} {0} of them at most are expected to be wrong.",
                number(total)
            )
        }
        None => {
            let total = alpha * statements as f64;
            let all = match total < 1.0 {
                true => format!("with probability at least {} all of them are true", down(1.0 - total)),
                false => "nothing is said of all of them at once (certify with --alpha-total for that)".to_owned(),
            };
            format!(
                "{statements} statements, each at alpha = {}: {} of them at most are expected to be wrong; {all}.",
                number(alpha),
                up(total)
            )
        }
    }
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
