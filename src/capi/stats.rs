//! `stk_stats`.

use super::error::stk_error;
use super::ffi::call;
use super::model::stk_model;
use super::status::stk_status;
use crate::smoothed::Stats;

/// What a model has done since it was opened, and has under way. Its size may grow at its end within an ABI version. A
/// job is one input of a call. Two readings give rates: the samples a second are the difference of `samples` by that of
/// `seconds`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct stk_stats {
    /// Bytes of this struct that were filled.
    pub struct_size: u64,
    /// Since the model was opened, on the monotonic clock.
    pub seconds: f64,
    /// Samples counted.
    pub samples: u64,
    /// Those of them that were invalid: their scores were not finite.
    pub invalid_samples: u64,
    /// Samples that could be drawn now and wait for a thread: the depth of the queue.
    pub samples_waiting: u64,
    /// Jobs under way of which no sample was begun.
    pub jobs_waiting: u64,
    /// Jobs under way that have begun.
    pub jobs_running: u64,
    /// Jobs that have ended, however that came; the next three are among them.
    pub jobs_ended: u64,
    /// Jobs that were cancelled, or freed before their end.
    pub jobs_cancelled: u64,
    /// Jobs whose timeout passed; under a rule they may have an answer all the same.
    pub jobs_late: u64,
    /// Jobs that a failed run of the model ended.
    pub jobs_failed: u64,
    /// Jobs that were refused with STK_STATUS_BUSY; they are in no other number.
    pub jobs_refused: u64,
    /// Statements handed out, one for each input and k: predictions that do not abstain, radii above 0.
    pub answers: u64,
    /// Statements handed out that abstain.
    pub abstentions: u64,
}

impl From<Stats> for stk_stats {
    fn from(stats: Stats) -> Self {
        let Stats { elapsed, sampler, answers, abstentions } = stats;
        Self {
            struct_size: 0,
            seconds: elapsed.as_secs_f64(),
            samples: sampler.samples,
            invalid_samples: sampler.invalid_samples,
            samples_waiting: sampler.samples_waiting,
            jobs_waiting: sampler.jobs_waiting,
            jobs_running: sampler.jobs_running,
            jobs_ended: sampler.jobs_ended,
            jobs_cancelled: sampler.jobs_cancelled,
            jobs_late: sampler.jobs_late,
            jobs_failed: sampler.jobs_failed,
            jobs_refused: sampler.jobs_refused,
            answers,
            abstentions,
        }
    }
}

/// Gives what a model has done and has under way. It never waits for work: cheap enough to be polled many times a
/// second. Safe from any number of threads.
///
/// @param model Not NULL.
/// @param out Not NULL. Gets the numbers.
/// @param out_size sizeof *out. A longer struct gets zeros behind what this library knows, a shorter one only the
/// members that fit.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT; STK_STATUS_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_stats(
    model: *const stk_model,
    out: *mut stk_stats,
    out_size: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, model| {
        let open = model.shared()?;
        let out = args.out_sized(out, out_size, "out")?;
        let mut stats = stk_stats::from(open.smoothed.stats()?);
        // Every member has 8 bytes.
        let filled = out.size().min(size_of::<stk_stats>()) / 8 * 8;
        stats.struct_size = filled as u64;
        out.set(&stats, filled);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_padding() {
        assert_eq!(size_of::<stk_stats>(), 14 * 8);
    }
}
