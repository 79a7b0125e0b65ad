//! Batches on the device: memory for them, and the enqueueing of rows, run and labels.

use std::ffi::c_void;
use std::sync::Arc;

use super::driver::{Driver, Fault, Memory, OwnedEvent, Stream};
use super::kernels::{BLOCK, FEW_CLASSES, Kernel, KernelBatch, KernelSegment, MAX_SEGMENTS, Shape};
use crate::model::{DeviceBatch, DeviceLayout, DeviceMemory, ElementType, Model, Reading};
use crate::{Error, ErrorKind, Result};

/// Two inputs: the next rows are made while the model runs on the last.
const INPUTS: usize = 2;

/// Why a batch was not enqueued.
#[derive(Debug)]
pub(super) enum Failed {
    /// There is no memory for a batch of this size.
    Memory(String),
    /// The model does not run on it.
    Run(Error),
    /// The device is lost.
    Lost(String),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Memory(reason) => Self::Memory(reason),
            Fault::Lost(reason) => Self::Lost(reason),
        }
    }
}

/// What all batches of a model share: its kernels and their tables.
pub(super) struct Program {
    driver: Arc<dyn Driver>,
    layout: DeviceLayout,
    fill: Kernel,
    label: Kernel,
    mean: Memory,
    std: Memory,
}

/// Memory for batches of up to `rows` rows.
pub(super) struct Batches {
    // Dropped before the memory that they are bound to.
    runs: Vec<DeviceBatch>,
    inputs: Vec<Memory>,
    output: Memory,
    filled: Vec<OwnedEvent>,
    free: Vec<OwnedEvent>,
    driver: Arc<dyn Driver>,
    next: usize,
    pub rows: usize,
}

impl Program {
    pub fn new(driver: &Arc<dyn Driver>, layout: DeviceLayout) -> Result<Self> {
        let refuse = |what: &str, element: ElementType| {
            Error::argument(
                "provider",
                format!("no rows stay on the device for {what} of {element}: this model runs on the host"),
            )
        };
        // Indices within a row are 32-bit there.
        if layout.elements >= 1 << 31 || layout.classes >= 1 << 31 {
            return Err(Error::argument(
                "provider",
                "a row or an output beyond 2^31 values does not stay on the device",
            ));
        }
        let reading = match layout.reading {
            Reading::Scores => "top",
            Reading::Binary { .. } => "above",
            _ => "given",
        };
        let fill = Kernel::of("fill", layout.input).ok_or_else(|| refuse("inputs", layout.input))?;
        let label = Kernel::of(reading, layout.output).ok_or_else(|| refuse("outputs", layout.output))?;
        let table = |values: &[f32]| {
            let values = if values.is_empty() { &[0.0] } else { values };
            Memory::holding(driver, values).map_err(|fault| Error::new(ErrorKind::Run, fault.to_string()))
        };
        let (mean, std) = (table(&layout.mean)?, table(&layout.std)?);
        Ok(Self { driver: Arc::clone(driver), fill, label, mean, std, layout })
    }

    pub fn layout(&self) -> &DeviceLayout {
        &self.layout
    }

    /// A batch without rows.
    pub fn empty(&self) -> KernelBatch {
        KernelBatch {
            segments: [KernelSegment::default(); MAX_SEGMENTS],
            used: 0,
            rows: 0,
            elements: self.layout.elements as u32,
            channels: self.layout.mean.len() as u32,
            run: self.layout.run as u32,
            mean: self.mean.address,
            std: self.std.address,
        }
    }

    /// Enqueues the making of a batch's rows at `input`.
    ///
    /// # Safety
    /// The memory that the batch names lives until that is done, and `input` holds its rows.
    pub unsafe fn fill(&self, batch: &KernelBatch, input: u64) -> Result<(), Fault> {
        let shape = Shape::fill(batch.elements, batch.rows);
        // SAFETY: the kernel's parameters; by contract.
        unsafe { self.driver.launch(Stream::Fill, self.fill, shape, &mut [argument(batch), argument(&input)]) }
    }

    /// Enqueues the counting of the labels in `output`.
    ///
    /// # Safety
    /// As [`Program::fill`].
    unsafe fn label(&self, batch: &KernelBatch, output: u64) -> Result<(), Fault> {
        let classes = self.layout.classes as u32;
        let rows_a_run = match self.layout.reading {
            Reading::Scores if classes > FEW_CLASSES => 1,
            // A warp for each.
            Reading::Scores => 8,
            _ => BLOCK,
        };
        let (shape, each) = Shape::labels(batch.rows, rows_a_run);
        let (driver, threshold) = (
            &self.driver,
            match self.layout.reading {
                Reading::Binary { threshold } => Some(threshold),
                _ => None,
            },
        );
        // SAFETY: the kernels' parameters; by contract.
        unsafe {
            match threshold {
                Some(threshold) => driver.launch(
                    Stream::Run,
                    self.label,
                    shape,
                    &mut [
                        argument(batch),
                        argument(&output),
                        argument(&threshold),
                        argument(&classes),
                        argument(&each),
                    ],
                ),
                None => driver.launch(
                    Stream::Run,
                    self.label,
                    shape,
                    &mut [argument(batch), argument(&output), argument(&classes), argument(&each)],
                ),
            }
        }
    }
}

/// The model's runs on each input.
fn runs(model: &Model, inputs: &[Memory], output: &Memory, rows: usize) -> Result<Vec<DeviceBatch>, Failed> {
    let run = |input: &Memory| {
        let memory = DeviceMemory { input: (input.address, input.bytes), output: (output.address, output.bytes) };
        // SAFETY: memory of the model's device, which `Batches` keeps longer than the runs.
        unsafe { model.device_batch(memory, rows) }.map_err(Failed::Run)
    };
    inputs.iter().map(run).collect()
}

fn argument<T>(value: &T) -> *mut c_void {
    std::ptr::from_ref(value).cast_mut().cast()
}

impl Batches {
    /// Memory for batches of up to `rows` rows.
    pub fn new(program: &Program, model: &Model, rows: usize) -> Result<Self, Failed> {
        let (driver, layout) = (&program.driver, &program.layout);
        let bytes = |values: usize, element: ElementType| {
            let bytes = rows.checked_mul(values).and_then(|count| count.checked_mul(element.bytes()));
            bytes.ok_or_else(|| Failed::Memory(format!("a batch of {rows} rows is beyond any memory")))
        };
        let input_bytes = bytes(layout.elements, layout.input)?;
        let output = Memory::new(driver, bytes(layout.columns, layout.output)?)?;
        let inputs = (0..INPUTS).map(|_| Memory::new(driver, input_bytes)).collect::<Result<Vec<_>, _>>()?;
        let runs = runs(model, &inputs, &output, rows)?;
        let events = || (0..INPUTS).map(|_| OwnedEvent::new(driver)).collect::<Result<Vec<_>, _>>();
        let (filled, free) = (events()?, events()?);
        Ok(Self { runs, inputs, output, filled, free, driver: Arc::clone(driver), next: 0, rows })
    }

    /// Batches of half the rows from here on, in the same memory: where it is short, what the model takes for each row
    /// is most of it, and asking for more could fail. Nothing of the batches is under way.
    pub fn halve(&mut self, model: &Model) -> Result<(), Failed> {
        let rows = self.rows / 2;
        self.runs = runs(model, &self.inputs, &self.output, rows)?;
        self.rows = rows;
        Ok(())
    }

    /// Enqueues a batch: its rows, the model on them, and the counting of their labels.
    ///
    /// # Safety
    /// The memory that the batch names lives until that is done, and nothing else in the streams touches this one's.
    pub unsafe fn enqueue(&mut self, program: &Program, batch: &KernelBatch) -> Result<(), Failed> {
        let index = self.next;
        self.next = (index + 1) % INPUTS;
        let driver = Arc::clone(&self.driver);
        // An event that was never recorded has happened.
        driver.order(Stream::Fill, self.free[index].event)?;
        // SAFETY: by contract; the earlier run on this input comes first.
        unsafe { program.fill(batch, self.inputs[index].address) }?;
        driver.record(self.filled[index].event, Stream::Fill)?;
        driver.order(Stream::Run, self.filled[index].event)?;
        // SAFETY: by contract; the run is in the stream that is ordered after the rows.
        let run = unsafe { self.run_bare(index, self.padded(program, batch.rows as usize)) };
        // SAFETY: by contract.
        let run = run.and_then(|()| Ok(unsafe { program.label(batch, self.output.address) }?));
        // Also where it failed, for the model may have read the input. The labels may be counted: the batch is not
        // tried again.
        driver.record(self.free[index].event, Stream::Run).map_err(|fault| Failed::Lost(fault.to_string()))?;
        run
    }

    /// Enqueues the model alone, on what input `index` holds.
    ///
    /// # Safety
    /// As [`Batches::enqueue`].
    pub unsafe fn run_bare(&mut self, index: usize, rows: usize) -> Result<(), Failed> {
        #[cfg(test)]
        self.driver.note_run(self.inputs[index].address, self.output.address);
        // SAFETY: by contract.
        let Err(error) = (unsafe { self.runs[index].run(rows) }) else { return Ok(()) };
        // An error of earlier work comes up in whatever is called next.
        self.driver.check()?;
        Err(if is_out_of_memory(error.message()) {
            Failed::Memory(error.message().to_owned())
        } else {
            Failed::Run(error)
        })
    }

    /// The rows that the model runs: rounded up, since each new shape costs a search for algorithms. The rest of the
    /// input holds earlier rows, whose labels are not read.
    fn padded(&self, program: &Program, rows: usize) -> usize {
        if program.layout.full { self.rows } else { rows.next_power_of_two().min(self.rows) }
    }

    /// An input's memory.
    pub fn input(&self, index: usize) -> (u64, usize) {
        (self.inputs[index].address, self.inputs[index].bytes)
    }
}

/// ONNX Runtime has one code for every failure: what tells them apart is what its allocator, CUDA, cuDNN and cuBLAS
/// say.
fn is_out_of_memory(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let said = [
        "failed to allocate memory",
        "out of memory",
        "alloc_failed",
        "bad_alloc",
        "memoryallocation",
        // Of an arena with a limit.
        "smaller than requested bytes",
        "failed to find a free memory block",
    ];
    said.iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn want_of_memory_is_told_from_other_failures() {
        for message in [
            "Failed to allocate memory for requested buffer of size 1073741824",
            "CUDA failure 2: out of memory ; GPU=0",
            "CUDNN_STATUS_ALLOC_FAILED",
            "Available memory of 1048576 is smaller than requested bytes of 4194304",
            "BFCArena: Failed to find a free memory block despite calling Extend",
            "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED",
        ] {
            assert!(is_out_of_memory(message), "{message}");
        }
        for message in
            ["CUDA failure 700: an illegal memory access was encountered", "Got invalid dimensions for input: x"]
        {
            assert!(!is_out_of_memory(message), "{message}");
        }
    }
}
