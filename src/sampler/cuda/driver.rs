//! What the device path asks of a device. NVIDIA's driver answers it; in tests the processor does.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;

use super::kernels::{Kernel, Shape};

/// Why a device did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// There is no memory left; the device goes on.
    Memory(String),
    /// Nothing can be asked of it any more, and what it held is gone.
    Lost(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory(reason) => write!(f, "no memory is left on the device: {reason}"),
            Self::Lost(reason) => write!(f, "the device is lost: {reason}"),
        }
    }
}

/// The streams of a device: work within one is done in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    /// Makes rows, while the model still runs on those before.
    Fill,
    /// Runs the model and counts its labels.
    Run,
}

/// An event of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event(pub u64);

/// A device. Memory is given zeroed. Everything but allocation and waiting is enqueued, and may be done later.
pub(super) trait Driver: Send + Sync {
    /// To be called by a thread before anything else.
    fn enter(&self) -> Result<(), Fault>;
    /// Memory of the device, aligned for anything.
    fn allocate(&self, bytes: usize) -> Result<u64, Fault>;
    /// # Safety
    /// From `allocate`, given back once, and no work under way uses it.
    unsafe fn free(&self, address: u64);
    /// Memory of the host that the device reads and writes by itself.
    fn allocate_host(&self, bytes: usize) -> Result<NonNull<u8>, Fault>;
    /// # Safety
    /// As `free`.
    unsafe fn free_host(&self, at: NonNull<u8>);
    /// # Safety
    /// Both are that long, `from` is of `allocate_host`, and they stay until the copy is made.
    unsafe fn upload(&self, stream: Stream, to: u64, from: NonNull<u8>, bytes: usize) -> Result<(), Fault>;
    /// # Safety
    /// As `upload`; nobody touches `to` until the copy is made.
    unsafe fn download(&self, stream: Stream, to: NonNull<u8>, from: u64, bytes: usize) -> Result<(), Fault>;
    /// # Safety
    /// Memory of the device, that long.
    unsafe fn zero(&self, stream: Stream, at: u64, bytes: usize) -> Result<(), Fault>;
    /// # Safety
    /// The arguments are of the kernel's types, and point to memory that it may use.
    unsafe fn launch(
        &self,
        stream: Stream,
        kernel: Kernel,
        shape: Shape,
        arguments: &mut [*mut c_void],
    ) -> Result<(), Fault>;
    fn event(&self) -> Result<Event, Fault>;
    /// Gives back an event.
    fn drop_event(&self, event: Event);
    /// The event happens when all that was enqueued before is done.
    fn record(&self, event: Event, stream: Stream) -> Result<(), Fault>;
    /// What is enqueued from here on is done after the event, as last recorded.
    fn order(&self, stream: Stream, after: Event) -> Result<(), Fault>;
    /// Waits for the event, asleep.
    fn wait(&self, event: Event) -> Result<(), Fault>;
    /// Whether all is well: an error of work enqueued before comes up here, too.
    fn check(&self) -> Result<(), Fault>;
    /// Notes the model's reading of its input and writing of its output, in the run stream.
    #[cfg(test)]
    fn note_run(&self, input: u64, output: u64);
    /// Notes that the host reads or writes.
    #[cfg(test)]
    fn note_host(&self, at: NonNull<u8>);
}

/// An event that is given back.
pub(super) struct OwnedEvent {
    driver: Arc<dyn Driver>,
    pub event: Event,
}

impl OwnedEvent {
    pub fn new(driver: &Arc<dyn Driver>) -> Result<Self, Fault> {
        Ok(Self { event: driver.event()?, driver: Arc::clone(driver) })
    }
}

impl Drop for OwnedEvent {
    fn drop(&mut self) {
        self.driver.drop_event(self.event);
    }
}

/// Memory of the device.
pub(super) struct Memory {
    driver: Arc<dyn Driver>,
    pub address: u64,
    pub bytes: usize,
}

impl Memory {
    pub fn new(driver: &Arc<dyn Driver>, bytes: usize) -> Result<Self, Fault> {
        Ok(Self { address: driver.allocate(bytes)?, driver: Arc::clone(driver), bytes })
    }

    /// Memory that holds `values`.
    pub fn holding(driver: &Arc<dyn Driver>, values: &[f32]) -> Result<Self, Fault> {
        let memory = Self::new(driver, size_of_val(values))?;
        let mut staged = HostMemory::<f32>::new(driver, values.len())?;
        staged.as_mut_slice().copy_from_slice(values);
        let copied = OwnedEvent::new(driver)?;
        // SAFETY: both are that long, and stay until the event.
        unsafe { driver.upload(Stream::Fill, memory.address, staged.start, memory.bytes) }?;
        driver.record(copied.event, Stream::Fill)?;
        driver.wait(copied.event)?;
        Ok(memory)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: owned. Owners wait for their work before they let go; the driver's `free` waits itself, too.
        unsafe { self.driver.free(self.address) };
    }
}

/// Numbers in memory of the host that the device reads and writes.
pub(super) struct HostMemory<T> {
    driver: Arc<dyn Driver>,
    pub start: NonNull<u8>,
    count: usize,
    of: std::marker::PhantomData<T>,
}

// SAFETY: owns its memory, which no thread is bound to.
unsafe impl<T: Send> Send for HostMemory<T> {}

/// A number of which any bytes are a value.
pub(super) trait Number: Copy {}
impl Number for f32 {}
impl Number for u32 {}

impl<T: Number> HostMemory<T> {
    pub fn new(driver: &Arc<dyn Driver>, count: usize) -> Result<Self, Fault> {
        let start = driver.allocate_host(count * size_of::<T>())?;
        Ok(Self { start, driver: Arc::clone(driver), count, of: std::marker::PhantomData })
    }

    pub fn bytes(&self) -> usize {
        self.count * size_of::<T>()
    }

    /// The device must not be using it.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        #[cfg(test)]
        self.driver.note_host(self.start);
        // SAFETY: zeroed or copied, aligned, any bytes are a `T`, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().cast(), self.count) }
    }
}

impl<T> Drop for HostMemory<T> {
    fn drop(&mut self) {
        // SAFETY: owned; as for `Memory`.
        unsafe { self.driver.free_host(self.start) };
    }
}
