//! The unsafe part of the room: calls into ONNX Runtime's C interface that `ort` has no safe form for, and memory that
//! it shares with us, behind types that cannot be misused from outside this folder.
//!
//! `ort`'s `Session::run` takes `&mut` and would need a copy of the weights per thread. ONNX Runtime's own `Run` may be
//! called on one session from many threads, which is what the host path does.

mod arena;
mod binding;
mod buffer;
mod call;
mod host;
mod loader;
mod provider;
mod tensor;
mod value;

pub(super) use self::arena::{SHRINK, most_held};
pub(super) use self::binding::{Binding, Memory, Rows};
pub(super) use self::buffer::{Buffer, Plain};
pub(super) use self::call::{Call, placement, takes_on_host};
pub use self::host::HostApi;
pub(super) use self::loader::{Probed, disable_telemetry, find_library, own_file, probe_library};
pub(super) use self::provider::append_provider;
pub(super) use self::tensor::Tensor;
pub(super) use self::value::Data;

/// What ONNX Runtime said.
pub(super) type RawResult<T> = Result<T, String>;

fn check(status: ort::sys::OrtStatusPtr) -> RawResult<()> {
    // SAFETY: the status comes straight from a call of the interface and is handed over.
    unsafe { ort::Error::result_from_status(status) }.map_err(|error| super::runtime::one_line(error.message()))
}
