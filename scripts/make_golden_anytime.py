#!/usr/bin/env python3
"""Writes tests/golden/{anytime,randomized}.tsv: bounds that hold at all looks, and randomized Clopper-Pearson bounds.

Needs mpmath (pip install mpmath). The mixture is summed, or integrated numerically over its alternatives; the randomized bound
is found from sums of binomial masses: neither is the way of the library. Inputs are the exact values of the floats written.
"""

import itertools
import random

from mpmath import exp, inf, log, mp, mpf, quad, sqrt

from make_golden_stats import log_mass, ratio_by_integral, ratio_by_sum, write

# As in src/stats/anytime.rs: weights, and v of a point u = 1 - v or b of the density b (1 - u)^(b - 1).
POINTS = [(mpf(8) / 64, mpf(0)), (mpf(9) / 64, mpf(1) / 16), (mpf(9) / 64, mpf(1) / 2)]
BETAS = [(mpf(22) / 64, 1), (mpf(16) / 64, 8)]
mp.dps = 36  # 12 digits are lost where 10^12 rows cancel
assert sum(weight for weight, _ in POINTS + BETAS) == 1


def log_ratio(s, f, odds, v):
    """ln of v^f (1 + (1 - v)/odds)^s for v > 0."""
    return f * log(v) + s * mp.log1p((1 - v) / odds)


def log_beta(s, f, odds, b):
    """ln of the mixture over v with density b v^(b - 1) on (0, 1)."""
    return log_beta_by_sum(s, f, odds, b) if s + f <= 1_000_000 else log_beta_by_integral(s, f, odds, b)


def log_beta_by_sum(s, f, odds, b):
    """b/(f + b) times the sum of the binomial masses at s, s - 1, ..., 0 over that at s, of s + f + b trials."""
    term, total, j = mpf(1), mpf(1), s
    while j > 0 and term > total * mpf(10) ** -40:
        term *= j / (odds * (s + f + b - j + 1))
        total += term
        j -= 1
    return log(b * total / (f + b))


def log_beta_by_integral(s, f, odds, b):
    power = f + b - 1
    # The integrand's logarithm is concave in v.
    peak = min(mpf(1), power * (1 + odds) / mpf(s + power))
    slope = (power / peak if power else mpf(0)) - s / (odds + 1 - peak)
    curve = (power / peak**2 if power else mpf(0)) + s / (odds + 1 - peak) ** 2
    unit = 1 / max(sqrt(curve), abs(slope))
    steps = (0, 2, 6, 16, 48, 160)
    ends = sorted({min(max(peak + sign * step * unit, mpf(0)), mpf(1)) for step in steps for sign in (-1, 1)})
    top = log_ratio(s, power, odds, peak) if power else log_ratio(s, 0, odds, mpf(1) if peak == 0 else peak)
    if power == 0:
        # The integrand falls from v = 0.
        top = s * mp.log1p(1 / odds)
        unit = (odds + 1) / s
        ends = sorted({min(step * unit, mpf(1)) for step in steps} | {mpf(0)})

        def value(v):
            return exp(s * mp.log1p((1 - v) / odds) - top)

    else:

        def value(v):
            return exp(log_ratio(s, power, odds, v) - top) if v else mpf(0)

    return log(b) + top + log(quad(value, ends, maxdegree=7))


def log_mixture(s, f, odds):
    parts = [
        log(w) + (log_ratio(s, f, odds, v) if v else s * mp.log1p(1 / odds) if f == 0 else -inf) for w, v in POINTS
    ]
    parts += [log(w) + log_beta(s, f, odds, b) for w, b in BETAS]
    top = max(parts)
    return top + log(sum(exp(part - top) for part in parts))


def anytime_lower(s, trials, alpha):
    """(p, 1 - p) by the secant method in the log-odds, where the logarithm of the mixture is convex and falls."""
    f, target = trials - s, -log(mpf(alpha))
    centre = log(mpf(s) / f) if f else log(mpf(2 * s))
    step = sqrt(2 * target * trials / (mpf(s) * max(f, 1)))

    def error(theta):
        return log_mixture(s, f, exp(theta)) - target

    low = centre - min(step, 5)
    while error(low) < 0:
        low -= step
    high = low + step
    while error(high) > 0:
        high += step
    a, b, fa, fb = low, high, error(low), error(high)
    for _ in range(200):
        theta = b - fb * (b - a) / (fb - fa)
        if abs(theta - b) < mpf(10) ** -20:
            break
        value = error(theta)
        if (value > 0) == (fb > 0):
            fa /= 2  # Illinois
        else:
            a, fa = b, fb
        b, fb = theta, value
        if abs(fb) < mpf(10) ** -20:
            break
    else:
        raise AssertionError((s, trials, alpha))
    return 1 / (1 + exp(-theta)), 1 / (1 + exp(theta))


def anytime_rows():
    check = [by(50, 3, mpf(4), 32) for by in (log_beta_by_sum, log_beta_by_integral)]
    assert abs(check[0] - check[1]) < mpf(10) ** -20, check
    alphas = [0.5, 0.001, 1e-100]
    for trials in [1, 2, 10, 100, 10**5]:
        ns = {1, 2, trials // 2, 9 * trials // 10} | {trials - n for n in (0, 1, 17, trials // 1000)}
        for n, alpha in itertools.product(sorted(n for n in ns if 0 < n <= trials), alphas):
            yield n, trials, alpha, *anytime_lower(n, trials, alpha)
    for n, alpha in [(5 * 10**11, 0.001), (10**12 - 17, 1e-100), (10**12, 0.5)]:
        yield n, 10**12, alpha, *anytime_lower(n, 10**12, alpha)
    rng = random.Random(51)
    for _ in range(60):
        trials = round(10 ** rng.uniform(0.5, 5))
        n = min(max(round(trials ** rng.random()), 1), trials) if rng.random() < 0.5 else rng.randint(1, trials)
        n, alpha = (n, trials - n)[n < trials and rng.random() < 0.5], 10 ** rng.uniform(-15, -0.302)
        if n:
            yield n, trials, alpha, *anytime_lower(n, trials, alpha)


def randomized_lower(n, trials, alpha, u):
    """(p, 1 - p) with P(> n) + u P(= n) = alpha, by halving and then Illinois' method in the log-odds; 0 < n < trials."""
    m, target = trials - n, log(mpf(alpha))

    def error(theta):
        p, q = 1 / (1 + exp(-theta)), 1 / (1 + exp(theta))
        ratio = ratio_by_sum if trials <= 1_000_000 or min(n, m) <= 2000 else ratio_by_integral
        above = ratio(n, m, p, q) - 1  # the tail above n over the mass at n
        return log_mass(n, m, p, q) + log(above + u) - target

    a = log(mpf(n) / m) - (20 if n < 20 else 2) * sqrt(2 * abs(target) * trials / (mpf(n) * m)) - 3 / mpf(n)
    b = log(mpf(n + 1) / (m - 1)) if m > 1 else mpf(60)
    fa, fb = error(a), error(b)
    assert fa < 0 < fb, (n, trials, alpha, u, fa, fb)
    for i in range(300):
        theta = (a + b) / 2 if i < 12 else b - fb * (b - a) / (fb - fa)
        value = error(theta)
        if (value > 0) == (fb > 0):
            fa /= 2
        else:
            a, fa = b, fb
        b, fb = theta, value
        if abs(value) < mpf(10) ** -20:
            return 1 / (1 + exp(-theta)), 1 / (1 + exp(theta))
    raise AssertionError((n, trials, alpha, u))


def randomized_rows():
    for trials in [2, 3, 10, 100, 1000, 10**5]:
        ns = {1, 2, trials // 10, trials // 2, 9 * trials // 10, trials - 2, trials - 1}
        for n, alpha, u in itertools.product(
            sorted(n for n in ns if 0 < n < trials), (0.5, 0.001, 1e-12), (0.0, 2.0**-40, 0.25, 1 - 2.0**-53)
        ):
            yield n, trials, alpha, u, *randomized_lower(n, trials, alpha, mpf(u))


if __name__ == "__main__":
    write("anytime", ["successes", "trials", "alpha", "p", "q"], anytime_rows())
    write("randomized", ["successes", "trials", "alpha", "uniform", "p", "q"], randomized_rows())
