#!/usr/bin/env python3
"""Writes tests/golden/guarantees.tsv: radii of the guarantees for an answer, from counts, in units of sigma; -1 for none.

Needs mpmath; works and prints as make_golden_stats.py does, whose confidence bounds and label radius it uses. Every radius is
found pair by pair (u, v), where the library searches all pairs at once. Takes ten minutes or so.
"""

import itertools

from mpmath import exp, findroot, log, mp, mpf

from make_golden_stats import clopper_pearson_lower, log_cdf, log_tail, quantile_of, write

HALF = mpf(1) / 2


def lower(n, trials, alpha):
    return clopper_pearson_lower(n, trials, alpha)


def upper(n, trials, alpha):
    return clopper_pearson_lower(trials - n, trials, alpha)[::-1]


def p_value(a, b):
    if a <= b:
        return mpf(1)
    return min(mpf(1), 2 * exp(log_tail(a, b, HALF, HALF)) if b else 2 * HALF**a)


def weighted_lower(n, trials, alpha, m):
    """The p at which P(Bin(trials, p) >= n) = alpha (p + 1/m)/2, as (p, 1 - p): a bound at its own level."""
    if n == 0:
        return mpf(0), mpf(1)
    at = (mpf(0), mpf(1))
    for _ in range(200):  # each turn gains a factor of at least about 2
        after = lower(n, trials, alpha * (at[0] + mpf(1) / m) / 2)
        if abs(after[0] - at[0]) <= mpf(10) ** -32 * min(after):
            tail = log_tail(n, trials - n, *after) if n < trials else n * log(after[0])
            assert abs(tail - log(alpha * (after[0] + mpf(1) / m) / 2)) < mpf(10) ** -25
            return after
        at = after
    raise AssertionError((n, trials, alpha, m))


def pair_radius(low, u, high, v):
    """The r at which `low` fallen, over u, equals `high` risen, over v; -1 if they are past that at 0."""
    a, b = quantile_of(*low), quantile_of(*high)

    def lead(r):
        return log_cdf(a - r) - log(u) - log_cdf(b + r) + log(v)

    if lead(mpf(0)) <= 0:
        return mpf(-1)
    end = mpf(1)
    while lead(end) > 0:
        end += 1
    root = findroot(lead, (end - 1, end), solver="anderson", tol=mpf(10) ** -60, maxsteps=300)
    assert abs(lead(root)) < mpf(10) ** -28
    return root


def sums(bounds):
    return [(s, 1 - s) if i else bounds[0] for i, s in enumerate(itertools.accumulate(b[0] for b in bounds))]


def kept(inside, outside, without, trials, s, lower_level, upper_level):
    """inside: counts of the set; s of outside enter, with any the rows without a label, and len(...) as given leave."""
    inside, outside = sorted(inside), sorted(outside)[::-1][:s]
    lows = sums([lower(n, trials, lower_level) for n in inside[::-1]])
    highs = sums([upper(n + without, trials, upper_level) for n in outside[::-1]])
    if len(inside) > 1:
        lows[-1] = max(lows[-1], lower(sum(inside), trials, lower_level))
    if s > 1:
        highs[-1] = min(highs[-1], upper(sum(outside) + without, trials, upper_level))
    highs = [(min(p, 1), max(q, 0)) for p, q in highs]
    return max(
        pair_radius(low, u, high, v) if high[1] > 0 and low[0] > 0 else mpf(-1)
        for (u, low), (v, high) in itertools.product(enumerate(lows, 1), enumerate(highs, 1))
    )


def certify_kept(counts, trials, k, e, alpha, same):
    s = k - e + 1
    choice = alpha / 8 if same else mpf(0)
    half = (alpha - choice) / 2
    if s == 1:
        parts = (1, 1)
    else:
        parts = (2 * s - 1, 3 * s - 1) if same else (s + 1, s + 1)
    best, without = mpf(-1), trials - sum(counts)
    for b in range(e if same else k, k + 1):
        if not same or p_value(counts[b - 1], counts[b] + without) <= choice / s:
            leaving = sorted(counts[:b])[: b - e + 1]
            best = max(best, kept(leaving, counts[b:], without, trials, s, half / parts[0], half / parts[1]))
    return best


def certify_order(counts, trials, places, alpha, same):
    choice = alpha / 8 if same else mpf(0)
    half = (alpha - choice) / 2
    best, without = None, trials - sum(counts)
    for j in range(1, places + 1):
        following = (counts[j] if j < places else max(counts[places:])) + without
        low, high = lower(counts[j - 1], trials, half), upper(following, trials, half)
        fails = (same and p_value(counts[j - 1], counts[j] + without) > choice / places) or not low[0] or not high[1]
        found = mpf(-1) if fails else pair_radius(low, 1, high, 1)
        best = found if best is None else min(best, found)
    return best


def certify_each(counts, trials, k, label, alpha, same):
    if k == 1:
        return certify_kept(counts, trials, 1, 1, alpha, same)
    half = alpha / 2
    lows = [weighted_lower(n, trials, half, len(counts) if same else k) for n in counts[:k]]
    own = lows.pop(label)
    if not own[0]:
        return mpf(-1)
    lows.sort(reverse=True)
    rivals = sorted(counts[:label] + counts[label + 1 :])[-k:]
    rivals = [upper(n + trials - sum(counts), trials, half / (k + 1)) for n in rivals]
    # Theorem 1, one t at a time.
    best = mpf(-1)
    for t in range(1, k + 1):
        mass = min(sum(p for p, _ in rivals[:t]), 1 - own[0] - sum(p for p, _ in lows[: k - t]))
        if mass < 1:
            best = max(best, pair_radius(own, 1, (mass, 1 - mass), t))
    return best


CASES = [
    ([93642, 5279, 737, 334, 2, 2, 2, 2, 0, 0], 100_000),
    ([100_000] + [0] * 9, 100_000),
    ([40, 35, 20, 5], 100),
    ([400, 300, 200, 30, 30, 20, 10, 5, 5, 0], 1000),
    ([330, 320, 310] + [1] * 40, 1000),
    ([60_000, 20_000, 10_000, 9_000] + [1] * 996, 100_000),
    ([10_000, 6000, 3900, 80] + [2] * 6, 20_000),
    ([2, 1, 0, 0, 0], 3),
    ([70, 20, 9, 0, 0, 0, 0], 120),
]


def rows():
    for counts, trials in CASES:
        for k, alpha, same in itertools.product((1, 2, 3), (0.05, 0.001, 1e-9), (True, False)):
            shown = (",".join(f"{n}x{len(list(run))}" for n, run in itertools.groupby(counts)), trials, k, alpha)
            selection = "same" if same else "pilot"
            for e in range(1, k + 1):
                if k - e < len(counts) - k:
                    yield *shown, selection, "kept", e, certify_kept(counts, trials, k, e, mpf(alpha), same)
                yield *shown, selection, "order", e, certify_order(counts, trials, e, mpf(alpha), same)
                yield *shown, selection, "each", e, certify_each(counts, trials, k, e - 1, mpf(alpha), same)


if __name__ == "__main__":
    mp.dps = 60
    write("guarantees", ["counts", "n", "k", "alpha", "selection", "guarantee", "which", "radius_over_sigma"], rows())
