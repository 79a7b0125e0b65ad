//! Bytes as choices of calls and arguments: the driver's source of chance.

use std::ptr::null_mut;

/// The bytes, read as choices; zeros when they are used up.
pub struct Choices<'a>(pub &'a [u8]);

impl Choices<'_> {
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    pub fn below(&mut self, most: usize) -> usize {
        usize::from(self.byte()) % most
    }

    pub fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    pub fn float(&mut self) -> f64 {
        self.of(&[0.5, 0.25, 1.0, 0.001, 0.1, 0.0, -1.0, 1e-100, 1e300, 5e-324, f64::NAN, f64::INFINITY])
    }

    pub fn integer(&mut self) -> u64 {
        self.of(&[1, 2, 7, 100, 500, 0, 1_000_000_000_000, 1_000_000_000_001, u64::MAX, 1 << 63])
    }

    pub fn index(&mut self) -> usize {
        self.of(&[0, 1, 2, 3, 5, usize::MAX])
    }

    /// A handle of the pool; rarely NULL.
    pub fn handle<T>(&mut self, pool: &[*mut T]) -> *mut T {
        let choice = usize::from(self.byte());
        if pool.is_empty() || choice >= 250 { null_mut() } else { pool[choice % pool.len()] }
    }
}
