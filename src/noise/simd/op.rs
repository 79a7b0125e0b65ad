//! How the intrinsics of an instruction set become methods.

/// `Simd` methods as intrinsics, which are safe but for their instructions.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! op {
    ($(fn $name:ident($self:ident $(, $arg:ident: $type:ty)*) -> $out:ty $body:block)*) => {$(
        #[inline(always)]
        fn $name($self $(, $arg: $type)*) -> $out {
            // SAFETY: `self` witnesses that the processor has the instructions; no intrinsic in use touches memory.
            unsafe { $body }
        }
    )*};
}
