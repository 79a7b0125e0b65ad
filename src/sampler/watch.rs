//! Looking at a job's counts while it draws.

use crate::stats::Tally;

/// Looks at a job's counts while it draws, and says when they are enough.
///
/// It sees the counts of exactly the first m samples, for numbers m that it chose before it saw any later row, so what
/// it sees depends on the rows alone: not on batches, threads or other jobs. While it is asked, the job's next rows
/// wait and those of other jobs take their place in the batches. It is called on a worker's thread, with no lock held;
/// a panic ends its job with an error.
pub trait Watch: Send {
    /// The counts of the pilot rows, once, before any other row is drawn. Not called where there is no pilot.
    fn pilot(&mut self, counts: &Tally) {
        let _ = counts;
    }

    /// How many samples are to be drawn before the next look, when the first `rows` are counted. At least one more is
    /// drawn, and never more than the job has.
    fn next_look(&mut self, rows: u64) -> u64;

    /// Looks at the counts of the first `counts.n()` samples. False when they are enough.
    fn look(&mut self, counts: &Tally) -> bool;
}
