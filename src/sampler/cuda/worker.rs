//! The worker of one device: keeps it busy with jobs' rows, and brings their counts down.

use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::batches::{Batches, Failed, Program};
use super::driver::{Driver, Fault, OwnedEvent, Stream};
use super::host_rows::HostRows;
use super::kernels::{KernelSegment, MAX_SEGMENTS};
use super::seat::Seat;
use super::slots::{CounterId, Slots, Which};
use crate::noise::RowNoise;
use crate::sampler::queue::WorkQueue;
use crate::sampler::segment::Segment;
use crate::{Error, ErrorKind, Result, log};

/// Batches that the host is ahead of the device. It waits for the one before these, never for the last.
const AHEAD: usize = 3;

/// Work that was enqueued.
struct Flight {
    done: OwnedEvent,
    /// Counts that came down with it.
    counts: Vec<CounterId>,
}

/// Rows of one job in a batch that is being put together.
#[derive(Clone)]
struct BatchPart {
    id: CounterId,
    noise: RowNoise,
    segment: Segment,
}

pub(super) struct DeviceWorker {
    seat: Arc<Seat>,
    /// Seats of this sampler's workers that are not lost.
    alive: Arc<AtomicUsize>,
    queue: Arc<WorkQueue>,
    driver: Arc<dyn Driver>,
    program: Program,
    slots: Slots,
    batches: Batches,
    /// Rows that were taken and are in no slot yet.
    waiting: VecDeque<Segment>,
    in_flight: VecDeque<Flight>,
    events: Vec<OwnedEvent>,
    host: HostRows,
    /// The batch of the plan; the device's may have become smaller.
    planned: usize,
}

impl DeviceWorker {
    pub fn new(seat: &Arc<Seat>, alive: Arc<AtomicUsize>, queue: Arc<WorkQueue>, batch: usize) -> Result<Self> {
        let driver = Arc::clone(&seat.driver);
        let refuse = |fault: Fault| Error::new(ErrorKind::Run, fault.to_string());
        driver.enter().map_err(refuse)?;
        let program = Program::new(&driver, seat.model.device_layout()?)?;
        let slots = Slots::new(&driver, program.layout()).map_err(refuse)?;
        let batches = allocate(&program, seat, batch)?;
        Ok(Self {
            seat: Arc::clone(seat),
            alive,
            queue,
            driver,
            program,
            slots,
            batches,
            waiting: VecDeque::new(),
            in_flight: VecDeque::with_capacity(AHEAD + 2),
            events: Vec::new(),
            host: HostRows::new(batch),
            planned: batch,
        })
    }

    /// Serves until the sampler is closed. When the device is lost, its jobs end with an error and what they had
    /// counted; other devices' workers then have the rest, and where there are none every job is told so.
    pub fn run(mut self) {
        let served = catch_unwind(AssertUnwindSafe(|| self.serve()));
        let lost = match served {
            Ok(Ok(())) => return,
            Ok(Err(Fault::Memory(reason) | Fault::Lost(reason))) => {
                Error::new(ErrorKind::Run, format!("{} is lost: {reason}", self.seat.model.provider()))
            }
            Err(_) => Error::new(ErrorKind::Internal, format!("the worker of {} panicked", self.seat.model.provider())),
        };
        log::error(format_args!("{lost}"));
        give_up(self.waiting.drain(..), &lost);
        for (job, rows) in self.slots.abandon() {
            job.give_up(rows, lost.clone());
        }
        if self.alive.fetch_sub(1, Ordering::SeqCst) > 1 {
            return;
        }
        while let Some(segments) = self.queue.take(self.planned) {
            give_up(segments, &lost);
        }
    }

    fn serve(&mut self) -> Result<(), Fault> {
        self.driver.enter()?;
        loop {
            let is_idle = self.in_flight.is_empty() && !self.slots.holds_counts();
            let taken = match is_idle {
                true => self.queue.take(self.batches.rows),
                false => self.queue.try_take(self.batches.rows),
            };
            let seat = Arc::clone(&self.seat);
            let _turn = seat.turn();
            let Some(segments) = taken else {
                self.finish()?;
                return Ok(());
            };
            if segments.is_empty() {
                // Nothing waits: jobs may be waiting for their counts.
                self.bring_down(Which::All)?;
                self.land()?;
                continue;
            }
            self.waiting.extend(segments);
            self.draw()?;
            self.bring_down(Which::Due)?;
            while self.in_flight.len() > AHEAD {
                self.land()?;
            }
        }
    }

    /// Enqueues the rows that wait, in as many batches as they take.
    fn draw(&mut self) -> Result<(), Fault> {
        while let Some(next) = self.waiting.front() {
            if next.job.is_stopped() {
                let error = Error::new(ErrorKind::Cancelled, "the job was cancelled");
                give_up(self.waiting.pop_front(), &error);
            } else if next.noise_for_kernels().is_none() {
                let segment = self.waiting.pop_front();
                segment.iter().for_each(|segment| self.host.draw(segment, &self.seat.model, &self.queue));
            } else {
                let parts = self.assemble()?;
                if parts.is_empty() {
                    // Every slot is taken: the first to come down makes room.
                    self.bring_down(Which::All)?;
                    self.land()?;
                    continue;
                }
                self.try_batch(parts)?;
            }
        }
        Ok(())
    }

    /// Rows of as many waiting jobs as fit into a batch and have, or get, a slot.
    fn assemble(&mut self) -> Result<Vec<BatchPart>, Fault> {
        let mut parts: Vec<BatchPart> = Vec::new();
        let mut room = self.batches.rows as u64;
        while room > 0
            && parts.len() < MAX_SEGMENTS
            && let Some(next) = self.waiting.front_mut()
            && let Some(noise) = next.noise_for_kernels()
            && let Some(slot) = self.slots.place(&next.job)?
        {
            let rows = room.min(next.samples.end - next.samples.start);
            let samples = next.samples.start..next.samples.start + rows;
            next.samples.start += rows;
            let id = CounterId { slot, pilot: next.pilot };
            parts.push(BatchPart { id, noise, segment: Segment { samples, ..next.clone() } });
            self.slots.add(id, rows);
            room -= rows;
            if next.samples.is_empty() {
                self.waiting.pop_front();
            }
        }
        Ok(parts)
    }

    /// Enqueues a batch. Where the model does not run on it, each job's rows are tried alone; where memory is short, in
    /// smaller batches.
    fn try_batch(&mut self, parts: Vec<BatchPart>) -> Result<(), Fault> {
        let failed = match self.enqueue(&parts) {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        let error = match failed {
            // What was assembled is still the slots', who will be abandoned.
            Failed::Lost(reason) => return Err(Fault::Lost(reason)),
            Failed::Memory(reason) => match self.shrink(&reason)? {
                Ok(()) => {
                    for part in parts.into_iter().rev() {
                        self.slots.take_back(part.id, rows(&part.segment.samples));
                        self.waiting.push_front(part.segment);
                    }
                    return Ok(());
                }
                Err(error) => error,
            },
            Failed::Run(_) if parts.len() > 1 => {
                for part in parts {
                    self.try_batch(vec![part])?;
                }
                return Ok(());
            }
            Failed::Run(error) => error,
        };
        for part in parts {
            self.slots.take_back(part.id, rows(&part.segment.samples));
            give_up(Some(part.segment), &error);
        }
        Ok(())
    }

    fn enqueue(&mut self, parts: &[BatchPart]) -> Result<(), Failed> {
        let mut batch = self.program.empty();
        for (segment, part) in batch.segments.iter_mut().zip(parts) {
            let (x, counts) = self.slots.addresses(part.id);
            *segment = KernelSegment {
                x,
                counts,
                sample: part.segment.samples.start,
                key: part.noise.key,
                purpose: part.noise.purpose,
                first_row: batch.rows,
                scale: part.noise.scale,
                step: part.noise.step,
            };
            batch.rows += rows(&part.segment.samples) as u32;
            batch.used += 1;
        }
        // Before anything is counted: what fails after that is never tried again.
        let done = self.event()?;
        // SAFETY: the slots stay until their counts have come down, and only this worker's streams touch the batch's
        // memory.
        let enqueued = unsafe { self.batches.enqueue(&self.program, &batch) };
        if enqueued.is_err() {
            self.events.push(done);
            return enqueued;
        }
        self.fly(done, Vec::new()).map_err(|fault| Failed::Lost(fault.to_string()))
    }

    /// Halves the batch; the inner error says why it cannot.
    fn shrink(&mut self, reason: &str) -> Result<Result<()>, Fault> {
        // What is enqueued still uses the memory.
        while !self.in_flight.is_empty() {
            self.land()?;
        }
        let rows = self.batches.rows;
        if self.is_fixed() || rows == 1 {
            let remedy = if self.is_fixed() { "the model's batch is fixed" } else { "a single row is too much" };
            let message = format!(
                "{} has no memory for a batch of {rows} rows, and {remedy}: {reason}",
                self.seat.model.provider()
            );
            return Ok(Err(Error::new(ErrorKind::Run, message)));
        }
        match self.batches.halve(&self.seat.model) {
            Ok(()) => {
                log::warn(format_args!(
                    "{} has no memory for a batch of {rows} rows: batches have {} from here on ({reason})",
                    self.seat.model.provider(),
                    self.batches.rows
                ));
                Ok(Ok(()))
            }
            Err(Failed::Run(error)) => Ok(Err(error)),
            Err(Failed::Memory(reason)) => Err(Fault::Memory(reason)),
            Err(Failed::Lost(reason)) => Err(Fault::Lost(reason)),
        }
    }

    fn is_fixed(&self) -> bool {
        is_fixed(&self.seat)
    }

    /// Enqueues the way down of counts.
    fn bring_down(&mut self, which: Which) -> Result<(), Fault> {
        let counts = self.slots.bring_down(which)?;
        if !counts.is_empty() {
            let done = self.event()?;
            self.fly(done, counts)?;
        }
        Ok(())
    }

    fn event(&mut self) -> Result<OwnedEvent, Fault> {
        self.events.pop().map_or_else(|| OwnedEvent::new(&self.driver), Ok)
    }

    /// Notes what was enqueued last.
    fn fly(&mut self, done: OwnedEvent, counts: Vec<CounterId>) -> Result<(), Fault> {
        let recorded = self.driver.record(done.event, Stream::Run);
        self.in_flight.push_back(Flight { done, counts });
        recorded
    }

    /// Waits for the oldest work, and gives its counts to their jobs.
    fn land(&mut self) -> Result<(), Fault> {
        let Some(flight) = self.in_flight.pop_front() else { return Ok(()) };
        self.driver.wait(flight.done.event)?;
        self.events.push(flight.done);
        for id in flight.counts {
            if let Some(job) = self.slots.landed(id) {
                self.queue.push(job);
            }
        }
        let (up, down) = self.slots.take_traffic();
        self.seat.traffic.add(up, down);
        Ok(())
    }

    /// Everything that was enqueued, to its end.
    fn finish(&mut self) -> Result<(), Fault> {
        while !self.in_flight.is_empty() || self.slots.holds_counts() {
            self.bring_down(Which::All)?;
            self.land()?;
        }
        Ok(())
    }
}

impl Drop for DeviceWorker {
    fn drop(&mut self) {
        // Memory must outlive what is enqueued; where the device is lost, nothing is.
        let _ = self.driver.enter();
        for flight in self.in_flight.drain(..) {
            let _ = self.driver.wait(flight.done.event);
        }
    }
}

/// Memory for batches of `rows` rows, or of the largest half, quarter, .. of it that there is memory for.
fn allocate(program: &Program, seat: &Seat, mut rows: usize) -> Result<Batches> {
    loop {
        let reason = match Batches::new(program, &seat.model, rows) {
            Ok(batches) => return Ok(batches),
            Err(Failed::Run(error)) => return Err(error),
            Err(Failed::Lost(reason)) => {
                return Err(Error::new(ErrorKind::Run, format!("the device is lost: {reason}")));
            }
            Err(Failed::Memory(reason)) => reason,
        };
        if rows <= 1 || is_fixed(seat) {
            let message = format!("{} has no memory for a batch of {rows} rows: {reason}", seat.model.provider());
            return Err(Error::new(ErrorKind::Run, message).with_field("batch"));
        }
        log::warn(format_args!(
            "{} has no memory for a batch of {rows} rows: half of it is tried",
            seat.model.provider()
        ));
        rows /= 2;
    }
}

fn is_fixed(seat: &Seat) -> bool {
    matches!(seat.model.signature().batch, crate::model::BatchDim::Fixed(_))
}

fn rows(samples: &Range<u64>) -> u64 {
    samples.end - samples.start
}

fn give_up(segments: impl IntoIterator<Item = Segment>, error: &Error) {
    for segment in segments {
        segment.job.give_up(segment.rows() as u64, error.clone());
    }
}
