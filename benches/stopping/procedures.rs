//! The procedures that are compared, each written from its paper.

use std::fmt;

use smoothtopk::certificate::stop::{CertifyJudge, Decision, Look, Rule, Statement, StopJudge, Terms};
use smoothtopk::certificate::{Basis, auto, certify, set_radius, top_k_radius};
use smoothtopk::stats::allocation::RivalBounds;
use smoothtopk::stats::{Allocation, Tally, Validity, normal};

use crate::stream::Stream;
use crate::{ALPHA, SIGMA, noise};

/// Is the label in the top k within the radius?
#[derive(Clone, Copy)]
pub struct Question {
    pub radius: f64,
    pub k: usize,
    /// The most rows.
    pub n_max: u64,
}

/// What came out, and after how many rows.
pub struct Decided {
    pub rows: u64,
    /// `None`: undecided.
    pub certified: Option<bool>,
}

pub enum Procedure {
    /// This library's rule, with alpha spent so.
    Ours(Allocation),
    /// This library's rule, with alpha spent as 100 pilot rows say.
    OursAuto,
    /// Horvath et al., "Boosting randomized smoothing with variance reduced classifiers", ICLR 2022: stages of fresh
    /// rows, Clopper-Pearson bounds at alpha/s for certifying and beta/(s - 1) for giving up; beta = alpha here, which
    /// makes giving up as sure as our refuting.
    Stages(Allocation),
    /// Voracek, "Treatment of statistical estimation problems in randomized smoothing", NeurIPS 2024: the
    /// Krichevsky-Trofimov bettor against p0 = Phi(r/sigma), looked at after every row, until its capital is
    /// 1/(`factor` alpha). The factor is 1 in theory; the thresholds published with the paper take 2.
    Betting { factor: f64 },
}

/// Rows of Horvath et al.'s stages; the last is cut to the rows that the others may have.
const STAGES: [u64; 4] = [100, 1000, 10_000, 100_000];

impl Procedure {
    pub fn all(k: usize) -> Vec<Self> {
        let allocation = |text: &str| text.parse::<Allocation>().expect("a allocation");
        if k == 1 {
            return vec![
                Self::Ours(allocation("binocp")),
                Self::Ours(allocation("ranked")),
                Self::Ours(allocation("ranked:0.9")),
                Self::OursAuto,
                Self::Stages(allocation("binocp")),
                Self::Betting { factor: 1.0 },
                Self::Betting { factor: 2.0 },
            ];
        }
        vec![
            Self::Ours(allocation("binocp")),
            Self::Ours(allocation("ranked")),
            Self::Ours(allocation("pooled:0.5")),
            Self::OursAuto,
            Self::Stages(allocation("binocp")),
            Self::Stages(allocation("simuem")),
        ]
    }

    pub fn decide(&self, question: &Question, stream: &mut Stream) -> Decided {
        match self {
            Self::Ours(allocation) => ours(question, allocation.clone(), stream),
            Self::OursAuto => {
                let basis = Basis::assuming(noise(), question.n_max, ALPHA, Validity::Anytime);
                let (pilot, label) = (&stream.pilot, stream.label());
                let allocation = auto::choose_to_reach(pilot, label, question.k, &basis, question.radius);
                ours(question, allocation.expect("valid"), stream)
            }
            Self::Stages(allocation) => stages(question, allocation, stream),
            Self::Betting { factor } => betting(question, *factor, stream),
        }
    }
}

impl fmt::Display for Procedure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(allocation) => write!(f, "ours, {allocation}"),
            Self::OursAuto => f.write_str("ours, auto"),
            Self::Stages(allocation) => write!(f, "stages, {allocation}"),
            Self::Betting { factor } => write!(f, "betting to 1/({factor} alpha)"),
        }
    }
}

fn ours(question: &Question, allocation: Allocation, stream: &mut Stream) -> Decided {
    let label = stream.label();
    let classes = stream.pilot.classes();
    let terms = Terms { rule: Rule::Radius(question.radius), classes, alpha: ALPHA, n_max: question.n_max };
    let statement = Statement { k: question.k, allocation };
    let mut judge = CertifyJudge::new(&terms, label, noise(), 0.0, vec![statement]).expect("terms");
    let mut rows = 0;
    loop {
        let counts = stream.at(judge.next_look(rows));
        rows = counts.n();
        if judge.look(counts).expect("counts") == Look::Stop {
            let certified = match judge.verdicts()[0].decision {
                Decision::Certified => Some(true),
                Decision::Refuted => Some(false),
                _ => None,
            };
            return Decided { rows, certified };
        }
    }
}

fn stages(question: &Question, allocation: &Allocation, stream: &mut Stream) -> Decided {
    let (label, k) = (stream.label(), question.k);
    let noise = noise();
    let stages = STAGES.len() as f64;
    let mut rows = 0;
    for (i, n) in STAGES.into_iter().enumerate() {
        let n = n.min(question.n_max - rows);
        if n == 0 {
            break;
        }
        let before = stream.at(rows).clone();
        let counts = difference(stream.at(rows + n), &before);
        rows += n;
        let basis = Basis::assuming(noise, counts.n(), ALPHA / stages, Validity::Fixed);
        let certificate = certify(&basis, &counts, label, k, allocation);
        if certificate.expect("valid").radius >= question.radius {
            return Decided { rows, certified: Some(true) };
        }
        if i + 1 < STAGES.len() {
            let hope = allocation.opposite_bounds(&counts, label, k, ALPHA / (stages - 1.0), Validity::Fixed);
            let hope = hope.expect("valid");
            let limit = match &hope.rivals {
                RivalBounds::Each(rivals) => top_k_radius(&noise, hope.label, rivals),
                RivalBounds::Sum { sum, size } => set_radius(&noise, hope.label, *sum, *size),
            };
            if limit.expect("bounds").radius < question.radius {
                return Decided { rows, certified: Some(false) };
            }
        }
    }
    Decided { rows, certified: None }
}

fn difference(after: &Tally, before: &Tally) -> Tally {
    let labels = after.labels().iter().zip(before.labels()).map(|(after, before)| after - before).collect();
    Tally::new(labels, after.n() - before.n()).expect("growing counts")
}

fn betting(question: &Question, factor: f64, stream: &mut Stream) -> Decided {
    let label = stream.label();
    let (p, q) = (normal::cdf(question.radius / SIGMA), normal::sf(question.radius / SIGMA));
    let enough = -(factor * ALPHA).ln();
    let mut n = 0;
    while n < question.n_max {
        let counts = stream.at(n + 1);
        n = counts.n();
        let (total, s) = (n as f64, counts.labels()[label] as f64);
        let f = total - s;
        // The bettor's capital is the mixture of likelihood ratios over Beta(1/2, 1/2).
        let ln_capital = libm::lgamma(s + 0.5) + libm::lgamma(f + 0.5)
            - libm::lgamma(total + 1.0)
            - std::f64::consts::PI.ln()
            - s * p.ln()
            - f * q.ln();
        if ln_capital >= enough {
            return Decided { rows: n, certified: Some(s > p * total) };
        }
    }
    Decided { rows: n, certified: None }
}
