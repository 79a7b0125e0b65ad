//! Rows that stay on NVIDIA GPUs: noise, model, labels and counts are made there, and only counts come back.
//!
//! One worker keeps one device busy. It takes rows from the same queue as the host's workers, and enqueues for each
//! batch
//!
//! 1. a kernel that writes the noisy rows into the model's bound input, in a stream of its own and into one of two
//!    inputs, so that it runs beside the model;
//! 2. the model, on the stream that its session was opened with;
//! 3. a kernel that adds each row's label to its job's counts.
//!
//! Nothing is allocated or copied for a batch, and the host waits only to stay a few batches ahead. An input goes up
//! once for a job; counts come down when all rows up to a look, or the last, are handed out, when the job stops, and
//! now and then. The noise has the host's bits; noise that no kernel makes goes through the host: docs/gpu.md.

mod batches;
mod classifier;
mod driver;
#[cfg(test)]
mod host_driver;
mod host_rows;
#[cfg(test)]
mod kernel_tests;
mod kernels;
#[cfg(test)]
mod look_tests;
mod nvidia;
#[cfg(all(test, target_os = "linux"))]
mod nvidia_tests;
#[cfg(test)]
mod races;
mod seat;
mod slots;
#[cfg(test)]
mod tests;
mod worker;
mod yardstick;

pub use self::classifier::CudaClassifier;
pub use self::nvidia::KernelSource;
pub use self::yardstick::Yardstick;
