//! SHA-256, in hex.

use sha2::{Digest, Sha256};

/// SHA-256 of bytes, in lower-case hex.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
