//! What the device holds of the jobs under way: their inputs and their counts.

use std::sync::Arc;

use super::driver::{Driver, Fault, HostMemory, Memory, OwnedEvent, Stream};
use crate::model::{DeviceLayout, Reading, labels_outside};
use crate::sampler::progress::JobState;
use crate::{Error, ErrorKind};

/// Memory on the device for all slots together stays below this, but for the fewest slots that are of use.
const MAX_BYTES: usize = 256 << 20;
const SLOTS: std::ops::RangeInclusive<usize> = 4..=64;
/// Counts come down unasked when this many rows for each class have gone into them: the traffic stays below a byte a
/// row, and what a lost device takes with it stays small.
const ROWS_A_CLASS: u64 = 16;

/// A job's place on the device.
pub(super) struct Slot {
    job: Option<Arc<JobState>>,
    x: Memory,
    staged_x: HostMemory<f32>,
    /// When `staged_x` was last read.
    uploaded: OwnedEvent,
    /// Of its samples, and of its pilot's rows.
    counters: [DeviceCounter; 2],
}

/// Counts on the device.
struct DeviceCounter {
    counts: Memory,
    landed: HostMemory<u32>,
    /// Rows enqueued whose labels are, or will be, in the counts on the device.
    out: u64,
    /// Rows whose counts are on their way down.
    coming: Option<u64>,
}

/// Which counts: a slot, and whether they are its job's pilot's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CounterId {
    pub slot: usize,
    pub pilot: bool,
}

/// Which counts are to come down.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Those of jobs that wait for them, and those of which enough is on the device.
    Due,
    /// All that there are.
    All,
}

pub(super) struct Slots {
    driver: Arc<dyn Driver>,
    slots: Vec<Slot>,
    classes: u64,
    /// Whether the model gives labels itself: a row without one then had a label outside the classes.
    gives_labels: bool,
    bytes_up: u64,
    bytes_down: u64,
}

impl Slots {
    pub fn new(driver: &Arc<dyn Driver>, layout: &DeviceLayout) -> Result<Self, Fault> {
        let (elements, classes) = (layout.elements, layout.classes);
        let counter = || {
            Ok::<_, Fault>(DeviceCounter {
                counts: Memory::new(driver, classes * size_of::<u32>())?,
                landed: HostMemory::new(driver, classes)?,
                out: 0,
                coming: None,
            })
        };
        let slot = || {
            Ok(Slot {
                job: None,
                x: Memory::new(driver, elements * size_of::<f32>())?,
                staged_x: HostMemory::new(driver, elements)?,
                uploaded: OwnedEvent::new(driver)?,
                counters: [counter()?, counter()?],
            })
        };
        let count = (MAX_BYTES / ((elements + 2 * classes) * size_of::<f32>())).clamp(*SLOTS.start(), *SLOTS.end());
        let slots = (0..count).map(|_| slot()).collect::<Result<Vec<_>, Fault>>()?;
        Ok(Self {
            driver: Arc::clone(driver),
            slots,
            classes: classes as u64,
            gives_labels: layout.reading == Reading::Label,
            bytes_up: 0,
            bytes_down: 0,
        })
    }

    /// The job's slot; a free one, with its input on the way up, where it has none; nothing where all are taken.
    pub fn place(&mut self, job: &Arc<JobState>) -> Result<Option<usize>, Fault> {
        let has = |slot: &Slot| slot.job.as_ref().is_some_and(|held| Arc::ptr_eq(held, job));
        if let Some(index) = self.slots.iter().position(has) {
            return Ok(Some(index));
        }
        // An empty one first: a job whose counts came down at a look may be back with its input still in place.
        let empty = self.slots.iter().position(|slot| slot.job.is_none());
        let Some(index) = empty.or_else(|| self.slots.iter().position(Slot::is_free)) else { return Ok(None) };
        // It was read when the job was queued, which is where reading it may fail.
        let input = job.centre().map_err(|error| Fault::Lost(error.to_string()))?;
        let slot = &mut self.slots[index];
        slot.job = None;
        // Rows that were taken back may have left their job's upload under way.
        self.driver.wait(slot.uploaded.event)?;
        slot.staged_x.as_mut_slice().copy_from_slice(input.values());
        // SAFETY: both hold the elements, and stay; whatever reads the slot's earlier input comes before, in this
        // stream.
        unsafe { self.driver.upload(Stream::Fill, slot.x.address, slot.staged_x.start, slot.x.bytes) }?;
        self.driver.record(slot.uploaded.event, Stream::Fill)?;
        self.bytes_up += slot.x.bytes as u64;
        slot.job = Some(Arc::clone(job));
        Ok(Some(index))
    }

    /// Addresses of the input and the counts.
    pub fn addresses(&self, id: CounterId) -> (u64, u64) {
        let slot = &self.slots[id.slot];
        (slot.x.address, slot.counters[usize::from(id.pilot)].counts.address)
    }

    /// Notes rows that are being enqueued.
    pub fn add(&mut self, id: CounterId, rows: u64) {
        self.counter(id).out += rows;
    }

    /// Takes back rows that were not enqueued after all.
    pub fn take_back(&mut self, id: CounterId, rows: u64) {
        self.counter(id).out -= rows;
        self.slots[id.slot].let_go();
    }

    fn counter(&mut self, id: CounterId) -> &mut DeviceCounter {
        &mut self.slots[id.slot].counters[usize::from(id.pilot)]
    }

    /// Whether counts are on the device that are not yet on their way down.
    pub fn holds_counts(&self) -> bool {
        self.slots.iter().flat_map(|slot| &slot.counters).any(|counter| counter.out > 0)
    }

    /// Enqueues the way down of counts; which they are.
    pub fn bring_down(&mut self, which: Which) -> Result<Vec<CounterId>, Fault> {
        let mut coming = Vec::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let Some(job) = &slot.job else { continue };
            for (pilot, counter) in [false, true].into_iter().zip(&mut slot.counters) {
                if counter.out == 0 || counter.coming.is_some() {
                    continue;
                }
                if which == Which::Due && counter.out < ROWS_A_CLASS * self.classes && !job.is_due_back() {
                    continue;
                }
                // SAFETY: both hold the counts and stay; the host reads them when the copy has been waited for.
                unsafe {
                    self.driver.download(
                        Stream::Run,
                        counter.landed.start,
                        counter.counts.address,
                        counter.landed.bytes(),
                    )?;
                    self.driver.zero(Stream::Run, counter.counts.address, counter.counts.bytes)?;
                }
                self.bytes_down += counter.landed.bytes() as u64;
                counter.coming = Some(std::mem::take(&mut counter.out));
                coming.push(CounterId { slot: index, pilot });
            }
        }
        Ok(coming)
    }

    /// Gives counts that have come down to their job. The job, where a look at them has released further rows, which
    /// are to be queued.
    pub fn landed(&mut self, id: CounterId) -> Option<Arc<JobState>> {
        let slot = &mut self.slots[id.slot];
        let counter = &mut slot.counters[usize::from(id.pilot)];
        let mut again = None;
        if let (Some(job), Some(rows)) = (&slot.job, counter.coming.take()) {
            let counts = counter.landed.as_mut_slice();
            let labelled = counts.iter().map(|&count| u64::from(count)).sum::<u64>();
            if labelled > rows {
                let message = format!("the device counted {labelled} labels of {rows} rows");
                job.give_up(rows, Error::new(ErrorKind::Internal, message));
            } else if self.gives_labels && labelled < rows {
                let message = format!("a run of the model failed: {}", labels_outside(self.classes as usize));
                job.give_up(rows, Error::new(ErrorKind::Run, message));
            } else if job.give_back_counts(id.pilot, counts, rows) {
                again = Some(Arc::clone(job));
            }
        }
        slot.let_go();
        again
    }

    /// Every row of which the counts have not come down: its job, and how many.
    pub fn abandon(&mut self) -> Vec<(Arc<JobState>, u64)> {
        let lost = |slot: &mut Slot| {
            let of =
                |counter: &mut DeviceCounter| std::mem::take(&mut counter.out) + counter.coming.take().unwrap_or(0);
            let rows = slot.counters.iter_mut().map(of).sum();
            slot.job.take().filter(|_| rows > 0).map(|job| (job, rows))
        };
        self.slots.iter_mut().filter_map(lost).collect()
    }

    /// Bytes that went up and down since the last call.
    pub fn take_traffic(&mut self) -> (u64, u64) {
        (std::mem::take(&mut self.bytes_up), std::mem::take(&mut self.bytes_down))
    }
}

impl Slot {
    /// Whether nothing on the device needs it.
    fn is_free(&self) -> bool {
        self.counters.iter().all(|counter| counter.out == 0 && counter.coming.is_none())
    }

    /// Forgets a job that needs its place no more.
    fn let_go(&mut self) {
        if self.is_free() && self.job.as_ref().is_some_and(|job| job.is_handed_out()) {
            self.job = None;
        }
    }
}
