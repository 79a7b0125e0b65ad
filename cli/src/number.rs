//! Numbers in messages.

/// In the fewest digits that read back as the same number, very small and very large ones with an exponent.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size > 0.0 && size < 1e-5 || size >= 1e15 && size.is_finite() => format!("{value:e}"),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_takes_hundreds_of_digits() {
        for (value, shown) in [
            (1e-300, "1e-300"),
            (-2.5e300, "-2.5e300"),
            (0.001, "0.001"),
            (0.0, "0"),
            (255.0, "255"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), shown);
        }
    }
}
