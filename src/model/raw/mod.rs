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
mod status;
mod tensor;
mod text;
mod value;

pub(super) use self::arena::{SHRINK, most_held};
pub(super) use self::binding::{Binding, Memory, Rows};
pub(super) use self::buffer::{Buffer, Plain};
pub(super) use self::call::{Call, placement, takes_on_host};
pub use self::host::HostApi;
pub(super) use self::loader::{Probed, disable_telemetry, find_library, own_file, probe_library};
pub(super) use self::provider::append_provider;
pub(super) use self::status::RawResult;
use self::status::check;
pub(super) use self::tensor::Tensor;
pub(super) use self::text::one_line;
pub(super) use self::value::Data;
