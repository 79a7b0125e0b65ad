//! The check of a function when it is opened, as that of a model (`model::probe`): the same row gives the same scores,
//! in another call, at another place, beside other rows and alone. It is a check, not a proof.

use super::function_runner::{FunctionRunner, Gives};
use crate::model::{NO_LABEL, probe_row};
use crate::sampler::BatchRunner;
use crate::{Error, ErrorKind, Result, log};

/// Rows that are tried: labels show less than scores.
const ROWS: usize = 4;
const LABEL_ROWS: usize = 64;
/// Scores may differ by this share of the largest one: nobody knows in how many bits a function computes. Mixed rows,
/// or dropout, differs by far more.
const TOLERANCE: f64 = 1e-2;

/// Tries the runners that `runner` makes for so many rows, with no more than `most` at a time.
pub(super) fn probe(
    runner: impl Fn(usize) -> Result<FunctionRunner>,
    gives: Gives,
    classes: usize,
    most: Option<usize>,
) -> Result<()> {
    let (rows, columns) = match gives {
        Gives::Scores => (ROWS, classes),
        Gives::Labels => (LABEL_ROWS, 1),
    };
    let batch = most.unwrap_or(2 * rows).clamp(1, 2 * rows);
    let mut tried = Tried { runner: runner(batch)?, batch, low: -1.0, valid: 0 };
    let kept: Vec<Row> = (0..rows).map(Row::Kept).collect();
    let mut first = tried.run(&kept)?;
    if 2 * tried.valid < rows {
        // A function may take no negative values.
        let before = (tried.low, tried.valid);
        tried.low = 0.0;
        let again = tried.run(&kept)?;
        match tried.valid > before.1 {
            true => first = again,
            false => (tried.low, tried.valid) = before,
        }
    }
    if tried.valid == 0 {
        return Err(refuse(
            "no row that was tried got a label, with values from -1 to 1 and from 0 to 1: a score of each is NaN, or the \
             highest infinite",
        ));
    }
    if 2 * tried.valid < rows {
        log::warn(format_args!(
            "{} of the {rows} rows that were tried, with values from {} to 1, have no label, as a score is NaN \
             or the highest one infinite; such a sample counts against every certificate",
            rows - tried.valid,
            tried.low
        ));
    }
    // In the other order, each beside another new one; and one alone.
    let mixed: Vec<Row> = (0..rows).rev().flat_map(|index| [Row::New(index), Row::Kept(index)]).collect();
    let mixed = tried.run(&mixed)?;
    let mixed: Vec<&[f64]> = mixed.chunks_exact(columns).skip(1).step_by(2).rev().collect();
    let alone = tried.run(&kept[..1])?;
    if same(&first, &mixed.concat()) && same(&first[..columns], &alone) {
        return Ok(());
    }
    Err(refuse(
        "the same row gives something else in another call, or beside other rows, so a certificate would not hold: put \
         the model into evaluation mode, without dropout or noise of its own, so that the rows of a batch do not \
         influence one another",
    ))
}

fn refuse(message: &str) -> Error {
    Error::new(ErrorKind::Model, message)
}

fn same(before: &[f64], after: &[f64]) -> bool {
    let finite = before.iter().filter(|value| value.is_finite());
    let largest = finite.fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let close = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * largest;
    before.len() == after.len() && before.iter().zip(after).all(close)
}

/// Pseudo-random rows: those that are compared, and others, four times as large.
#[derive(Clone, Copy)]
enum Row {
    Kept(usize),
    New(usize),
}

struct Tried {
    runner: FunctionRunner,
    /// The most rows of a call.
    batch: usize,
    /// The least value of a row; the largest is 1.
    low: f32,
    /// How many rows of the last run have a label.
    valid: usize,
}

impl Tried {
    /// What the function gives for the rows.
    fn run(&mut self, rows: &[Row]) -> Result<Vec<f64>> {
        let mut given = Vec::new();
        self.valid = 0;
        for batch in rows.chunks(self.batch) {
            let count = batch.len();
            let buffer = self.runner.rows_mut(count);
            let elements = buffer.len() / count;
            for (row, values) in batch.iter().zip(buffer.chunks_exact_mut(elements)) {
                match *row {
                    Row::Kept(index) => probe_row(2 * index, self.low, 1.0, values),
                    Row::New(index) => probe_row(2 * index + 1, self.low, 4.0, values),
                }
            }
            let mut labels = vec![NO_LABEL; count];
            let called = self.runner.call(count).and_then(|()| self.runner.labels(&mut labels));
            called.map_err(|error| {
                let message = format!("it was tried on a batch of {count} pseudo-random rows: {}", error.message());
                Error::new(ErrorKind::Model, message).caused_by(error)
            })?;
            given.extend(self.runner.given(count));
            self.valid += labels.iter().filter(|&&label| label != NO_LABEL).count();
        }
        Ok(given)
    }
}
