//! Where the uniform bits come from.

use std::fmt;

use rand::TryRng;
use rand::rngs::SysRng;

use super::philox::philox4x32_10;
use super::words::{first_bits, philox_stream_key, stream_key};
use crate::{Error, ErrorKind, Result};

/// The purpose word of what is drawn beside the rows: that of no [`Purpose`](super::Purpose), of any law.
const BESIDE: u32 = 3;

/// The generator and its secret. Whoever knows the seed or the key knows the noise.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Philox4x32-10: fast, and random to every statistical test, but no cipher: who sees enough of the noise might
    /// find the seed.
    Philox {
        /// The seed.
        seed: u64,
    },
    /// ChaCha12: noise that was seen tells nothing of the key nor of other noise, as far as anyone knows.
    ChaCha12 {
        /// The key.
        key: [u8; 32],
    },
}

impl Source {
    /// Philox with a seed from the operating system.
    ///
    /// # Errors
    /// `Io` when the operating system gives none.
    pub fn random_philox() -> Result<Self> {
        let seed = SysRng.try_next_u64().map_err(|error| no_bits("seed", error))?;
        Ok(Self::Philox { seed })
    }

    /// ChaCha12 with a key from the operating system.
    ///
    /// # Errors
    /// `Io` when the operating system gives none.
    pub fn random_chacha12() -> Result<Self> {
        let mut key = [0; 32];
        SysRng.try_fill_bytes(&mut key).map_err(|error| no_bits("key", error))?;
        Ok(Self::ChaCha12 { key })
    }

    /// ChaCha12 with the key of these 64 hexadecimal digits, byte 0 first.
    ///
    /// # Errors
    /// `InvalidArgument` when they are not 64 hexadecimal digits; the message does not repeat them.
    pub fn chacha12_from_hex(hex: &str) -> Result<Self> {
        let mut key = [0; 32];
        let digits: Option<Vec<u8>> = hex.chars().map(|digit| digit.to_digit(16).map(|value| value as u8)).collect();
        match digits {
            Some(digits) if digits.len() == 64 => {
                for (byte, [high, low]) in key.iter_mut().zip(digits.as_chunks().0) {
                    *byte = high << 4 | low;
                }
                Ok(Self::ChaCha12 { key })
            }
            _ => Err(Error::argument("key", "must be 64 hexadecimal digits, a key of 256 bits")),
        }
    }

    /// The generator of this name with the seed or key that [`Source::secret`] wrote.
    ///
    /// # Errors
    /// `InvalidData` when there is no generator of this name; `InvalidArgument` when the secret is not one of it.
    pub fn from_secret(name: &str, secret: &str) -> Result<Self> {
        match name {
            "philox4x32-10" => secret
                .parse()
                .map(|seed| Self::Philox { seed })
                .map_err(|_| Error::argument("seed", "must be a whole number from 0 to 2^64 - 1")),
            "chacha12" => Self::chacha12_from_hex(secret),
            _ => Err(Error::data("generator", format!("\"{name}\" is no generator of this version"))),
        }
    }

    /// The generator's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Philox { .. } => "philox4x32-10",
            Self::ChaCha12 { .. } => "chacha12",
        }
    }

    /// 64 uniform bits of stream `stream` that no row of it is made of, of any purpose and law, nor any other `number`.
    #[must_use]
    pub fn bits_beside_rows(&self, stream: u64, number: u64) -> u64 {
        match self {
            Self::Philox { seed } => {
                let counter = [0, number as u32, (number >> 32) as u32, BESIDE];
                let [low, high, ..] = philox4x32_10(counter, philox_stream_key(*seed, stream));
                u64::from(high) << 32 | u64::from(low)
            }
            Self::ChaCha12 { key } => first_bits(&stream_key(key, stream, BESIDE), number),
        }
    }

    /// The seed as a decimal number, or the key as [`Source::chacha12_from_hex`] reads it: what a record needs to draw
    /// again.
    #[must_use]
    pub fn secret(&self) -> String {
        match self {
            Self::Philox { seed } => seed.to_string(),
            Self::ChaCha12 { key } => key.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

impl fmt::Debug for Source {
    /// Without the key, which has no business in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Philox { seed } => f.debug_struct("Philox").field("seed", seed).finish(),
            Self::ChaCha12 { .. } => f.debug_struct("ChaCha12").finish_non_exhaustive(),
        }
    }
}

fn no_bits(field: &'static str, error: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Io, format!("the operating system gives no random {field} ({error}); give one"))
        .with_field(field)
}
