//! Columns of numbers as the page has them: typed arrays, little-endian, in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Bytes as text of JSON or a URL.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Of float64.
pub fn f64s(values: impl Iterator<Item = f64>) -> Value {
    column("f64", values.flat_map(f64::to_le_bytes).collect())
}

/// Of whole numbers. What is beyond 32 bits becomes float64.
pub fn whole(values: impl Iterator<Item = u64> + Clone) -> Value {
    match values.clone().all(|value| u32::try_from(value).is_ok()) {
        true => column("u32", values.flat_map(|value| (value as u32).to_le_bytes()).collect()),
        false => f64s(values.map(|value| value as f64)),
    }
}

/// Of labels; -1 for none.
pub fn labels(values: impl Iterator<Item = Option<usize>>) -> Value {
    let value = |label: Option<usize>| label.and_then(|label| i32::try_from(label).ok()).unwrap_or(-1);
    column("i32", values.flat_map(|label| value(label).to_le_bytes()).collect())
}

/// Of bytes.
pub fn u8s(values: impl Iterator<Item = u8>) -> Value {
    column("u8", values.collect())
}

fn column(of: &str, bytes: Vec<u8>) -> Value {
    json!({"type": of, "base64": base64(&bytes)})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_little_endian() {
        assert_eq!(f64s([1.0].into_iter()), json!({"type": "f64", "base64": "AAAAAAAA8D8="}));
        assert_eq!(whole([1, 256].into_iter()), json!({"type": "u32", "base64": "AQAAAAABAAA="}));
        assert_eq!(whole([1 << 40].into_iter())["type"], "f64");
        assert_eq!(labels([Some(3), None].into_iter()), json!({"type": "i32", "base64": "AwAAAP////8="}));
        assert_eq!(u8s([7].into_iter()), json!({"type": "u8", "base64": "Bw=="}));
    }
}
