//! Numbers of twice the precision of f64, as unevaluated sums of two: enough to tell probabilities to 2^-90.
//!
//! Source: Joldes, Muller, Popescu, "Tight and Rigorous Error Bounds for Basic Building Blocks of Double-Word
//! Arithmetic", ACM TOMS 44, 2017, whose bounds (with u = 2^-53) are cited at each operation. No operand here is near
//! the ends of f64's range.

/// `hi + lo`, with hi the nearest f64 to the sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Double {
    pub(super) hi: f64,
    pub(super) lo: f64,
}

/// ln 2, off by less than 2^-110.
const LN_2: Double = Double { hi: std::f64::consts::LN_2, lo: 2.319_046_813_846_299_6e-17 };
/// 1 / sqrt(2 pi), off by less than 2^-110.
const INV_SQRT_TAU: Double = Double { hi: 0.398_942_280_401_432_7, lo: -2.492_327_202_277_73e-17 };

/// Both exactly: the sum and its rounding error, for |a| >= |b|.
fn fast_two_sum(a: f64, b: f64) -> Double {
    let hi = a + b;
    Double { hi, lo: b - (hi - a) }
}

fn two_sum(a: f64, b: f64) -> Double {
    let hi = a + b;
    let b_part = hi - a;
    Double { hi, lo: (a - (hi - b_part)) + (b - b_part) }
}

fn two_product(a: f64, b: f64) -> Double {
    let hi = a * b;
    Double { hi, lo: a.mul_add(b, -hi) }
}

impl Double {
    pub(super) const fn from(value: f64) -> Self {
        Self { hi: value, lo: 0.0 }
    }

    /// a b, exactly.
    pub(super) fn product(a: f64, b: f64) -> Self {
        two_product(a, b)
    }

    /// Algorithm 6: at most 3 u^2 / (1 - 4 u) relative where both have one sign.
    pub(super) fn add(self, other: Self) -> Self {
        let (s, t) = (two_sum(self.hi, other.hi), two_sum(self.lo, other.lo));
        let v = fast_two_sum(s.hi, s.lo + t.hi);
        fast_two_sum(v.hi, t.lo + v.lo)
    }

    /// The difference: [`Double::add`]'s error, relative to the larger of the two.
    pub(super) fn sub(self, other: Self) -> Self {
        self.add(other.negated())
    }

    pub(super) fn negated(self) -> Self {
        Self { hi: -self.hi, lo: -self.lo }
    }

    /// Algorithm 12: at most 5 u^2 relative.
    pub(super) fn mul(self, other: Self) -> Self {
        let c = two_product(self.hi, other.hi);
        let t = self.hi.mul_add(other.lo, self.lo * other.lo);
        fast_two_sum(c.hi, c.lo + self.lo.mul_add(other.hi, t))
    }

    /// Algorithm 15: at most 3 u^2 relative.
    pub(super) fn div_f64(self, divisor: f64) -> Self {
        let high = self.hi / divisor;
        let p = two_product(high, divisor);
        let rest = ((self.hi - p.hi) - p.lo) + self.lo;
        fast_two_sum(high, rest / divisor)
    }

    /// Algorithm 17: at most 15 u^2 + 56 u^3 relative.
    pub(super) fn div(self, divisor: Self) -> Self {
        let high = self.hi / divisor.hi;
        // Algorithm 7, the divisor times `high`.
        let c = two_product(divisor.hi, high);
        let t = fast_two_sum(c.hi, divisor.lo * high);
        let r = fast_two_sum(t.hi, t.lo + c.lo);
        let rest = (self.hi - r.hi) + (self.lo - r.lo);
        fast_two_sum(high, rest / divisor.hi)
    }

    /// Times a power of two, exactly.
    pub(super) fn scaled(self, power: f64) -> Self {
        Self { hi: self.hi * power, lo: self.lo * power }
    }

    /// exp(-a) for a in [0, 60]: a = k ln 2 + r, Taylor's series in r.
    fn exp_of_minus(a: Self) -> Self {
        let k = (a.hi / LN_2.hi).round();
        let r = a.sub(LN_2.mul(Self::from(k))).negated();
        // |r| <= 0.35, so the first term left out is below 2^-140.
        let mut sum = Self::from(1.0);
        for j in (1..=28).rev() {
            sum = Self::from(1.0).add(sum.mul(r).div_f64(f64::from(j)));
        }
        sum.scaled((-k).exp2())
    }

    /// Phi(x) - 1/2 for x in [0, 10.5], within 2^-92.
    ///
    /// The density times x (1 + x^2/3 + x^4/(3 5) + ..): every term is positive, so that nothing cancels. With a = x^2
    /// off by 35 u^2 (x by 15, the square by 5 more), term n is off by at most 44 n u^2; fewer than 200 terms matter,
    /// their sum adds 3 u^2 each; exp(-a/2) is off by at most (37 * 55 + 100) u^2. In all below 12,000 u^2 < 2^-92 of a
    /// value below 1/2.
    pub(super) fn normal_from_median(x: Self) -> Self {
        let a = x.mul(x);
        let (mut term, mut sum, mut odd) = (Self::from(1.0), Self::from(1.0), 3.0);
        // Past this a term is at most half the one before: what is left out is below the last term, 2^-110 of the sum.
        while term.hi > sum.hi * 7.7e-34 || 2.0 * a.hi > odd {
            term = term.mul(a).div_f64(odd);
            sum = sum.add(term);
            odd += 2.0;
        }
        Self::exp_of_minus(a.scaled(0.5)).mul(INV_SQRT_TAU).mul(x).mul(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_agree_with_integers() {
        // (10^15 + 1)(10^15 + 3) and its quotients, exact in 128 bits.
        let (a, b) = (1_000_000_000_000_001.0, 1_000_000_000_000_003.0);
        let product = Double::product(a, b);
        assert_eq!(product.hi as i128 + product.lo as i128, 1_000_000_000_000_001 * 1_000_000_000_000_003);
        for quotient in [product.div_f64(b), product.div(Double::from(b))] {
            assert_eq!((quotient.hi, quotient.lo), (a, 0.0));
        }
        let third = Double::from(1.0).div_f64(3.0);
        let one = third.add(third).add(third).sub(Double::from(1.0));
        assert!(one.hi.abs() < 2f64.powi(-104), "{one:?}");
        let also = Double::from(1.0).div(Double::from(3.0)).mul(Double::from(3.0)).sub(Double::from(1.0));
        assert!(also.hi.abs() < 2f64.powi(-104), "{also:?}");
    }

    #[test]
    fn the_exponential_keeps_its_precision() {
        // e^-1 and e^-50 to 40 digits, as pairs.
        let check = |a: f64, hi: f64, lo: f64| {
            let value = Double::exp_of_minus(Double::from(a));
            let off = ((value.hi - hi) + (value.lo - lo)) / hi;
            assert!(off.abs() < 2f64.powi(-98), "{a}: {off:e}");
        };
        check(1.0, E_1.0, E_1.1);
        check(50.0, E_50.0, E_50.1);
        check(0.0, 1.0, 0.0);
    }
    #[test]
    fn the_normal_distribution_is_within_its_stated_error() {
        // Phi(x) - 1/2 to 60 digits (mpmath), as pairs.
        for (x, hi, lo) in [
            (0.000244140625, 9.739801670856866e-05, 2.952249905095511e-21),
            (0.125, 0.04973822483011289, 3.410836555383725e-19),
            (1.0, 0.3413447460685429, 2.280872032545028e-17),
            (2.5, 0.49379033467422384, 2.39834723349092e-17),
            (5.75, 0.49999999553782754, 1.0956970670387356e-17),
            (9.5, 0.5, -1.0494515075362608e-21),
            (10.5, 0.5, -4.3190063178092304e-26),
        ] {
            let value = Double::normal_from_median(Double::from(x));
            let off = (value.hi - hi) + (value.lo - lo);
            assert!(off.abs() < 2f64.powi(-92), "{x}: {off:e}");
        }
    }

    const E_1: (f64, f64) = (0.36787944117144233, -1.2428753672788363e-17);
    const E_50: (f64, f64) = (1.9287498479639178e-22, -3.7546101071240096e-39);
}
