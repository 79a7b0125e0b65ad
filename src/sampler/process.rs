//! The process that threads were started in. A child that was forked has their memory, and none of them.

use crate::{Error, ErrorKind, Result};

/// A process, by its id.
///
/// In a forked child nothing of the parent's is under way any more, and a lock that one of its threads held is held for
/// ever. So whatever waits, takes such a lock or ends threads asks first whether this is still the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(u32);

impl Process {
    pub fn this() -> Self {
        Self(std::process::id())
    }

    pub fn is_this(self) -> bool {
        self.0 == std::process::id()
    }

    /// # Errors
    /// `Forked` in another process than this.
    pub fn check(self) -> Result<()> {
        if self.is_this() { Ok(()) } else { Err(Self::forked()) }
    }

    pub fn forked() -> Error {
        let message = "this process was forked after the model was opened, and has none of its threads: open the model \
                       in the child, or start the child with exec (spawn)";
        Error::new(ErrorKind::Forked, message)
    }
}
