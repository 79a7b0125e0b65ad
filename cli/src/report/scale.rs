//! Round numbers for tables, curves and axes.

/// 1, 2, 2.5 or 5 times a power of ten: the smallest such step that reaches `largest` in at most `steps` steps.
pub fn step(largest: f64, steps: usize) -> f64 {
    let wanted = largest / steps.max(1) as f64;
    if !(wanted.is_finite() && wanted > 0.0) {
        return 0.25;
    }
    let power = wanted.log10().floor() as i32;
    (power - 1..=power + 1)
        .flat_map(|power| [1.0, 2.0, 2.5, 5.0].map(|digit| round(digit, power)))
        .find(|step| *step >= wanted)
        .unwrap_or(wanted)
}

/// Radii for a table: every 0.25, the field's habit, where that gives a table of a fit width.
pub fn table_radii(largest: f64) -> Vec<f64> {
    if largest > 0.25 && largest <= 2.5 { multiples_of(0.25, largest) } else { multiples(largest, 8) }
}

/// Multiples of a round step from 0 to the first that is `largest` or more.
pub fn multiples(largest: f64, steps: usize) -> Vec<f64> {
    multiples_of(step(largest, steps), largest)
}

fn multiples_of(step: f64, largest: f64) -> Vec<f64> {
    let count = (largest / step).ceil().clamp(1.0, 1e6) as u32;
    // Through decimal digits: 0.3 and not 0.30000000000000004.
    let digits = decimals(step);
    (0..=count).map(|i| format!("{:.digits$}", f64::from(i) * step).parse().unwrap_or(f64::from(i) * step)).collect()
}

/// The digits after the point that multiples of a round step need.
pub fn decimals(step: f64) -> usize {
    (0..300).find(|&digits| (step * 10f64.powi(digits)).fract().abs() < 1e-6).unwrap_or(300) as usize
}

/// `digit * 10^power`, correctly rounded.
fn round(digit: f64, power: i32) -> f64 {
    format!("{digit}e{power}").parse().unwrap_or(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_reach() {
        for (largest, steps, expected) in
            [(1.0, 8, 0.2), (2.0, 8, 0.25), (0.9, 8, 0.2), (3.9, 8, 0.5), (1e-3, 8, 2e-4), (400.0, 8, 50.0)]
        {
            assert_eq!(step(largest, steps), expected, "{largest}");
        }
        for largest in [0.0, f64::NAN, f64::INFINITY] {
            assert_eq!(step(largest, 8), 0.25);
        }
        for i in 1..2000 {
            let largest = f64::from(i) * 0.0173;
            let all = multiples(largest, 8);
            assert!(all.len() <= 9 && *all.last().expect("some") >= largest, "{largest} {all:?}");
        }
    }

    #[test]
    fn multiples_are_the_numbers_one_would_write() {
        assert_eq!(multiples(0.8, 8), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]);
        assert_eq!(multiples(0.0, 8), [0.0, 0.25]);
        assert_eq!(table_radii(0.9), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(table_radii(3.9).last(), Some(&4.0));
    }
}
