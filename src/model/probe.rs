//! The check at load: how many classes there are, and that rows do not influence one another.
//!
//! Randomized smoothing draws rows independently. A model that mixes the rows of a batch (batch normalisation exported
//! in training mode, a softmax over the batch, quantisation with one scale per batch) breaks that, and so the
//! certificate. A few pseudo-random rows are run; then one half of them again, moved to the other end of a batch whose
//! other rows are new, and then the other half, and one of them alone: their scores must not change. It is a check, not
//! a proof.

use super::core::{Core, RowShape};
use super::labels;
use super::options::ModelOptions;
use super::raw::{Buffer, Call};
use super::resolve;
use super::signature::{BatchDim, Reading};
use super::types::ElementType;
use crate::{Error, ErrorKind, Result};

/// What the check found.
pub(super) struct ProbedOutput {
    pub reading: Reading,
    pub classes: usize,
    pub class_names: Option<Vec<String>>,
    /// Shape of a row of the output and its type, where it is a tensor.
    pub output: Option<(ElementType, RowShape)>,
}

/// Rows of the check on a model with dynamic batch that gives scores, and on one that gives labels, which show less.
const ROWS: usize = 4;
const LABEL_ROWS: usize = 64;

/// Scores may differ by this share of the largest one: the same arithmetic on other rows gives the same bits in most
/// kernels, and a blocked sum of another order differs by a few roundings. A mixed batch differs by far more.
const TOLERANCE: f64 = 1e-4;
/// The same where the input or the scores have 16 bits.
const TOLERANCE_HALF: f64 = 1e-2;

/// Which pseudo-random row lies at a place of the batch.
#[derive(Clone, Copy)]
enum Row {
    /// One of those that are compared.
    Kept(usize),
    /// Another one, four times as large, so that a scale taken over the batch changes, too.
    New(usize),
}

struct Probe<'a> {
    core: &'a Core,
    rows: usize,
    /// The least value of a row; the largest is 1.
    low: f32,
    call: Call,
}

pub(super) fn probe(core: &Core, options: &ModelOptions) -> Result<ProbedOutput> {
    let mapping = &core.mapping;
    let rows = match (mapping.batch, mapping.reading) {
        (BatchDim::Fixed(rows), _) => rows,
        (BatchDim::Dynamic, Reading::Label) => LABEL_ROWS,
        (BatchDim::Dynamic, _) => ROWS,
    };
    let mut probe = Probe { core, rows, low: -1.0, call: core.call(rows, core.run_options()?, None)? };
    let mut first = probe.scores(Row::Kept)?;
    if !first.iter().any(|score| score.is_finite()) {
        // A model may take no negative values; NaN compares with nothing, so rows that it does take are needed.
        probe.low = 0.0;
        first = probe.scores(Row::Kept)?;
    }
    let found = probe.found(options)?;
    if !first.iter().any(|score| score.is_finite()) {
        return Err(probe.refuse("every score of the rows that were tried is NaN or infinite"));
    }
    let tolerance = match (mapping.input_type, &found.output) {
        (ElementType::Float16 | ElementType::BFloat16, _) => TOLERANCE_HALF,
        (_, Some((ElementType::Float16 | ElementType::BFloat16, _))) => TOLERANCE_HALF,
        // Multiplied with as few bits, by an algorithm that each shape may have of its own.
        _ if core.arithmetic != "float32" => TOLERANCE_HALF,
        _ => TOLERANCE,
    };
    if rows > 1 {
        let half = rows / 2;
        let front = rows - half;
        let at_end = probe.scores(|row| if row < front { Row::New(row) } else { Row::Kept(row - front) })?;
        probe.compare(&first, 0, &at_end, front, half, tolerance)?;
        let at_front = probe.scores(|row| if row < front { Row::Kept(row + half) } else { Row::New(row) })?;
        probe.compare(&first, half, &at_front, 0, front, tolerance)?;
    }
    if mapping.batch == BatchDim::Dynamic {
        let mut single = Probe { core, rows: 1, low: probe.low, call: core.call(1, core.run_options()?, None)? };
        let scores = single.scores(Row::Kept)?;
        if scores.len() * rows != first.len() {
            let message = format!("{} values for 1 row and {} for {rows} rows", scores.len(), first.len());
            return Err(single.refuse(message));
        }
        // Scores must not depend on the size of the batch either.
        single.compare(&first[..scores.len()], 0, &scores, 0, 1, tolerance)?;
    }
    Ok(found)
}

impl Probe<'_> {
    fn refuse(&self, message: impl std::fmt::Display) -> Error {
        let mapping = &self.core.mapping;
        let message = format!("the output {} does not fit a batch of {}: {message}", mapping.output, self.rows);
        self.core.opened.interface.refuse(message)
    }

    /// Fills each place of the batch with the row that `at` names, runs, and gives all scores.
    fn scores(&mut self, at: impl Fn(usize) -> Row) -> Result<Vec<f64>> {
        let mapping = &self.core.mapping;
        let mut row_values = vec![0.0; mapping.elements];
        for row in 0..self.rows {
            let (seed, spread) = match at(row) {
                Row::Kept(index) => (2 * index as u64, 1.0),
                Row::New(index) => (2 * index as u64 + 1, 4.0),
            };
            let mut random = SplitMix(seed);
            row_values.fill_with(|| (self.low + (1.0 - self.low) * random.unit()) * spread);
            write_row(self.call.input(0), mapping.input_type, row, &row_values);
        }
        self.core.run(&mut self.call).map_err(|reason| {
            if let Some(refusal) = super::session::run_refusal(&self.core.provider, &reason) {
                return refusal;
            }
            let message = format!("the model does not run on a batch of {}: {reason}", self.rows);
            self.core.opened.interface.refuse(message)
        })?;
        let failed = |reason| Error::new(ErrorKind::Model, reason);
        if mapping.reading == Reading::ClassMaps {
            let maps = self.call.maps().map_err(failed)?;
            if maps != self.rows {
                return Err(self.refuse(format!("it holds {maps} class maps")));
            }
            let each = (0..maps).map(|i| self.call.map_scores(i, |data| labels::widen(&data)).map_err(failed));
            return Ok(each.collect::<Result<Vec<_>>>()?.concat());
        }
        let (shape, data) = self.call.tensor().map_err(failed)?;
        if shape.first().and_then(|&dim| usize::try_from(dim).ok()) != Some(self.rows) {
            return Err(self.refuse(format!("its shape is {shape:?}, and the first dimension must be the batch")));
        }
        Ok(labels::widen(&data))
    }

    /// Reads classes from the output of the run just made.
    fn found(&self, options: &ModelOptions) -> Result<ProbedOutput> {
        let mapping = &self.core.mapping;
        let failed = |reason| Error::new(ErrorKind::Model, reason);
        if mapping.reading == Reading::ClassMaps {
            let names = self.call.map_keys(0).map_err(failed)?;
            return self.settle(mapping.reading, names.len(), Some(names), None, options);
        }
        let (shape, data) = self.call.tensor().map_err(failed)?;
        let dims = shape[1..].iter().map(|&dim| usize::try_from(dim).unwrap_or(0)).collect::<RowShape>();
        let output = Some((data.element(), dims.clone()));
        let columns = dims.first().copied().unwrap_or(1);
        if dims.iter().skip(1).any(|&dim| dim != 1) || columns == 0 {
            return Err(self.refuse(format!("its shape is {shape:?}, and one row must be one list of scores")));
        }
        match mapping.reading {
            Reading::Label if columns != 1 => {
                Err(self.refuse(format!("its shape is {shape:?}, not one label per row")))
            }
            Reading::Label => self.settle(mapping.reading, options.classes.unwrap_or(0), None, output, options),
            // The declared shape left the classes open, and there is one.
            _ if columns == 1 => {
                let reading = resolve::binary(&self.core.opened.interface, &mapping.output, options)?;
                self.settle(reading, 2, None, output, options)
            }
            reading => self.settle(reading, columns, None, output, options),
        }
    }

    fn settle(
        &self,
        reading: Reading,
        classes: usize,
        class_names: Option<Vec<String>>,
        output: Option<(ElementType, RowShape)>,
        options: &ModelOptions,
    ) -> Result<ProbedOutput> {
        if let (Some(given), true) = (options.classes, options.classes != Some(classes)) {
            return Err(Error::argument("classes", format!("{given} classes were given, and the model has {classes}")));
        }
        if classes < 2 || u32::try_from(classes).is_err() {
            return Err(Error::argument("classes", format!("{classes} classes: a classifier has 2 or more")));
        }
        if options.threshold.is_some() && !matches!(reading, Reading::Binary { .. }) {
            let message = "a threshold is for a model with one score per row, and this one has more";
            return Err(Error::argument("threshold", message));
        }
        Ok(ProbedOutput { reading, classes, class_names, output })
    }

    /// Refuses a model where the scores of `count` rows have changed between two runs; the rows begin at a place of
    /// their own in each.
    fn compare(&self, a: &[f64], a_at: usize, b: &[f64], b_at: usize, count: usize, tolerance: f64) -> Result<()> {
        if a.len() != b.len() {
            return Err(self.refuse("the number of scores depends on the rows"));
        }
        let per_row = a.len() / self.rows;
        let a = &a[a_at * per_row..][..count * per_row];
        let b = &b[b_at * per_row..][..count * per_row];
        let finite = a.iter().filter(|score| score.is_finite());
        let largest = finite.fold(0.0_f64, |largest, score| largest.max(score.abs()));
        let differs = |(a, b): (&f64, &f64)| {
            a.is_finite() != b.is_finite() || (a.is_finite() && (a - b).abs() > tolerance * largest)
        };
        if a.iter().zip(b).any(differs) {
            let message = "the rows of a batch influence one another, or the scores are random, so a certificate would \
                           not hold: export the model in evaluation mode (batch normalisation with its running \
                           statistics, no dropout), and quantize it statically if at all (dynamic scales are taken \
                           from the whole batch)";
            return Err(self.core.opened.interface.refuse(message));
        }
        Ok(())
    }
}

/// Writes values in `[-1, 1)` (or four times that) as the input's type; bytes from their magnitudes.
fn write_row(buffer: &mut Buffer, element: ElementType, row: usize, values: &[f32]) {
    fn put<T: super::raw::Plain>(buffer: &mut Buffer, row: usize, values: &[f32], cast: impl Fn(f32) -> T) {
        let row = &mut buffer.elements_mut::<T>()[row * values.len()..][..values.len()];
        row.iter_mut().zip(values).for_each(|(to, &from)| *to = cast(from));
    }
    match element {
        ElementType::Float64 => put::<f64>(buffer, row, values, Into::into),
        ElementType::Float16 => put(buffer, row, values, half::f16::from_f32),
        ElementType::BFloat16 => put(buffer, row, values, half::bf16::from_f32),
        ElementType::UInt8 => put(buffer, row, values, |value| (value.abs() * 255.0) as u8),
        _ => put(buffer, row, values, |value| value),
    }
}

/// A small generator with fixed output: the same rows in every process.
struct SplitMix(u64);

impl SplitMix {
    /// Uniform in `[0, 1)`.
    fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32
    }
}
