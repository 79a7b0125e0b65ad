//! Whether the labels are out of the top k at what a search found: a test on rows that the search has not seen.

use smoothtopk::Result;
use smoothtopk::noise::Purpose;
use smoothtopk::stats::Tally;

use super::ball::Point;
use super::candidate::{Candidate, Found, Kind, Target};
use super::evaluate::Evaluator;
use super::membership;

/// Candidates of one search that may be tested; each test has its share of the false-alarm rate.
pub const FINALISTS: usize = 3;
/// Rows that choose a candidate's rivals, as a multiple of an evaluation's.
const PILOT: u64 = 4;
/// In standard deviations of the pilot's difference: where a label leads the k-th rival by more nothing is tested.
const HOPELESS: f64 = 6.0;

/// How many rows a test takes, and at which p-value it finds a break.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    /// Rows of an evaluation.
    pub rows: u64,
    /// Rows of the test.
    pub n: u64,
    /// The false-alarm rate of one test.
    pub level: f64,
}

/// What is known of the best point of one search.
#[derive(Clone, Debug)]
pub struct Examined {
    pub point: Point,
    pub kind: Kind,
    /// The k rivals that the pilot's rows chose.
    pub rivals: Vec<usize>,
    /// Of the test, or of the pilot where that left no hope.
    pub counts: Tally,
    /// Of the test that the labels are out; none where there was no hope.
    pub p_value: Option<f64>,
    pub broken: bool,
}

/// Tests the candidates of a search, the most promising first, up to the first break. `keys` as in
/// [`Attacker::search`](super::attack::Attacker::search): tests use purposes that searches do not.
///
/// None where the search found no point.
pub fn confirm(
    evaluator: &Evaluator,
    target: &Target<'_>,
    found: &Found,
    test: &Test,
    keys: u64,
) -> Result<Option<Examined>> {
    let mut best: Option<Examined> = None;
    for (candidate, key) in found.candidates.iter().take(FINALISTS).zip(keys..) {
        let examined = examine(evaluator, target, candidate, test, key)?;
        if examined.broken {
            return Ok(Some(examined));
        }
        let p = |examined: &Examined| examined.p_value.unwrap_or(2.0);
        if best.as_ref().is_none_or(|best| p(&examined) < p(best)) {
            best = Some(examined);
        }
    }
    Ok(best)
}

fn examine(
    evaluator: &Evaluator,
    target: &Target<'_>,
    candidate: &Candidate,
    test: &Test,
    key: u64,
) -> Result<Examined> {
    let Candidate { point, kind, .. } = candidate;
    let draw = |rows, purpose| Ok(evaluator.counts(&[&point.x], rows, purpose, key)?.remove(0));
    let pilot: Tally = draw(PILOT * test.rows, Purpose::Predict)?;
    let rivals = membership::strongest_rivals(&pilot, target.labels, target.k);
    let mut examined =
        Examined { point: point.clone(), kind: *kind, rivals, counts: pilot, p_value: None, broken: false };
    if is_hopeless(&examined.counts, target.labels, &examined.rivals) {
        return Ok(examined);
    }
    let counts = draw(test.n, Purpose::Estimate)?;
    let p_value = membership::p_out(&counts, target.labels, &examined.rivals, target.k)?;
    examined.broken = p_value <= test.level;
    (examined.p_value, examined.counts) = (Some(p_value), counts);
    Ok(examined)
}

/// Leaves out tests that would find nothing, decided by the pilot's rows alone, so that those made stay valid.
fn is_hopeless(pilot: &Tally, labels: &[usize], rivals: &[usize]) -> bool {
    let own = membership::most(pilot, labels) as f64;
    let kth = rivals.iter().map(|&rival| pilot.labels()[rival]).min().unwrap_or(0) as f64;
    own - kth > HOPELESS * (own + kth).sqrt()
}
