//! Signals are the host's: threads that the library makes, or ONNX Runtime for it, are made while they are blocked.

use std::marker::PhantomData;

/// Signals that are blocked in this thread, and in those that it makes meanwhile, until this is dropped.
#[must_use]
pub(crate) struct Blocked {
    #[cfg(unix)]
    before: Option<nix::sys::signal::SigSet>,
    /// It is this thread's.
    _here: PhantomData<*const ()>,
}

/// Blocks all signals in this thread but those of faults, which are the faulting thread's own. A host that waits for
/// signals (signalfd, sigwait), or has a handler, blocks them in the threads that it knows: one that came to a thread
/// of ours would end the process, or run the handler there.
pub(crate) fn block() -> Blocked {
    #[cfg(unix)]
    {
        use nix::sys::signal::{SigSet, SigmaskHow, Signal};
        let mut signals = SigSet::all();
        for fault in [
            Signal::SIGSEGV,
            Signal::SIGBUS,
            Signal::SIGFPE,
            Signal::SIGILL,
            Signal::SIGTRAP,
            Signal::SIGSYS,
            Signal::SIGABRT,
        ] {
            signals.remove(fault);
        }
        // It cannot fail with these arguments.
        Blocked { before: signals.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok(), _here: PhantomData }
    }
    #[cfg(not(unix))]
    Blocked { _here: PhantomData }
}

#[cfg(unix)]
impl Drop for Blocked {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = before.thread_set_mask();
        }
    }
}
