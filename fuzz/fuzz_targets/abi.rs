//! Arbitrary call sequences and arguments through the C ABI: the driver that `cargo test --test runtime` runs with
//! random bytes.
//!
//!     cargo +nightly fuzz run abi
//!
//! ONNX Runtime is found as always: `make setup` is enough.
#![no_main]

#[path = "../../tests/rust/common/driver.rs"]
#[allow(clippy::undocumented_unsafe_blocks)]
mod driver;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    driver::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/models/linear.onnx"));
    driver::drive(data);
    assert!(driver::all_called_back());
});
