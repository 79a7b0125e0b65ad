//! `stk_request`: how the noise is made.

use std::ffi::c_char;

use super::error::stk_error;
use super::ffi::call;
use super::request::{set, stk_request};
use super::status::stk_status;
use crate::Error;
use crate::noise::ExactGrid;
use crate::smoothed::{Generator, NoiseMode};

/// Where the noise's bits come from: one of the STK_GENERATOR_ constants.
pub type stk_generator = i32;

/// It does not come from a model (counts alone).
pub const STK_GENERATOR_NONE: stk_generator = 0;
/// Philox4x32-10, with a seed of 64 bits.
pub const STK_GENERATOR_PHILOX: stk_generator = 1;
/// ChaCha12, with a key of 256 bits.
pub const STK_GENERATOR_CHACHA12: stk_generator = 2;

/// Bytes of a key of ChaCha12.
pub const STK_CHACHA12_KEY_SIZE: usize = 32;

pub(super) fn generator_of(generator: Generator) -> stk_generator {
    match generator {
        Generator::Philox { .. } => STK_GENERATOR_PHILOX,
        Generator::ChaCha12 { .. } => STK_GENERATOR_CHACHA12,
    }
}

/// Sets the noise.
///
/// @param request Not NULL.
/// @param noise As for stk_request_new. Not NULL.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, the request is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_noise(
    request: *mut stk_request,
    noise: *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, request| {
        let family = args.text(noise, "noise")?.parse()?;
        set(request.exclusive()?, |request| request.family = family)
    })
}

/// Sets exact noise: inputs on a declared grid, and the Gaussian discretised to it from exact cell probabilities. What
/// separates it from an exact Gaussian is taken off alpha (the summary's alpha_left), and nothing off the radius. A
/// certificate is then about inputs on the grid and the distances between them; an input that is not on it is refused.
///
/// @param request Not NULL.
/// @param levels Points a unit, from 1 to 2^20: inputs are multiples of 1/levels, 255 for 8-bit pixels scaled to 0 ..
/// 1, 1 for the pixels as they are. sigma must be 1 to 3500 steps of it. 0: back to the default, noise in float32
/// rounded to a fine grid.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, the request is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_noise_exact(
    request: *mut stk_request,
    levels: u32,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, request| {
        let mode = if levels == 0 { NoiseMode::Grid } else { NoiseMode::Exact(ExactGrid::new(levels)?) };
        set(request.exclusive()?, |request| request.mode = mode)
    })
}

/// Sets the generator ChaCha12, a stream cipher: noise that was seen tells nothing of other noise, which keeps an
/// adversary who knows the generator, and not the key, from foreseeing it. stk_request_set_seed goes back to Philox.
///
/// The key is in the JSON of counts and results with their secret, in hex, and in no other.
///
/// @param request Not NULL.
/// @param key STK_CHACHA12_KEY_SIZE bytes, which must be secret and random. Copied. May be NULL: a key from the
/// operating system for each call.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for a request that is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_chacha12(
    request: *mut stk_request,
    key: *const u8,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, request| {
        let key = match args.array_or_null(key, STK_CHACHA12_KEY_SIZE, "key")? {
            None => None,
            Some(key) => Some(key.try_into().map_err(|_| Error::argument("key", "must have 32 bytes"))?),
        };
        set(request.exclusive()?, |request| request.generator = Generator::ChaCha12 { key })
    })
}
