//! Parts of the work alone: what a benchmark holds the whole against.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batches::{Batches, Failed, Program};
use super::driver::{Fault, HostMemory, Memory, OwnedEvent, Stream};
use super::kernels::KernelSegment;
use super::seat::Seat;
use crate::noise::{Grid, NoiseStream};
use crate::{Error, ErrorKind, Result};

/// Runs parts of the work on a device, with the memory, the session and the streams of the whole.
pub struct Yardstick {
    // Dropped first: its runs are on the memory of the rest.
    batches: Batches,
    program: Program,
    x: Memory,
    counts: Memory,
    event: OwnedEvent,
    seat: Arc<Seat>,
}

impl Yardstick {
    pub(super) fn new(seat: &Arc<Seat>, batch: usize) -> Result<Self> {
        let driver = &seat.driver;
        driver.enter().map_err(error)?;
        let program = Program::new(driver, seat.model.device_layout()?)?;
        let batches = Batches::new(&program, &seat.model, batch).map_err(failed)?;
        let x = Memory::holding(driver, &vec![0.5; program.layout().elements]).map_err(error)?;
        let counts = Memory::new(driver, program.layout().classes * size_of::<u32>()).map_err(error)?;
        let event = OwnedEvent::new(driver).map_err(error)?;
        let mut made = Self { batches, program, x, counts, event, seat: Arc::clone(seat) };
        // Rows for the model to run on.
        made.noise(2)?;
        Ok(made)
    }

    /// `runs` runs of the model on rows that lie ready: no noise, no labels, nothing copied. The whole cannot be
    /// faster.
    ///
    /// # Errors
    /// `Run` if the model fails.
    pub fn bare(&mut self, runs: usize) -> Result<Duration> {
        self.timed(Stream::Run, |this| {
            for run in 0..runs {
                // SAFETY: the memory is this one's, and waited for before it goes.
                unsafe { this.batches.run_bare(run % 2, this.batches.rows) }.map_err(failed)?;
            }
            Ok(())
        })
    }

    /// The noisy rows of `runs` batches: no model.
    ///
    /// # Errors
    /// `Run` if the device is lost.
    pub fn noise(&mut self, runs: usize) -> Result<Duration> {
        let mut batch = self.program.empty();
        batch.segments[0] = KernelSegment {
            x: self.x.address,
            counts: self.counts.address,
            sample: 0,
            key: [1, 2],
            purpose: 1,
            first_row: 0,
            scale: 1_048_576.0,
            step: 0.5_f32.powi(22),
        };
        (batch.used, batch.rows) = (1, self.batches.rows as u32);
        self.timed(Stream::Fill, |this| {
            for run in 0..runs {
                // SAFETY: as above.
                unsafe { this.program.fill(&batch, this.batches.input(run % 2).0) }.map_err(error)?;
                batch.segments[0].sample += u64::from(batch.rows);
            }
            Ok(())
        })
    }

    /// The model's input, as bytes of its type, as the device makes it of `rows` noisy rows from `first` on: what a
    /// check compares with [`NoiseStream::noisy_row`], preprocessed and cast.
    ///
    /// # Errors
    /// `InvalidArgument` when x has another number of elements, `rows` is 0 or beyond the batch, or sigma does not fit
    /// the grid; `Run` if the device is lost or has no memory left.
    pub fn rows(
        &mut self,
        noise: &NoiseStream,
        sigma: f64,
        grid: &Grid,
        x: &[f32],
        first: u64,
        rows: usize,
    ) -> Result<Vec<u8>> {
        let elements = self.program.layout().elements;
        if x.len() != elements {
            return Err(Error::argument("x", format!("has {} elements, the model takes {elements}", x.len())));
        }
        if rows == 0 || rows > self.batches.rows {
            return Err(Error::argument("rows", format!("{rows} rows; the batch takes 1 to {}", self.batches.rows)));
        }
        let Some(noise) = noise.on_grid(sigma, grid) else {
            let message =
                format!("no kernel makes it: Philox is needed, and a sigma that fits the grid, not {sigma:e}");
            return Err(Error::argument("noise", message));
        };
        let driver = Arc::clone(&self.seat.driver);
        driver.enter().map_err(error)?;
        let bytes = rows * elements * self.program.layout().input.bytes();
        let x = Memory::holding(&driver, x).map_err(error)?;
        let mut landed = HostMemory::<u32>::new(&driver, bytes.div_ceil(size_of::<u32>())).map_err(error)?;
        let mut batch = self.program.empty();
        batch.segments[0] = KernelSegment {
            x: x.address,
            counts: self.counts.address,
            sample: first,
            key: noise.key,
            purpose: noise.purpose,
            first_row: 0,
            scale: noise.scale,
            step: noise.step,
        };
        (batch.used, batch.rows) = (1, rows as u32);
        self.timed(Stream::Fill, |this| {
            let from = this.batches.input(0).0;
            // SAFETY: the memory is held until `timed` has waited.
            unsafe {
                this.program.fill(&batch, from).map_err(error)?;
                this.seat.driver.download(Stream::Fill, landed.start, from, bytes).map_err(error)
            }
        })?;
        let mut out = landed.as_mut_slice().iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>();
        out.truncate(bytes);
        Ok(out)
    }

    /// Zeros over the same memory `runs` times: what writing it takes. The rows are gone after that.
    ///
    /// # Errors
    /// As [`Yardstick::noise`].
    pub fn write(&mut self, runs: usize) -> Result<Duration> {
        self.timed(Stream::Fill, |this| {
            for run in 0..runs {
                let (address, bytes) = this.batches.input(run % 2);
                // SAFETY: as above.
                unsafe { this.seat.driver.zero(Stream::Fill, address, bytes) }.map_err(error)?;
            }
            Ok(())
        })
    }

    /// Bytes of one batch's input.
    pub fn input_bytes(&self) -> usize {
        self.batches.input(0).1
    }

    fn timed(&mut self, stream: Stream, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<Duration> {
        self.seat.driver.enter().map_err(error)?;
        let seat = Arc::clone(&self.seat);
        let _turn = seat.turn();
        let start = Instant::now();
        let done = work(self);
        // Also where it failed: what was enqueued uses the memory.
        let waited =
            self.seat.driver.record(self.event.event, stream).and_then(|()| self.seat.driver.wait(self.event.event));
        done.and_then(|()| waited.map_err(error))?;
        Ok(start.elapsed())
    }
}

fn error(fault: Fault) -> Error {
    Error::new(ErrorKind::Run, fault.to_string())
}

fn failed(failed: Failed) -> Error {
    match failed {
        Failed::Run(error) => error,
        Failed::Memory(reason) => error(Fault::Memory(reason)),
        Failed::Lost(reason) => error(Fault::Lost(reason)),
    }
}
