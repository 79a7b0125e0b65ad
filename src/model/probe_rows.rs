//! Pseudo-random rows to try a model with, the same in every process, and runs on them.

use super::core::{Core, RowShape};
use super::labels;
use super::raw::{Buffer, Call, Plain, RawResult};
use super::reading::CameOut;
use super::session;
use super::signature::{BatchDim, Reading};
use super::types::ElementType;
use crate::{Error, ErrorKind, Result};

/// Rows that are tried on a model that gives scores, and on one that gives labels, which show less.
pub(super) const ROWS: usize = 4;
pub(super) const LABEL_ROWS: usize = 64;

/// Which pseudo-random row lies at a place of a batch.
#[derive(Clone, Copy)]
pub(super) enum Row {
    /// One of those that are compared.
    Kept(usize),
    /// Another one, four times as large, so that a scale taken over the batch changes, too.
    New(usize),
    /// One of many sizes, so that more labels are seen.
    Sized(usize),
}

/// Batches of rows on one output.
pub(super) struct Rows<'a> {
    pub core: &'a Core,
    /// Rows of one run.
    pub batch: usize,
    /// The least value of a row; the largest is 1.
    pub low: f32,
    call: Call,
    /// The call without memory for the output, while the one in use has some.
    without_memory: Option<Call>,
    output: String,
}

impl<'a> Rows<'a> {
    /// Rows on the output that is read, with values from -1 to 1.
    pub fn new(core: &'a Core, batch: BatchDim) -> Result<Self> {
        let rows = match (batch, core.mapping.reading) {
            (BatchDim::Fixed(rows), _) => rows,
            (BatchDim::Dynamic, Reading::Label) => LABEL_ROWS,
            (BatchDim::Dynamic, _) => ROWS,
        };
        Self::of_output(core, &core.mapping.output, rows, -1.0)
    }

    /// Batches of `batch` rows on any output, with values from `low` to 1.
    pub fn of_output(core: &'a Core, output: &str, batch: usize, low: f32) -> Result<Self> {
        let call = core.call_for(output, batch, core.run_options()?, None)?;
        Ok(Self { core, batch, low, call, without_memory: None, output: output.to_owned() })
    }

    /// How many rows are kept: whole batches.
    pub fn count(&self) -> usize {
        self.batch * ROWS.div_ceil(self.batch)
    }

    /// The scores of all kept rows.
    pub fn kept(&mut self) -> RawResult<Vec<f64>> {
        let batches = (0..self.count()).step_by(self.batch);
        let scores = batches.map(|base| self.scores(|place| Row::Kept(base + place)));
        Ok(scores.collect::<RawResult<Vec<_>>>()?.concat())
    }

    /// Fills each place of the batch with the row that `at` names, runs, and gives all scores.
    pub fn scores(&mut self, at: impl Fn(usize) -> Row) -> RawResult<Vec<f64>> {
        if let Err(reason) = self.run(&at) {
            let Some(call) = self.without_memory.take() else { return Err(reason) };
            // What comes out may have another shape than the file declares, and then ONNX Runtime takes no memory.
            self.call = call;
            self.run(at)?;
        }
        if self.core.mapping.reading == Reading::ClassMaps {
            let maps = self.call.maps()?;
            let each = (0..maps).map(|i| self.call.map_scores(i, |data| labels::widen(&data)));
            return Ok(each.collect::<RawResult<Vec<_>>>()?.concat());
        }
        self.call.tensor().map(|(_, data)| labels::widen(&data))
    }

    /// The output as text, of labels that are integers or text.
    pub fn texts(&mut self, at: impl Fn(usize) -> Row) -> RawResult<Vec<String>> {
        self.run(at)?;
        self.call.texts()
    }

    fn run(&mut self, at: impl Fn(usize) -> Row) -> RawResult<()> {
        let mapping = &self.core.mapping;
        let mut values = vec![0.0; mapping.elements];
        for place in 0..self.batch {
            let (seed, spread) = match at(place) {
                Row::Kept(index) => (2 * index, 1.0),
                Row::New(index) => (2 * index + 1, 4.0),
                Row::Sized(index) => (2 * index, [1.0, 0.25, 4.0, 16.0][index % 4]),
            };
            probe_row(seed, self.low, spread, &mut values);
            write_row(self.call.input(0), mapping.input_type, place, &values);
        }
        self.core.run(&mut self.call)
    }

    /// What the last run gave.
    pub fn came_out(&self) -> Result<CameOut> {
        let read = || {
            if self.core.mapping.reading == Reading::ClassMaps {
                return Ok(CameOut::Maps { rows: self.call.maps()?, names: self.call.map_keys(0)? });
            }
            let (shape, data) = self.call.tensor()?;
            let shape = shape.iter().map(|&dim| usize::try_from(dim).unwrap_or(0)).collect();
            Ok(CameOut::Tensor { element: data.element(), shape })
        };
        read().map_err(|reason: String| Error::new(ErrorKind::Model, reason))
    }

    /// Has the runs from now on write into memory of ours, where the model lets them.
    pub fn give_memory(&mut self, element: ElementType, shape: &RowShape) -> Result<()> {
        let call = self.core.call(self.batch, self.core.run_options()?, Some((element, shape)))?;
        self.without_memory = Some(std::mem::replace(&mut self.call, call));
        Ok(())
    }

    /// Whether the runs write into memory of ours.
    pub fn takes_memory(&self) -> bool {
        self.without_memory.is_some()
    }

    /// The refusal of a model whose run failed.
    pub fn failed(&self, reason: &str) -> Error {
        if let Some(refusal) = session::run_refusal(&self.core.provider, reason) {
            return refusal;
        }
        let message = format!(
            "the model does not run on a batch of {}, of which it was to give {}: {reason}; check the element shape \
             (--input-shape) and the constants, and export it with an open batch",
            self.batch, self.output
        );
        self.core.opened.interface.refuse(message)
    }
}

/// Fills a row with the values of a seed, from `low` to 1, times `spread`.
pub(crate) fn probe_row(seed: usize, low: f32, spread: f32, values: &mut [f32]) {
    let mut random = SplitMix(seed as u64);
    values.fill_with(|| (low + (1.0 - low) * random.unit()) * spread);
}

/// Writes values as the input's type; bytes from their magnitudes.
fn write_row(buffer: &mut Buffer, element: ElementType, row: usize, values: &[f32]) {
    fn put<T: Plain>(buffer: &mut Buffer, row: usize, values: &[f32], cast: impl Fn(f32) -> T) {
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

/// A small generator with fixed output.
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
