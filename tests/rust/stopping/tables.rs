//! The tables of docs/statistics.md that come from simulation, by
//!
//!     cargo test --release --test library tables -- --ignored --nocapture --test-threads 1

use rand::SeedableRng;
use rand::rngs::StdRng;
use smoothtopk::certificate::predict;
use smoothtopk::certificate::stop::{CertifyJudge, Look, PredictJudge, Rule, Statement, StopJudge, Terms, Tolerance};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Allocation, Tally, Validity};

use super::draw_on;
use crate::coverage::truth::Truth;
use crate::statements::{certify_with, choose};

const ALPHA: f64 = 0.001;

/// What it is, c, the first probabilities, k, n, alpha.
type Shape = (&'static str, usize, &'static [f64], usize, u64, f64);

#[test]
#[ignore = "prints a table; asserts nothing"]
fn mean_radii_of_allocations() {
    let shapes: [Shape; 9] = [
        ("one big label", 10, &[0.9], 3, 200, 0.1),
        ("one big label", 10, &[0.7], 3, 200, 0.1),
        ("one big label", 10, &[0.9], 3, 10_000, ALPHA),
        ("sure, one rival", 10, &[0.97, 0.029], 3, 10_000, ALPHA),
        ("unsure, one rival", 10, &[0.55, 0.44], 3, 10_000, ALPHA),
        ("the paper's row 2", 10, &[0.37, 0.493, 0.1345], 3, 100_000, ALPHA),
        ("two rivals", 10, &[0.5, 0.3, 0.15], 1, 10_000, ALPHA),
        ("1000 labels", 1000, &[0.4, 0.2, 0.1, 0.05], 5, 10_000, ALPHA),
        ("1000 labels, sure", 1000, &[0.9, 0.03, 0.02], 5, 10_000, ALPHA),
    ];
    println!("| shape | k | n | alpha | exact | ranked | binocp | simuem | pooled:0.5 | auto |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (name, classes, first, k, n, alpha) in shapes {
        let truth = Truth::new(classes, first, n);
        let mut rng = StdRng::seed_from_u64(91);
        let plain: Vec<Allocation> =
            ["ranked", "binocp", "simuem", "pooled:0.5"].map(|text| text.parse().expect("a allocation")).to_vec();
        let draws = 200;
        let mut sums = [0.0; 5];
        for _ in 0..draws {
            let pilot = truth.rows(100, &mut rng);
            let counts = truth.draw(&mut rng);
            let chosen = choose(&pilot, 0, k, n, alpha, Validity::Fixed).expect("valid");
            for (sum, allocation) in sums.iter_mut().zip(plain.iter().chain([&chosen])) {
                *sum += certify_with(&counts, 0, k, 1.0, alpha, allocation, Validity::Fixed).expect("valid").radius;
            }
        }
        let means = sums.map(|sum| format!("{:.3}", sum / f64::from(draws))).join(" | ");
        println!("| {name} {first:?} | {k} | {n} | {alpha} | {:.3} | {means} |", truth.radius(k));
    }
}

/// Rows of the test for one look at planned looks, the m-th at alpha/(m (m + 1)); `None` where it abstains.
fn planned(truth: &Truth, k: usize, n_max: u64, rng: &mut StdRng) -> u64 {
    let first = k as u64 * 12;
    let looks = std::iter::successors(Some(first), |&n| (n < n_max).then(|| (n + n / 4).min(n_max)));
    let (mut m, mut rows) = (0.0, 0);
    draw_on(truth, looks, rng, |counts| {
        (m, rows) = (m + 1.0, counts.n());
        !predict(counts, k, ALPHA / (m * (m + 1.0))).expect("valid").abstain
    });
    rows
}

#[test]
#[ignore = "prints a table; asserts nothing"]
fn rows_to_settle_a_set() {
    println!("| c | k | probabilities | bets on the leading set, mean | 95 % | planned looks, mean | 95 % |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let shapes: [(usize, &[f64], usize); 8] = [
        (10, &[0.999], 1),
        (10, &[0.95], 1),
        (10, &[0.8, 0.15], 1),
        (10, &[0.6, 0.35], 1),
        (10, &[0.5, 0.45], 1),
        (1000, &[0.4, 0.2], 1),
        (10, &[0.5, 0.3, 0.15], 3),
        (10, &[0.4, 0.25, 0.15, 0.1], 3),
    ];
    for (classes, first, k) in shapes {
        let truth = Truth::new(classes, first, 0);
        let terms = Terms { rule: Rule::Predict, classes, alpha: ALPHA, n_max: 100_000 };
        let mut rng = StdRng::seed_from_u64(92);
        let ours = (0..200).map(|_| {
            let mut judge = PredictJudge::new(&terms, &[k]).expect("terms");
            let mut counts = Tally::new(vec![0; classes], 0).expect("no rows");
            loop {
                let n = judge.next_look(counts.n());
                counts.add(&truth.rows(n - counts.n(), &mut rng)).expect("as many labels");
                if judge.look(&counts).expect("counts") == Look::Stop {
                    return counts.n();
                }
            }
        });
        let ours = summary(ours.collect());
        let planned = summary((0..200).map(|_| planned(&truth, k, 100_000, &mut rng)).collect());
        println!("| {classes} | {k} | {first:?} | {ours} | {planned} |");
    }
}

/// Rows at a tolerance, over the published label counts of 500 images (100,000 rows each, sigma 0.25), taken for the
/// truth.
#[test]
#[ignore = "prints a table; asserts nothing"]
fn rows_at_a_tolerance() {
    let shared = std::env::var("SMOOTHTOPK_SHARED").unwrap_or_else(|_| "../shared".into());
    let text = std::fs::read_to_string(format!("{shared}/data/cifar10_sigma0.25_counts.txt")).expect("the counts");
    println!("| tolerance | mean rows of at most 100,000 | 95 % | mean radius | at n = 100,000 |");
    println!("| --- | --- | --- | --- | --- |");
    for share in [0.01, 0.02, 0.05, 0.1, 0.2] {
        let mut rng = StdRng::seed_from_u64(93);
        let (mut rows, mut radii, mut most) = (Vec::new(), 0.0, 0.0);
        for line in text.lines().step_by(10) {
            let numbers: Vec<u64> = line.split_whitespace().map(|word| word.parse().expect("a count")).collect();
            let label = numbers[10] as usize;
            let p: Vec<f64> = numbers[..10].iter().map(|&count| count as f64 / 1e5).collect();
            let truth = Truth { p, n: 100_000 };
            let rule = Rule::Tolerance(Tolerance::Sigmas(share));
            let terms = Terms { rule, classes: 10, alpha: ALPHA, n_max: 100_000 };
            let statement = Statement { k: 1, allocation: Allocation::BinoCp };
            let mut judge = CertifyJudge::new(&terms, label, Gaussian::new(0.25).expect("sigma"), 0.0, vec![statement])
                .expect("terms");
            let mut counts = Tally::new(vec![0; 10], 0).expect("no rows");
            loop {
                let n = judge.next_look(counts.n());
                counts.add(&truth.rows(n - counts.n(), &mut rng)).expect("as many labels");
                if judge.look(&counts).expect("counts") == Look::Stop {
                    break;
                }
            }
            rows.push(counts.n());
            radii += judge.verdicts()[0].found.as_ref().expect("looked").radius;
            let fixed = truth.draw(&mut rng);
            let certificate = certify_with(&fixed, label, 1, 0.25, ALPHA, &Allocation::BinoCp, Validity::Fixed);
            most += certificate.expect("valid").radius;
        }
        let images = rows.len() as f64;
        println!("| {share} sigma | {} | {:.4} | {:.4} |", summary(rows), radii / images, most / images);
    }
}

/// Mean and 95th percentile.
fn summary(mut rows: Vec<u64>) -> String {
    rows.sort_unstable();
    let mean = rows.iter().sum::<u64>() as f64 / rows.len() as f64;
    format!("{mean:.1} | {}", rows[rows.len() * 95 / 100])
}
