//! The certified top-k accuracy of the true labels under rules that stop early, beside that of a fixed n.

use smoothtopk::certificate::stop::{CertifyJudge, Decision, Look, Rule, Statement, StopJudge, Terms, Tolerance};
use smoothtopk::noise::Grid;
use smoothtopk::stats::Allocation;

use crate::stream::Stream;
use crate::{ALPHA, SIGMA, cells};

/// Of the accuracies that are compared.
const STEP: f64 = 0.05;

/// What one rule found of all images, for one k.
pub struct Curve {
    rule: Rule,
    k: usize,
    found: Vec<Found>,
}

struct Found {
    rows: u64,
    /// 0 where nothing is certified.
    radius: f64,
    decision: Decision,
}

/// How alpha is spent on the true label, which is known beforehand.
fn allocation(k: usize) -> Allocation {
    if k == 1 { Allocation::BinoCp } else { Allocation::default() }
}

pub fn all() -> Vec<Curve> {
    let tolerances = [0.01, 0.1].map(|share| Rule::Tolerance(Tolerance::Sigmas(share)));
    let rules = [Rule::Fixed, tolerances[0], tolerances[1], Rule::Steps(STEP), Rule::Steps(5.0 * STEP)];
    let of = |k: usize| rules.map(|rule| Curve { rule, k, found: Vec::new() });
    [of(1), of(3)].into_iter().flatten().collect()
}

impl Curve {
    pub fn add(&mut self, label: usize, elements: usize, n_max: u64, stream: &mut Stream) {
        let classes = stream.pilot.classes();
        let terms = Terms { rule: self.rule, classes, alpha: ALPHA, n_max };
        let statement = Statement { k: self.k, allocation: allocation(self.k) };
        let cost = Grid::for_range(1.0, SIGMA).unwrap().radius_cost(elements);
        let mut judge = CertifyJudge::new(&terms, label, crate::noise(), cost, vec![statement]).expect("terms");
        let mut rows = 0;
        loop {
            let counts = stream.at(judge.next_look(rows));
            rows = counts.n();
            if judge.look(counts).expect("counts") == Look::Stop {
                break;
            }
        }
        let verdict = &judge.verdicts()[0];
        let radius = verdict.found.as_ref().map_or(0.0, |certificate| certificate.radius);
        self.found.push(Found { rows, radius, decision: verdict.decision });
    }

    /// The share that is certified at a radius; at 0, at all.
    fn accuracy(&self, radius: f64) -> f64 {
        let certified = self.found.iter().filter(|found| found.radius > 0.0 && found.radius >= radius);
        certified.count() as f64 / self.found.len() as f64
    }
}

/// Rows, and how far each curve is below that of the fixed n: at multiples of [`STEP`], or of the rule's own steps, and
/// everywhere.
pub fn print(curves: &[Curve], n_max: u64) {
    println!(
        "\n| k | rule | rows: mean | median | 95 % | undecided | accuracy below fixed n: at multiples of {STEP}, or of its steps | at any radius |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for curve in curves {
        let fixed = curves.iter().find(|other| other.k == curve.k && other.rule == Rule::Fixed).expect("a fixed n");
        let below = |radii: &mut dyn Iterator<Item = f64>| {
            100.0 * radii.map(|radius| fixed.accuracy(radius) - curve.accuracy(radius)).fold(0.0, f64::max)
        };
        let step = if let Rule::Steps(step) = curve.rule { step } else { STEP };
        let at_steps = below(&mut (0..=(4.0 * SIGMA / step) as u32).map(|i| f64::from(i) * step));
        let anywhere = below(&mut fixed.found.iter().map(|found| found.radius));
        let rows = cells(curve.found.iter().map(|found| found.rows).collect());
        let undecided = curve.found.iter().filter(|found| found.decision == Decision::Undecided).count();
        println!(
            "| {} | {} | {rows} | {undecided} | {at_steps:.1} points | {anywhere:.1} points |",
            curve.k, curve.rule,
        );
    }
    println!("\nThe share of images certified at a radius, of n = {n_max} fixed and of steps:{STEP}:\n");
    println!(
        "| radius | 0 | {} |",
        (1..=18).map(|i| format!("{:.2}", f64::from(i) * STEP)).collect::<Vec<_>>().join(" | ")
    );
    println!("| --- | {} |", ["---"; 19].join(" | "));
    for curve in curves.iter().filter(|curve| matches!(curve.rule, Rule::Fixed | Rule::Steps(STEP))) {
        let shares: Vec<String> = (0..=18).map(|i| format!("{:.3}", curve.accuracy(f64::from(i) * STEP))).collect();
        println!("| k = {}, {} | {} |", curve.k, curve.rule, shares.join(" | "));
    }
}
