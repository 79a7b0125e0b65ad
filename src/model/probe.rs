//! The check at load: what a model does when it runs counts, not what its file declares.
//!
//! Randomized smoothing draws rows independently. A model that mixes the rows of a batch (batch normalisation exported
//! in training mode, a softmax over the batch, quantisation with one scale per batch) breaks that, and so the
//! certificate; so does one whose scores are random. A few pseudo-random rows are run; then one half of them again,
//! moved to the other end of a batch whose other rows are new, and then the other half, and one of them alone: their
//! scores must not change. It is a check, not a proof.
//!
//! The same rows show a batch that is declared open and is not, how the output is read, and how many have no label.

use super::core::Core;
use super::labels::NO_LABEL;
use super::options::ModelOptions;
use super::own_labels;
use super::probe_rows::{Row, Rows};
use super::reading::{self, Settled};
use super::signature::BatchDim;
use super::types::ElementType;
use crate::Result;

/// What the check found.
pub(super) struct Found {
    pub settled: Settled,
    /// How many rows a run takes.
    pub batch: BatchDim,
    /// Whether runs take memory of ours for the output.
    pub takes_memory: bool,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// Scores may differ by this share of the largest one: the same arithmetic on other rows gives the same bits in most
/// kernels, and a blocked sum of another order differs by a few roundings. A mixed batch differs by far more.
const TOLERANCE: f64 = 1e-4;
/// The same where the input or the scores have 16 bits.
const TOLERANCE_HALF: f64 = 1e-2;

pub(super) fn probe(core: &Core, options: &ModelOptions) -> Result<Found> {
    let (interface, mapping) = (&core.opened.interface, &core.mapping);
    let mut warnings = Vec::new();
    let mut batch = mapping.batch;
    let mut rows = Rows::new(core, batch)?;
    let mut first = match (rows.kept(), batch) {
        (Ok(first), _) => first,
        (Err(reason), BatchDim::Fixed(_)) => return Err(rows.failed(&reason)),
        (Err(reason), BatchDim::Dynamic) => {
            batch = BatchDim::Fixed(1);
            let many = std::mem::replace(&mut rows, Rows::new(core, batch)?);
            let first = rows.kept().map_err(|_| many.failed(&reason))?;
            warnings.push(format!(
                "the file leaves the batch open, but the model does not run on {} rows at once, only on one, which is \
                 slow: export it with an open batch ({reason})",
                many.batch
            ));
            first
        }
    };
    let settled = reading::settle(interface, mapping, rows.came_out()?, rows.batch, options)?;
    let invalid = settle_range(&mut rows, &mut first, &settled)?;
    if !first.iter().any(|score| score.is_finite()) {
        let message = format!(
            "every score of output {} is NaN or infinite on the rows that were tried, with values from -1 to 1 and \
             from 0 to 1: run the model by itself on an input of yours; 16 bits overflow easily",
            mapping.output
        );
        return Err(interface.refuse(message));
    }
    if 2 * invalid > rows.count() {
        warnings.push(format!(
            "{invalid} of the {} rows that were tried, with values from {} to 1, have no label, as a score is NaN or \
             the highest one infinite; such a sample counts against every certificate: check what values the model \
             takes (--mean, --std), and whether 16 bits overflow",
            rows.count(),
            rows.low
        ));
    }
    let tolerance = match (mapping.input_type, &settled.output) {
        (ElementType::Float16 | ElementType::BFloat16, _) => TOLERANCE_HALF,
        (_, Some((ElementType::Float16 | ElementType::BFloat16, _))) => TOLERANCE_HALF,
        // Multiplied with as few bits, by an algorithm that each shape may have of its own.
        _ if core.arithmetic != "float32" => TOLERANCE_HALF,
        _ => TOLERANCE,
    };
    if let Some((element, shape)) = &settled.output {
        rows.give_memory(*element, shape)?;
    }
    check_independence(&mut rows, &first, settled.columns(), tolerance)?;
    if batch == BatchDim::Dynamic {
        // Scores must not depend on the size of the batch either.
        let mut single = Rows::of_output(core, &mapping.output, 1, rows.low)?;
        let scores = single.scores(|_| Row::Kept(0)).map_err(|reason| single.failed(&reason))?;
        if scores.len() != settled.columns() {
            let message = format!(
                "the output {} holds {} values for 1 row and {} for {}: export the model with an open batch",
                mapping.output,
                scores.len(),
                first.len(),
                rows.batch
            );
            return Err(interface.refuse(message));
        }
        compare(&single, &first[..scores.len()], &scores, tolerance)?;
    }
    warnings.extend(own_labels::check(core, batch, rows.low, &settled, tolerance, options)?);
    Ok(Found { settled, batch, takes_memory: rows.takes_memory(), warnings })
}

/// Finds the range of values that the model takes: that in which more rows have a label. Gives how many have none in
/// it, and leaves its scores in `first`.
fn settle_range(rows: &mut Rows, first: &mut Vec<f64>, settled: &Settled) -> Result<usize> {
    let invalid = |rows: &Rows, scores: &[f64]| {
        if scores.len() != rows.count() * settled.columns() {
            return Err(rows.core.opened.interface.refuse(
                "the number of scores depends on the rows: export the model so that it gives scores [batch, classes]",
            ));
        }
        Ok(settled.labels(scores).into_iter().filter(|&label| label == NO_LABEL).count())
    };
    let without = invalid(rows, first)?;
    if 2 * without <= rows.count() {
        return Ok(without);
    }
    // A model may take no negative values; NaN compares with nothing, so rows that it does take are needed.
    let low = std::mem::replace(&mut rows.low, 0.0);
    let again = rows.kept().map_err(|reason| rows.failed(&reason))?;
    let still = invalid(rows, &again)?;
    if still < without {
        *first = again;
        return Ok(still);
    }
    rows.low = low;
    Ok(without)
}

/// Runs the rows of `first` again, at other places and beside others.
fn check_independence(rows: &mut Rows, first: &[f64], columns: usize, tolerance: f64) -> Result<()> {
    let half = rows.batch / 2;
    let front = rows.batch - half;
    let part = |scores: &[f64], from: usize, count: usize| scores[from * columns..][..count * columns].to_vec();
    for base in (0..rows.count()).step_by(rows.batch) {
        if half > 0 {
            let at_end = |place| if place < front { Row::New(base + place) } else { Row::Kept(base + place - front) };
            let at_end = rows.scores(at_end).map_err(|reason| rows.failed(&reason))?;
            compare(rows, &part(first, base, half), &part(&at_end, front, half), tolerance)?;
        }
        let at_front = |place| if place < front { Row::Kept(base + place + half) } else { Row::New(base + place) };
        let at_front = rows.scores(at_front).map_err(|reason| rows.failed(&reason))?;
        compare(rows, &part(first, base + half, front), &part(&at_front, 0, front), tolerance)?;
    }
    Ok(())
}

/// Refuses a model where the scores of rows have changed between two runs.
fn compare(rows: &Rows, before: &[f64], after: &[f64], tolerance: f64) -> Result<()> {
    let finite = before.iter().filter(|score| score.is_finite());
    let largest = finite.fold(0.0_f64, |largest, score| largest.max(score.abs()));
    let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * largest;
    if before.iter().zip(after).all(same) {
        return Ok(());
    }
    let message = match rows.batch {
        1 => {
            "the same row gives other scores in another run, or beside other rows, so a certificate would not hold: \
             export the model in evaluation mode, without dropout or noise of its own, and so that the rows of a batch \
             do not influence one another"
        }
        _ => {
            "the rows of a batch influence one another, or the scores are random, so a certificate would not hold: \
             export the model in evaluation mode (batch normalisation with its running statistics, no dropout), and \
             quantize it statically if at all (dynamic scales are taken from the whole batch)"
        }
    };
    Err(rows.core.opened.interface.refuse(message))
}
