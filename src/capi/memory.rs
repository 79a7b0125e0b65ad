//! Whether memory can hold what a call asks for.

use crate::{Error, Result};

/// What a label takes of each input, about: tallies of 8 bytes, the counts that are read of them, their order and their
/// text.
const BYTES_A_LABEL: usize = 64;

/// Bytes from which on it is asked for whether there is room: where there is not, little things fail too.
const WORTH_ASKING: usize = 1 << 28;

/// Refuses counts that memory cannot hold: an allocation that fails further on would end the process.
pub(super) fn check_memory(classes: usize, inputs: usize) -> Result<()> {
    let refuse = || {
        let message = format!("counts of {classes} labels x {inputs} inputs do not fit into memory");
        Error::argument("classes", format!("{message}: set fewer classes, or ask for fewer inputs at once"))
    };
    let bytes = classes.checked_mul(BYTES_A_LABEL).and_then(|bytes| bytes.checked_mul(inputs)).ok_or_else(refuse)?;
    if bytes < WORTH_ASKING {
        return Ok(());
    }
    let mut room = Vec::<u8>::new();
    // Hidden from the optimiser, which may take an allocation that is not used for one that succeeds.
    std::hint::black_box(&mut room).try_reserve_exact(bytes).map_err(|_| refuse())
}
