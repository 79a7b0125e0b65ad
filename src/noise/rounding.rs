//! Products that are never too small.

/// A count times a bound, rounded up. The count itself was rounded to f64 where it is above 2^53.
pub(crate) fn times_up(count: f64, bound: f64) -> f64 {
    if count == 0.0 || bound == 0.0 { 0.0 } else { (count.next_up() * bound).next_up() }
}
