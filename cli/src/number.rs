//! Numbers in messages and options.

/// In the fewest digits that read back as the same number, very small and very large ones with an exponent.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size > 0.0 && size < 1e-5 || size >= 1e15 && size.is_finite() => format!("{value:e}"),
        _ => value.to_string(),
    }
}

/// In at most six digits, for people: 0.00005 where a share of a total is 0.000049999999999999996.
pub fn rounded(value: f64) -> String {
    number(format!("{value:.5e}").parse().unwrap_or(value))
}

/// A whole number in plain digits or with an exponent: `100000`, `1e5`, `2.5e4`.
pub fn whole(text: &str) -> Result<u64, String> {
    if let Ok(value) = text.parse() {
        return Ok(value);
    }
    // Beyond 2^53 such a number cannot be told from its neighbour.
    let exact = text.parse().ok().filter(|value: &f64| value.fract() == 0.0 && (0.0..9e15).contains(value));
    let with_exponent = exact.filter(|_| text.contains(['e', 'E']));
    with_exponent
        .map(|value| value as u64)
        .ok_or_else(|| format!("{text:?} is not a whole number, such as 1000 or 1e5"))
}

/// A time in the unit that suits it, in three digits.
pub fn duration(seconds: f64) -> String {
    let units = [(1.0, 1e-3, "ms"), (120.0, 1.0, "s"), (7200.0, 60.0, "min"), (172_800.0, 3600.0, "h")];
    let (unit, name) = units.iter().find(|unit| seconds < unit.0).map_or((86_400.0, "days"), |unit| (unit.1, unit.2));
    let digits = format!("{:.2e}", seconds / unit).parse().unwrap_or(seconds / unit);
    format!("{} {name}", number(digits))
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

    #[test]
    fn shares_are_shown_as_a_person_would_write_them() {
        let share = (0.01_f64 / 200.0).next_down();
        assert_eq!(
            (rounded(share), rounded(0.001), rounded(1.0 / 3.0)),
            ("0.00005".into(), "0.001".into(), "0.333333".into())
        );
    }

    #[test]
    fn whole_numbers_may_have_an_exponent() {
        let read = ["7", "1e5", "2.5E4", "18446744073709551615"].map(|text| whole(text).ok());
        assert_eq!(read, [Some(7), Some(100_000), Some(25_000), Some(u64::MAX)]);
        for text in ["", "-1", "1.5", "2.0", "1e-3", "1e300", "inf", "nan", "0x10", "1e16"] {
            assert!(whole(text).unwrap_err().contains("is not a whole number"), "{text}");
        }
    }

    #[test]
    fn times_have_units_that_suit_them() {
        for (seconds, shown) in [
            (0.000_25, "0.25 ms"),
            (0.0523, "52.3 ms"),
            (61.26, "61.3 s"),
            (1800.0, "30 min"),
            (36_000.0, "10 h"),
            (864_000.0, "10 days"),
        ] {
            assert_eq!(duration(seconds), shown);
        }
    }
}
