//! The upper tail of a binomial distribution, T(p) = P(Bin(N, p) >= n) = I_p(n, N - n + 1), as a function of the
//! log-odds.
//!
//! Two pieces, both free of cancellation for N up to 10^12:
//! - the mass at n, in Loader's saddle-point form (C. Loader, "Fast and accurate computation of binomial
//!   probabilities", 2000), whose exponent is a deviance computed from the difference n - Np;
//! - its ratio to the tail, from the even part of the continued fraction of the incomplete beta function
//!   (DiDonato and Morris, ACM TOMS 18, 1992, eq. 9; DLMF 8.17.22). For p <= n/N all its terms are positive and it ends
//!   after N - n + 1 of them, so it is stable and successive convergents enclose its value.

/// A probability in (0, 1) with its complement; the smaller of the two holds the value, the other is 1 minus it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Odds {
    pub p: f64,
    pub q: f64,
}

impl Odds {
    pub fn from_log_odds(theta: f64) -> Self {
        let small = 1.0 / (1.0 + theta.abs().exp());
        Self::from_smaller(small, theta <= 0.0)
    }

    /// Adds `delta` to the log-odds.
    pub fn shifted(self, delta: f64) -> Self {
        let growth = delta.exp_m1();
        let step = self.p * self.q * growth / (1.0 + self.p * growth);
        if self.p <= self.q {
            Self::from_smaller(self.p + step, true)
        } else {
            Self::from_smaller(self.q - step, false)
        }
    }

    /// The odds of the complement.
    pub fn swapped(self) -> Self {
        Self { p: self.q, q: self.p }
    }

    pub(super) fn from_smaller(small: f64, p_is_small: bool) -> Self {
        if p_is_small { Self { p: small, q: 1.0 - small } } else { Self { p: 1.0 - small, q: small } }
    }
}

/// How far the continued fraction is taken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Precision {
    /// To this relative error of T.
    Relative(f64),
    /// To this error in the log-odds of the p that solves T(p) = alpha.
    LogOdds(f64),
}

/// T and its derivatives with respect to the log-odds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    /// ln T.
    pub ln_tail: f64,
    /// The slope of ln T. It is always positive, and falls as p rises: ln T is concave.
    pub slope: f64,
    /// n - (N + 1)p, the slope of the logarithm of T's derivative.
    pub lambda: f64,
}

/// The tail at n successes of N = n + m trials, with 1 <= n and 1 <= m.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    n: f64,
    m: f64,
    total: f64,
    ln_front: f64,
}

impl Tail {
    pub fn new(successes: u64, failures: u64) -> Self {
        let (n, m, total) = (successes as f64, failures as f64, (successes + failures) as f64);
        let ln_front = 0.5 * (total / (std::f64::consts::TAU * n * m)).ln() + stirling_error(total)
            - stirling_error(n)
            - stirling_error(m);
        Self { n, m, total, ln_front }
    }

    /// T at `odds`, which must not exceed n/N.
    pub fn at(&self, odds: Odds, precision: Precision) -> Value {
        let Odds { p, q } = odds;
        let &Self { n, m, total, ln_front } = self;
        // n - Np with a single rounding; what p itself was rounded by is an error of p, not of T.
        let excess = if p <= q { (-total).mul_add(p, n) } else { total.mul_add(q, -m) };
        let (np, nq) = (total * p, total * q);
        let deviance = np * deviance_term(excess / np) + nq * deviance_term(-excess / nq);
        let slope = self.slope(odds, excess - p, precision);
        Value { ln_tail: ln_front - deviance + (n * q / slope).ln(), slope, lambda: excess - p }
    }

    /// d ln T / d log-odds, the reciprocal of the continued fraction.
    fn slope(&self, Odds { p, q }: Odds, lambda: f64, precision: Precision) -> f64 {
        let (a, b) = (self.n, self.m + 1.0);
        let (c, yp1, ab, pp) = (lambda + 1.0, 1.0 + q, a + b, p * p);
        // Convergents num/den, the latest and the one before.
        let (mut num, mut den) = (a / (a + 1.0) * c, 1.0);
        let (mut num_before, mut den_before) = (1.0, 0.0);
        let mut i = 1.0;
        while i < b {
            let low = a + (2.0 * i - 1.0);
            let high = low + 2.0;
            let inverse = 1.0 / (low * high);
            let per_low = inverse * high;
            let w = i * (b - i);
            let alpha = (a + i - 1.0) * (ab + i - 1.0) * w * pp * per_low * per_low;
            let beta = i + w * p * per_low + (a + i) * (inverse * low) * (c + i * yp1);
            (num, num_before) = (beta * num + alpha * num_before, num);
            (den, den_before) = (beta * den + alpha * den_before, den);
            if num > HUGE {
                num *= TINY;
                den *= TINY;
                num_before *= TINY;
                den_before *= TINY;
            }
            if i as u64 & 1 == 0 {
                let (now, before) = (num * den_before, num_before * den);
                let allowed = match precision {
                    Precision::Relative(error) => error,
                    Precision::LogOdds(error) => error * (num / den).max(0.1),
                };
                if (now - before).abs() <= allowed * now {
                    break;
                }
            }
            i += 1.0;
        }
        num / den
    }
}

/// -ln of the mass that `successes` of n + m trials have at `odds`, relative to that at their own frequency: the
/// deviance, N times the divergence of n/N from p. Relative error about 20 roundings, also where n/N and p all but
/// agree.
pub(super) fn deviance(successes: u64, failures: u64, Odds { p, q }: Odds) -> f64 {
    let (n, m, total) = (successes as f64, failures as f64, (successes + failures) as f64);
    if successes == 0 || failures == 0 {
        let (count, p, q) = if successes == 0 { (m, q, p) } else { (n, p, q) };
        return -count * if q < 0.5 { (-q).ln_1p() } else { p.ln() };
    }
    let excess = if p <= q { (-total).mul_add(p, n) } else { total.mul_add(q, -m) };
    let (np, nq) = (total * p, total * q);
    np * deviance_term(excess / np) + nq * deviance_term(-excess / nq)
}

/// Rescaling of the continued fraction's numerators and denominators, by an exact power of two.
const HUGE: f64 = (1u128 << 110) as f64;
const TINY: f64 = 1.0 / HUGE;

/// (1 + u) ln(1 + u) - u for u > -1, to full relative precision around 0.
fn deviance_term(u: f64) -> f64 {
    if u.abs() > 0.25 {
        return (1.0 + u) * u.ln_1p() - u;
    }
    // ln(1 + u) = 2 atanh(v) with v = u/(2 + u), so the term is u v + 2 (1 + u) (v^3/3 + v^5/5 + ...).
    let v = u / (2.0 + u);
    let s = v * v;
    let series = INVERSE_ODD.iter().rev().fold(0.0, |sum, &c| sum * s + c);
    v * (u + 2.0 * (1.0 + u) * s * series)
}

/// 1/3, 1/5, ...: v^2 is below 0.021 there, so what follows is below 1e-17 of the first.
const INVERSE_ODD: [f64; 10] = [
    1.0 / 3.0,
    1.0 / 5.0,
    1.0 / 7.0,
    1.0 / 9.0,
    1.0 / 11.0,
    1.0 / 13.0,
    1.0 / 15.0,
    1.0 / 17.0,
    1.0 / 19.0,
    1.0 / 21.0,
];

/// ln(n!) - (n + 1/2) ln n + n - ln(sqrt(2 pi)) for an integer n >= 1.
fn stirling_error(n: f64) -> f64 {
    if n <= 15.0 {
        return STIRLING_ERROR[n as usize - 1];
    }
    let w = 1.0 / (n * n);
    (1.0 / 12.0
        - w * (1.0 / 360.0 - w * (1.0 / 1260.0 - w * (1.0 / 1680.0 - w * (1.0 / 1188.0 - w * 691.0 / 360_360.0)))))
        / n
}

#[allow(clippy::excessive_precision)]
#[rustfmt::skip]
const STIRLING_ERROR: [f64; 15] = [
    0.081_061_466_795_327_258_22, 0.041_340_695_955_409_294_094, 0.027_677_925_684_998_339_149,
    0.020_790_672_103_765_093_112, 0.016_644_691_189_821_192_163, 0.013_876_128_823_070_747_999,
    0.011_896_709_945_891_770_095, 0.010_411_265_261_972_096_497, 0.009_255_462_182_712_732_917_7,
    0.008_330_563_433_362_871_256_5, 0.007_573_675_487_951_840_795, 0.006_942_840_107_209_529_865_7,
    0.006_408_994_188_004_207_068_4, 0.005_951_370_112_758_847_735_6, 0.005_554_733_551_962_801_371,
];
