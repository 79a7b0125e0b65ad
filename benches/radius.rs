//! Certificates per second from fresh counts, and their parts, on one core. The goal: 10 us a certificate at c = 10, k
//! = 3.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use smoothtopk::certificate::stop::{CertifyJudge, Rule, Statement, StopJudge, Terms};
use smoothtopk::certificate::{Basis, Query, certify};
use smoothtopk::counts::{Assumed, Counts};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Allocation, Tally, Validity, binomial, normal};

fn noise() -> Gaussian {
    Gaussian::new(0.25).expect("sigma")
}

/// 512 different count vectors of 100,000 rows over `classes` labels, with a different winner's share each.
fn samples(classes: usize) -> Vec<Tally> {
    let n = 100_000u64;
    (0..512u64)
        .map(|i| {
            let own = n * 2 / 5 + i * 117;
            let mut rest = n - own;
            let mut labels = vec![own];
            for j in 1..classes as u64 {
                let share = rest * (3 + (i + j) % 5) / 10;
                labels.push(share);
                rest -= share;
            }
            Tally::new(labels, n).expect("the counts add to at most n")
        })
        .collect()
}

fn certificates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("certify");
    for (classes, k) in [(10, 1), (10, 3), (1000, 5)] {
        let assume = |tally: Tally| Counts::assuming(tally.labels().to_vec(), Some(tally.n()), Assumed::fixed(noise()));
        let samples: Vec<Counts> = samples(classes).into_iter().map(|tally| assume(tally).expect("counts")).collect();
        group.throughput(Throughput::Elements(samples.len() as u64));
        for allocation in Allocation::PLAIN {
            let query = Query { k, allocation, ..Query::of_label(0) };
            group.bench_function(format!("c={classes} k={k} {}", query.allocation), |b| {
                b.iter(|| {
                    for counts in &samples {
                        black_box(black_box(counts).certify(&query).expect("valid"));
                    }
                });
            });
        }
        group.bench_function(format!("c={classes} k={k} predict"), |b| {
            b.iter(|| {
                for counts in &samples {
                    black_box(black_box(counts).predict(k, 0.001).expect("valid"));
                }
            });
        });
    }
    group.finish();
}

/// A look that decides nothing: both the certificate and what is left to hope for are computed. The cloned judge is in
/// the time.
fn looks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("look");
    for (classes, k) in [(10, 1), (10, 3), (1000, 5)] {
        let samples = samples(classes);
        for allocation in [Allocation::default(), Allocation::BinoCp] {
            let terms = Terms { rule: Rule::Fixed, classes, alpha: 0.001, n_max: 10_000_000 };
            let statement = Statement { k, allocation: allocation.clone() };
            let open = |tally: &Tally| {
                // Between the certificate's radius and the limit, where the rule goes on.
                let basis = Basis::assuming(noise(), tally.n(), 0.001, Validity::Anytime);
                let found = certify(&basis, tally, 0, k, &allocation).expect("valid").radius;
                let terms = Terms { rule: Rule::Radius(found + 1e-4), ..terms };
                CertifyJudge::new(&terms, 0, noise(), 0.0, vec![statement.clone()]).expect("terms")
            };
            let judged: Vec<(Tally, CertifyJudge)> =
                samples.iter().take(32).map(|counts| (counts.clone(), open(counts))).collect();
            group.throughput(Throughput::Elements(judged.len() as u64));
            group.bench_function(format!("c={classes} k={k} {allocation}"), |b| {
                b.iter(|| {
                    for (counts, judge) in &judged {
                        let _ = black_box(judge.clone().look(black_box(counts)).expect("counts"));
                    }
                });
            });
        }
    }
    group.finish();
}

fn parts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parts");
    for (n, trials, alpha) in
        [(93_642, 100_000, 1e-4), (5_279, 100_000, 2.5e-4), (99_990, 100_000, 2.5e-4), (9 << 36, 10 << 36, 1e-12)]
    {
        group.bench_function(format!("clopper-pearson {n} of {trials} at {alpha:e}"), |b| {
            b.iter(|| binomial::lower(black_box(n), black_box(trials), black_box(alpha)));
        });
    }
    // The slowest corner: half a failure probability and the most rows.
    group.bench_function("clopper-pearson 5e11 of 1e12 at 0.5", |b| {
        b.iter(|| binomial::lower(black_box(500_000_000_000), black_box(1_000_000_000_000), black_box(0.5)));
    });
    group.bench_function("two-sided test of 5e11 + 1 and 5e11 - 1", |b| {
        b.iter(|| binomial::two_sided_half(black_box(500_000_000_001), black_box(499_999_999_999)));
    });
    group.bench_function("normal quantile", |b| b.iter(|| normal::quantile(black_box(0.0123))));
    group.bench_function("normal ln cdf", |b| b.iter(|| normal::ln_cdf(black_box(-1.23))));
    group.finish();
}

criterion_group!(benches, certificates, looks, parts);
criterion_main!(benches);
