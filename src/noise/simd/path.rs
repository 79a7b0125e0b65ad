//! The instruction sets, and which of them a kernel runs on.

use super::vector::Kernel;
use crate::{Error, Result};

/// An instruction set that the noise kernel is compiled for. All give identical bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Path {
    /// What the compiler makes of plain Rust, for any processor.
    Portable,
    /// AArch64's NEON.
    Neon,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512F and AVX-512DQ.
    Avx512,
}

impl Path {
    /// Every path, slowest first.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Neon, Self::Avx2, Self::Avx512];

    /// Whether this processor can run the path. Cheap: the answer is cached by the standard library.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            Self::Neon => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => super::x86::Avx2::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => super::x86::Avx512::detect().is_some(),
            _ => false,
        }
    }

    /// The fastest path of this processor.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.into_iter().rev().find(|path| path.is_available()).unwrap_or(Self::Portable)
    }

    /// The path, when this processor has it.
    pub(in crate::noise) fn checked(self) -> Result<Self> {
        if self.is_available() {
            Ok(self)
        } else {
            Err(Error::argument("path", format!("this processor cannot run {self:?}; use Path::best()")))
        }
    }
}

/// Runs a kernel.
pub(in crate::noise) fn run(path: Path, kernel: impl Kernel) {
    match path {
        #[cfg(target_arch = "x86_64")]
        Path::Avx512 => {
            if let Some(simd) = super::x86::Avx512::detect() {
                return simd.run(kernel);
            }
        }
        #[cfg(target_arch = "x86_64")]
        Path::Avx2 => {
            if let Some(simd) = super::x86::Avx2::detect() {
                return simd.run(kernel);
            }
        }
        #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
        Path::Neon => return kernel.run(super::neon::Neon),
        _ => {}
    }
    kernel.run(super::portable::Portable);
}
