//! Uniform noise against a table of certificates by exact rationals, from a reference that is not this project's.

use smoothtopk::certificate::Query;
use smoothtopk::counts::{Assumed, Counts};
use smoothtopk::perturbation::Uniform;
use smoothtopk::stats::Allocation;

const TABLE: &str = include_str!("../../golden/l1_uniform.tsv");

/// `1/4` or `0.25`.
pub fn number(text: &str) -> f64 {
    match text.split_once('/') {
        Some((above, below)) => above.parse::<f64>().unwrap() / below.parse::<f64>().unwrap(),
        None => text.parse().unwrap(),
    }
}

/// `7 2x3`: one rival with 7 samples, three with 2.
pub fn rivals(text: &str) -> Vec<u64> {
    let runs =
        text.split([' ', ',']).filter(|run| !run.is_empty()).map(|run| run.split_once('x').unwrap_or((run, "1")));
    runs.flat_map(|(count, labels)| vec![count.parse().unwrap(); labels.parse().unwrap()]).collect()
}

#[test]
fn radii_are_never_above_the_exact_ones_and_close_to_them() {
    let mut certified = 0;
    for line in TABLE.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [label, others, invalid, n, k, alpha, bound, lambda, _, _, _, _, radius, ..] = fields[..] else {
            panic!("{line}")
        };
        let allocation: Allocation = bound.parse().unwrap();
        let labels: Vec<u64> = [label.parse().unwrap()].into_iter().chain(rivals(others)).collect();
        let (lambda, exact) = (number(lambda), number(radius).max(0.0));
        let n: u64 = n.parse().unwrap();
        assert_eq!(n, labels.iter().sum::<u64>() + invalid.parse::<u64>().unwrap(), "{line}");
        let counts = Counts::assuming(labels, Some(n), Assumed::fixed(Uniform::new(lambda).unwrap())).unwrap();
        let query = Query { k: k.parse().unwrap(), alpha: number(alpha), allocation, ..Query::of_label(0) };
        let found = counts.certify(&query).unwrap().radius;
        assert!(found <= exact, "{line}: {found} is above {exact}");
        assert!(exact - found <= 1e-9 * lambda, "{line}: {found} is short of {exact}");
        certified += u32::from(found > 0.0);
    }
    assert!(certified > 100, "{certified}");
}
