#!/usr/bin/env python3
"""Writes the golden tables of the statistics, tests/golden/{clopper_pearson,normal,radius,certify,predict}.tsv.

Needs mpmath (pip install mpmath); works with 40 digits or more throughout and prints 30. Inputs are taken as the exact
values of the 64-bit floats they are written as. Binomial tails are summed term by term, or integrated where the sum is too
long: neither method is the one the library uses. Takes a few minutes.
"""

import itertools
import random
from functools import lru_cache
from pathlib import Path

from mpmath import erfc, exp, findroot, log, loggamma, mp, mpf, ncdf, nstr, quad, sqrt

OUT = Path(__file__).resolve().parent.parent / "tests" / "golden"
DIGITS = 30
mp.dps = 60  # ln(10^12!) costs 14 digits of the 40


def write(name, header, rows):
    with open(OUT / f"{name}.tsv", "w", encoding="ascii") as out:
        out.write("\t".join(header) + "\n")
        for row in rows:
            out.write("\t".join(nstr(x, DIGITS) if isinstance(x, mpf) else str(x) for x in row) + "\n")


# The binomial tail T = P(Bin(n + m, p) >= n) as a function of the odds; (p, q) are kept separately.


@lru_cache(maxsize=None)
def log_choose(n, m):
    return loggamma(n + m + 1) - loggamma(n + 1) - loggamma(m + 1)


def log_mass(n, m, p, q):
    return log_choose(n, m) + n * log(p) + m * log(q)


def ratio_by_sum(n, m, p, q):
    """T over the mass at n."""
    odds, term, total, j = p / q, mpf(1), mpf(1), 0
    while j < m and term > total * mpf(10) ** -50:
        term *= odds * (m - j) / (n + j + 1)
        total += term
        j += 1
    return total


def ratio_by_integral(n, m, p, q):
    """T over the mass at n, from the density of Beta(n, m + 1) below p."""
    deviation = sqrt(p * q / (n + m))
    slope = (n - 1) / p - m / q  # of the log density at p
    unit = 1 / (max(slope, 0) + 1 / deviation)
    log_at = (n - 1) * log(p) + m * log(q)
    ends = [e for e in (0, 3, 8, 16, 32, 64, 128) if e * unit < p] + ([p / unit] if 128 * unit >= p else [])
    with mp.workdps(60):
        area = quad(lambda s: exp((n - 1) * log(p - s * unit) + m * log(q + s * unit) - log_at), ends)
    return n / p * area * unit


def log_tail(n, m, p, q):
    ratio = ratio_by_sum if n + m <= 1_000_000 or min(n, m) <= 2000 else ratio_by_integral
    return log_mass(n, m, p, q) + log(ratio(n, m, p, q))


@lru_cache(maxsize=None)
def clopper_pearson_lower(n, trials, alpha):
    """(p, 1 - p) with T(p) = alpha, by Newton's method in the log-odds, in which ln T is concave and increasing."""
    m, alpha = trials - n, mpf(alpha)
    if n == 0:
        return mpf(0), mpf(1)
    if m == 0:
        p = exp(log(alpha) / n)
        return p, -mp.expm1(log(alpha) / n)
    z = sqrt(-2 * log(alpha))
    theta = log(mpf(n) / m) - min(z, 5) / sqrt(mpf(n) * m / trials)
    target = log(alpha)
    for digits in [20] * 200:
        p, q = 1 / (1 + exp(-theta)), 1 / (1 + exp(theta))
        value = log_tail(n, m, p, q)
        slope = n * q * exp(log_mass(n, m, p, q) - value)
        step = (target - value) / slope
        theta += step
        if abs(step) < mpf(10) ** -(digits + 2):  # quadratic: the next error is far below 10^-40
            break
    else:
        raise AssertionError((n, trials, alpha))
    return 1 / (1 + exp(-theta)), 1 / (1 + exp(theta))


def clopper_pearson_rows():
    check = [f(400_000, 600_000, mpf("0.399"), mpf("0.601")) for f in (ratio_by_sum, ratio_by_integral)]
    assert abs(check[0] / check[1] - 1) < mpf(10) ** -40, check
    alphas = [0.5, 0.1, 0.01, 0.001 / 4, 1e-6, 1e-12, 1e-15, 1e-100]
    for trials in [1, 2, 3, 5, 10, 30, 100, 1000, 10**4, 10**5, 10**6, 10**8, 10**10, 10**12]:
        ns = {0, 1, 2, 3, 20, trials // 100, trials // 10, trials // 2, 9 * trials // 10}
        ns = {n for n in ns | {trials - n for n in (0, 1, 2, 17, trials // 1000)} if 0 <= n <= trials}
        for n, alpha in itertools.product(sorted(ns), alphas):
            if n:
                yield n, trials, alpha, *clopper_pearson_lower(n, trials, alpha)
    for n, alpha in [(93642, 1e-4), (5279, 1e-4), (49328, 0.00025), (99996, 0.0005), (99999, 0.0005)]:
        yield n, 100_000, alpha, *clopper_pearson_lower(n, 100_000, alpha)
    rng = random.Random(30)
    for _ in range(400):
        trials = round(10 ** rng.uniform(0.5, 12))
        n = min(round(trials ** rng.random()), trials) if rng.random() < 0.5 else rng.randint(1, trials)
        n, alpha = (n, trials - n)[n < trials and rng.random() < 0.5], 10 ** rng.uniform(-15, -0.302)
        yield n, trials, alpha, *clopper_pearson_lower(n, trials, alpha)


# The normal distribution.


def normal_rows():
    for x in [i / 8 for i in range(-300, 301, 7)] + [-37.5, -37.0, -36.9, -10.0, -1.0, -1e-5, 0.0, 1e-10, 1.0, 8.3]:
        tail = erfc(mpf(x) / sqrt(mpf(2))) / 2
        yield "sf", x, tail
        yield "ln_cdf", -x, log(tail) if tail < mpf("0.5") else mp.log1p(-erfc(-mpf(x) / sqrt(mpf(2))) / 2)
    for x in [-40.0, -100.0, -1e4]:
        yield "ln_cdf", x, log(erfc(-mpf(x) / sqrt(mpf(2))) / 2)
    ps = [
        1e-307,
        1e-200,
        1e-100,
        1e-50,
        1e-20,
        1.3e-11,
        1.4e-11,
        1e-9,
        1e-6,
        1e-3,
        0.02,
        0.0749,
        0.0751,
        0.1,
        0.3,
        0.45,
    ]
    for p in ps + [0.4999, 0.4999999999]:
        yield "quantile", p, quantile(mpf(p))


def quantile(p):
    """Phi^-1(p) for 0 < p <= 1/2."""
    if p == mpf("0.5"):
        return mpf(0)
    z = -sqrt(-2 * log(2 * p))
    for _ in range(200):
        tail = erfc(-z / sqrt(mpf(2))) / 2
        step = log(p / tail) * tail / (exp(-z * z / 2) / sqrt(2 * mp.pi))  # ln Phi is concave
        z += step
        if abs(step) < mpf(10) ** -30 * max(1, abs(z)):
            return z
    raise AssertionError(p)


def quantile_of(p, q):
    return quantile(p) if p <= q else -quantile(q)


# The radius, Theorem 1, in units of sigma; -1 stands for none.


def radius(label, rivals):
    """label = (p, q), rivals = [(p, q), ...] ascending."""
    low, best, total = quantile_of(*label), mpf(-1), mpf(0)
    for t, (p, _) in enumerate(rivals, start=1):
        total += p
        high = quantile_of(total, 1 - total) if total < label[1] else -low

        def lead(x, t=t, high=high):
            return log(t) + log_cdf(low - x) - log_cdf(high + x)

        if lead(max(best, mpf(0))) <= 0:
            continue
        a = max(best, (low - high) / 2, mpf(0))
        b = a + 1
        while lead(b) > 0:
            b += 1
        best = findroot(lead, (a, b), solver="anderson", tol=mpf(10) ** -60, maxsteps=300)
        assert abs(lead(best)) < mpf(10) ** -28
    return best


def log_cdf(x):
    return log(ncdf(x)) if x > -5 else log(erfc(-x / sqrt(mpf(2))) / 2)


def radius_rows():
    rng = random.Random(20)
    labels = [("q", q) for q in (1e-300, 1e-15, 1e-9, 1e-4, 0.01, 0.1, 0.3, 0.5)] + [
        ("p", p) for p in (0.4, 0.2, 0.05, 1e-3)
    ]
    for (side, value), k in itertools.product(labels, (1, 2, 3, 5, 20)):
        label = (mpf(value), 1 - mpf(value)) if side == "p" else (1 - mpf(value), mpf(value))
        rest = float(min(label[1], mpf("0.5")))
        spreads = {
            "equal": [rest / (k + 2)] * k,
            "steep": sorted(rest * 0.9 * 0.3**i for i in range(k)),
            "capped": [rest * 0.8] * k,
            "random": sorted(rest * rng.random() ** 3 for _ in range(k)),
            "tiny": [10.0 ** rng.uniform(-300, -12)] + [rest * 0.3] * (k - 1),
        }
        for rivals in spreads.values():
            rivals = sorted(rivals)
            exact = radius(label, [(mpf(r), 1 - mpf(r)) for r in rivals])
            yield side, value, ",".join(map(repr, rivals)), exact
    for k in (100, 999):
        for rivals in ([1e-3] * k, sorted(rng.random() * 1e-3 for _ in range(k))):
            exact = radius((mpf(0.05), 1 - mpf(0.05)), [(mpf(r), 1 - mpf(r)) for r in rivals])
            yield "p", 0.05, ",".join(map(repr, rivals)), exact


# Certificates from counts, end to end. Counts are written "count x labels"; the label is the first. Rows without a label may have
# been any rival's.


def certify_rows():
    cases = [
        ([(100_000, 1), (0, 9)], 100_000),
        ([(93642, 1), (5279, 1), (737, 1), (334, 1), (2, 4), (0, 2)], 100_000),
        ([(40, 1), (35, 1), (25, 1)], 100),
        ([(1, 1), (0, 1)], 1),
        ([(30, 1), (0, 1)], 30),
        ([(700, 1), (100, 2), (0, 7)], 1000),
        ([(200, 1), (90, 2), (1, 97)], 1000),
        ([(60_000, 1), (30_000, 1), (9, 998)], 100_000),
        ([(999_000, 1), (1, 999)], 1_000_000),
        ([(600_000_000_000, 1), (399_999_000_000, 1), (100_000, 8)], 10**12),
        ([(10**12, 1), (0, 999)], 10**12),
        ([(0, 1), (10, 2)], 30),
    ]
    for (runs, n), k, (bound, alpha) in itertools.product(
        cases, (1, 2, 3, 10, 50), itertools.product(("ranked", "simuem", "binocp"), (0.1, 0.001, 1e-12))
    ):
        counts = [count for count, times in runs for _ in range(times)]
        classes = len(counts)
        if k >= classes:
            continue
        share = mpf(alpha) / {"ranked": k + 1, "simuem": classes, "binocp": 1}[bound]
        label = clopper_pearson_lower(counts[0], n, share)
        if bound == "binocp":
            rivals = [label[::-1]] * k
        else:
            rivals = [clopper_pearson_lower(sum(counts) - c, n, share)[::-1] for c in sorted(counts[1:])[-k:]]
        exact = radius(label, rivals) if counts[0] else mpf(-1)
        yield ",".join(f"{c}x{t}" for c, t in runs), n, k, alpha, bound, exact


# The boundary test.


def predict_rows():
    pairs = [(0, 0), (1, 0), (10, 0), (30, 0), (1000, 0), (1, 1), (2, 1), (9, 1), (60, 40), (501, 499), (30, 29)]
    pairs += [(50_500, 49_500), (93_642, 5279), (500_100_000, 499_900_000), (10**6 + 1000, 10**6 - 1000)]
    pairs += [(5 * 10**11 + d, 5 * 10**11 - d) for d in (1, 1000, 10**5, 10**6, 5 * 10**6, 18 * 10**6)]
    for n, m in pairs:
        half = mpf(1) / 2
        value = mpf(1) if n == m else min(mpf(1), 2 * exp(log_tail(n, m, half, half)) if m else 2 * half**n)
        yield n, m, value


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    write("normal", ["function", "x", "value"], normal_rows())
    write("predict", ["a", "b", "p_value"], predict_rows())
    write("radius", ["side", "label", "rivals", "radius_over_sigma"], radius_rows())
    write("certify", ["counts", "n", "k", "alpha", "bound", "radius_over_sigma"], certify_rows())
    write("clopper_pearson", ["successes", "trials", "alpha", "p", "q"], clopper_pearson_rows())
