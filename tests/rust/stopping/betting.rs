//! Rows to decide whether a label of probability p is certified at a radius, against the betting sequence of Voracek
//! (NeurIPS 2024): computed, not simulated. The table of docs/statistics.md, by
//!
//!     cargo test --test library betting -- --nocapture

use smoothtopk::certificate::stop::{CertifyJudge, Decision, Look, Rule, Statement, StopJudge, Terms};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Allocation, Tally, normal};

const ALPHA: f64 = 0.001;
const N_MAX: u64 = 6000;

/// A look after `n` rows: it refutes where the label has fewer than `low` of them, and certifies where it has `high` or
/// more.
struct Gate {
    n: u64,
    low: u64,
    high: u64,
}

/// The gates at `looks` of a test that certifies at `certifies(n, s)`, and refutes at `refutes(n, s)`, s successes in n
/// rows. With n no fewer successes certify, and no fewer failures refute.
fn gates(
    looks: impl Iterator<Item = u64>,
    certifies: impl Fn(u64, u64) -> bool,
    refutes: impl Fn(u64, u64) -> bool,
) -> Vec<Gate> {
    let (mut high, mut failures) = (0, 0);
    let gate = |n| {
        high = (high..=n).find(|&s| certifies(n, s)).unwrap_or(n + 1);
        failures = (failures..=n).find(|&f| refutes(n, n - f)).unwrap_or(n + 1);
        Gate { n, low: n + 1 - failures, high }
    };
    looks.map(gate).collect()
}

/// The library's rule, at the looks it asks for; sigma is 1.
fn ours(radius: f64) -> Vec<Gate> {
    let terms = Terms { rule: Rule::Radius(radius), classes: 2, alpha: ALPHA, n_max: N_MAX };
    let statement = Statement { k: 1, allocation: Allocation::BinoCp };
    let judge = CertifyJudge::new(&terms, 0, Gaussian::new(1.0).expect("sigma"), 0.0, vec![statement]).expect("terms");
    let looks = std::iter::successors(Some(judge.next_look(0)), |&n| (n < N_MAX).then(|| judge.next_look(n)));
    let decides = |n, s, decision| {
        let mut judge = judge.clone();
        let look = judge.look(&Tally::complete(vec![s, n - s]).expect("counts")).expect("counts");
        look == Look::Stop && judge.verdicts()[0].decision == decision
    };
    gates(looks, |n, s| decides(n, s, Decision::Certified), |n, s| decides(n, s, Decision::Refuted))
}

/// The Krichevsky-Trofimov bettor against p0, looked at after every row: it has decided when its capital is 1/alpha.
fn betting(p0: f64, q0: f64) -> Vec<Gate> {
    let decides = |n: u64, s: u64| {
        let (n, s) = (n as f64, s as f64);
        let f = n - s;
        // The bettor's capital is the mixture of likelihood ratios over Beta(1/2, 1/2).
        let beta = libm::lgamma(s + 0.5) + libm::lgamma(f + 0.5) - libm::lgamma(n + 1.0);
        beta - std::f64::consts::PI.ln() - s * p0.ln() - f * q0.ln() >= -ALPHA.ln()
    };
    let certifies = |n: u64, s: u64| s as f64 > p0 * n as f64 && decides(n, s);
    let refutes = |n: u64, s: u64| (s as f64) < p0 * n as f64 && decides(n, s);
    gates(1..=N_MAX, certifies, refutes)
}

/// Mean and median of the rows after which a gate stops them, by the probabilities of all numbers of successes still
/// open; no gate stops them after the last.
fn rows(gates: &[Gate], p: f64) -> (f64, u64) {
    let (mut open, mut n) = (vec![1.0], 0);
    // The probability of i + first successes.
    let mut first = 0;
    let (mut mean, mut stopped, mut median) = (0.0, 0.0, N_MAX);
    for gate in gates {
        open.resize(open.len() + (gate.n - n) as usize, 0.0);
        for _ in n..gate.n {
            for i in (0..open.len()).rev() {
                open[i] = open[i] * (1.0 - p) + if i > 0 { open[i - 1] * p } else { 0.0 };
            }
        }
        n = gate.n;
        let place = |successes: u64| ((successes.max(first) - first) as usize).min(open.len());
        let (low, high) = (place(gate.low), place(gate.high));
        let left = open[low..high.max(low)].to_vec();
        let out = open.iter().sum::<f64>() - left.iter().sum::<f64>();
        (mean, stopped) = (mean + out * n as f64, stopped + out);
        if stopped >= 0.5 {
            median = median.min(n);
        }
        (first, open) = (first + low as u64, left);
        if open.is_empty() || stopped > 1.0 - 1e-12 {
            return (mean, median);
        }
    }
    (mean + (1.0 - stopped) * N_MAX as f64, median)
}

#[test]
fn no_slower_than_the_betting_sequence() {
    println!("| r/sigma | p | betting, mean | median | ours, mean | median | ratio of means |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let (mut sum, mut cases, mut largest) = (0.0, 0.0, 0.0f64);
    for radius in [0.5, 1.0, 2.0] {
        let (p0, q0) = (normal::cdf(radius), normal::sf(radius));
        let (ours, betting) = (ours(radius), betting(p0, q0));
        let refuted = (0..20).map(|i| p0 * f64::from(i) / 20.0);
        let certified = (1..=20).map(|i| p0 + q0 * f64::from(i) / 20.0);
        for (i, p) in refuted.chain(certified).enumerate() {
            let (theirs, found) = (rows(&betting, p), rows(&ours, p));
            if theirs.0 > N_MAX as f64 / 2.0 {
                continue;
            }
            let ratio = found.0 / theirs.0;
            if i % 4 == 0 || i == 39 {
                let ((mean, median), (our_mean, our_median)) = (theirs, found);
                println!("| {radius} | {p:.4} | {mean:.1} | {median} | {our_mean:.1} | {our_median} | {ratio:.2} |");
            }
            assert!(ratio <= 1.05, "radius {radius}, p {p}: mean {} against {}", found.0, theirs.0);
            assert!(
                found.1 as f64 <= 1.05 * theirs.1 as f64,
                "radius {radius}, p {p}: {} against {}",
                found.1,
                theirs.1
            );
            (sum, cases, largest) = (sum + ratio, cases + 1.0, largest.max(ratio));
        }
    }
    println!("\nratio over all {cases} p: mean {:.3}, largest {largest:.3}", sum / cases);
    assert!(sum / cases < 0.95, "{}", sum / cases);
}
