//! What can be seen of a pointer without following it.

use super::failure::{Failure, FfiResult};

pub(super) fn check_pointer<T>(pointer: *const T, name: &str) -> FfiResult {
    if pointer.is_null() {
        return Err(Failure::argument(name, "must not be NULL"));
    }
    if !pointer.is_aligned() {
        return Err(Failure::argument(name, format!("must be aligned to {} bytes", align_of::<T>())));
    }
    Ok(())
}

pub(super) fn check_array<T>(data: *const T, len: usize, name: &str) -> FfiResult {
    check_pointer(data, name)?;
    match len.checked_mul(size_of::<T>()) {
        Some(bytes) if isize::try_from(bytes).is_ok() => Ok(()),
        _ => Err(Failure::argument(name, format!("{len} elements are more than memory can hold"))),
    }
}
