//! When work ends early.

use std::time::{Duration, Instant};

use super::CancelToken;
use crate::{Error, ErrorKind};

/// When work ends early. The default: never.
#[derive(Clone, Debug, Default)]
pub struct Control {
    /// Stops the work this long after it was submitted, on the monotonic clock; the counts so far are kept, with an
    /// error of kind `DeadlineExceeded`.
    pub timeout: Option<Duration>,
    /// Stops the work at this time, as `timeout` does. The earlier of the two counts.
    pub deadline: Option<Instant>,
    /// Stops the work when it is set.
    pub cancel: Option<CancelToken>,
}

impl Control {
    /// When work that began at `start` is late, and what is then said of it.
    pub(super) fn end(&self, start: Instant) -> Option<(Instant, Error)> {
        let late = |message: String| Error::new(ErrorKind::DeadlineExceeded, message);
        // A deadline beyond what the clock can hold never comes.
        let timeout = self.timeout.and_then(|timeout| Some((start.checked_add(timeout)?, timeout)));
        match (timeout, self.deadline) {
            (Some((end, timeout)), deadline) if deadline.is_none_or(|deadline| end < deadline) => {
                Some((end, late(format!("the timeout of {} ms passed", timeout.as_millis()))))
            }
            (_, deadline) => deadline.map(|deadline| (deadline, late("the deadline passed".to_owned()))),
        }
    }
}
