//! A probability kept with its complement.

/// A probability `p` and its complement `q = 1 - p`, each to full relative precision, so that neither tail is lost.
///
/// As a lower bound `p` is rounded down and `q` up; as an upper bound `p` is rounded up and `q` down. The two therefore
/// add to 1 only up to that rounding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prob {
    /// The probability, in [0, 1].
    pub p: f64,
    /// Its complement, in [0, 1].
    pub q: f64,
}

impl Prob {
    /// The impossible event.
    pub const ZERO: Self = Self { p: 0.0, q: 1.0 };

    /// The certain event.
    pub const ONE: Self = Self { p: 1.0, q: 0.0 };

    /// The complement: a lower bound of an event is, complemented, an upper bound of its opposite.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self { p: self.q, q: self.p }
    }

    /// A lower bound of a probability that lies within `margin`, relative to the smaller of `p` and `q`, of this value.
    pub(super) fn lowered(self, margin: f64) -> Self {
        if self.p <= self.q {
            let p = (self.p * (1.0 - margin)).next_down().max(0.0);
            Self { p, q: (1.0 - p).next_up().min(1.0) }
        } else {
            let q = (self.q * (1.0 + margin)).next_up().min(1.0);
            Self { p: (1.0 - q).next_down().max(0.0), q }
        }
    }

    /// Whether both members are probabilities and add to 1 up to rounding.
    pub(crate) fn is_valid(&self) -> bool {
        let unit = 0.0..=1.0;
        unit.contains(&self.p) && unit.contains(&self.q) && (self.p + self.q - 1.0).abs() <= 4.0 * f64::EPSILON
    }
}
