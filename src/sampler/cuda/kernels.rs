//! The kernels: their names, their PTX, and what is passed to them.

use crate::model::ElementType;

/// The one source of the kernels.
pub(super) const SOURCE: &str = include_str!("kernels.cu");
/// What scripts/make_ptx.py made of it. Any GPU from compute capability 7.5 on takes it.
pub(super) const PTX: &str = include_str!("kernels.ptx");
/// As scripts/make_ptx.py compiles, but for the architecture.
pub(super) const OPTIONS: [&str; 5] =
    ["--std=c++17", "--fmad=false", "--ftz=false", "--prec-div=true", "--prec-sqrt=true"];

/// Jobs of one batch.
pub(super) const MAX_SEGMENTS: usize = 32;
/// Threads of a block, and the classes from which on a whole block takes a row: as in the source.
pub(super) const BLOCK: u32 = 256;
pub(super) const FEW_CLASSES: u32 = 2048;

/// Every kernel of the source.
pub(super) const NAMES: [&str; 15] = [
    "fill_float32",
    "fill_float64",
    "fill_float16",
    "fill_bfloat16",
    "fill_uint8",
    "top_float32",
    "top_float64",
    "top_float16",
    "top_bfloat16",
    "above_float32",
    "above_float64",
    "above_float16",
    "above_bfloat16",
    "given_int32",
    "given_int64",
];

/// A kernel, by its place in [`NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kernel(pub usize);

impl Kernel {
    /// The kernel `what`_`element`, where there is one.
    pub fn of(what: &str, element: ElementType) -> Option<Self> {
        NAMES.iter().position(|name| *name == format!("{what}_{element}")).map(Self)
    }
}

/// Rows of one job inside a batch: `Segment` of the source.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KernelSegment {
    pub x: u64,
    pub counts: u64,
    pub sample: u64,
    pub key: [u32; 2],
    pub purpose: u32,
    pub first_row: u32,
    pub scale: f32,
    pub step: f32,
}

/// One launch's rows: `Batch` of the source, passed by value.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct KernelBatch {
    pub segments: [KernelSegment; MAX_SEGMENTS],
    pub used: u32,
    pub rows: u32,
    pub elements: u32,
    pub channels: u32,
    pub run: u32,
    pub mean: u64,
    pub std: u64,
}

/// Blocks and threads of a launch, in two dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub grid: [u32; 2],
    pub block: [u32; 2],
}

impl Shape {
    /// A thread for each Philox block of a row, and rows beside each other where they are short.
    pub fn fill(elements: u32, rows: u32) -> Self {
        let threads = elements.div_ceil(64) * 16;
        let x = threads.next_power_of_two().clamp(16, BLOCK);
        let y = BLOCK / x;
        Self { grid: [threads.div_ceil(x), rows.div_ceil(y).clamp(1, 65_535)], block: [x, y] }
    }

    /// For rows dealt to blocks in runs; the second figure is the rows of a run.
    pub fn labels(rows: u32, at_least: u32) -> (Self, u32) {
        // Enough blocks to fill any GPU; longer runs then, so that each block adds to the counts once.
        let each = rows.div_ceil(1024).max(at_least);
        (Self { grid: [rows.div_ceil(each), 1], block: [BLOCK, 1] }, each)
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_ptx_is_that_of_the_source() {
        let digest = Sha256::digest(SOURCE).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(
            PTX.lines().next().unwrap(),
            format!("// sha256 of kernels.cu: {digest}"),
            "run scripts/make_ptx.py"
        );
        assert!(PTX.contains(".target sm_75"));
        for name in NAMES {
            assert!(PTX.contains(&format!(".visible .entry {name}(")), "{name}");
        }
        assert_eq!(PTX.matches(".visible .entry").count(), NAMES.len());
        // Nothing that rounds otherwise than IEEE 754 asks.
        for inexact in [".ftz", ".approx", "ex2", "lg2"] {
            assert!(!PTX.contains(inexact), "{inexact}");
        }
    }

    #[test]
    fn the_script_and_the_run_time_compile_alike() {
        let script = include_str!("../../../scripts/make_ptx.py");
        for option in OPTIONS {
            assert!(script.contains(&format!("\"{option}\"")), "{option}");
        }
    }

    #[test]
    fn shapes_cover_every_row_and_element() {
        for (elements, rows) in [(1, 1), (64, 65_536), (65, 3), (784, 100), (3072, 256), (150_528, 64), (1, 3_000_000)]
        {
            let Shape { grid, block } = Shape::fill(elements, rows);
            assert!(block[0] * block[1] == BLOCK && grid[1] <= 65_535);
            assert!(grid[0] * block[0] >= elements.div_ceil(64) * 16);
            let (Shape { grid, .. }, each) = Shape::labels(rows, 8);
            assert!(u64::from(grid[0]) * u64::from(each) >= u64::from(rows) && grid[0] <= 1024);
        }
    }
}
