"""Certified radii and predictions from counts, against an independent computation with SciPy."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from scipy import optimize, stats  # type: ignore[import-untyped]

from smoothtopk import Counts


def bounds(counts: Sequence[int], label: int, k: int, alpha: float, allocation: str) -> tuple[float, list[float]]:
    """Lower bound of the label's probability, and the k largest upper bounds of its rivals, ascending."""
    n, rivals = sum(counts), [count for i, count in enumerate(counts) if i != label]
    share = {"ranked": alpha / (k + 1), "simuem": alpha / len(counts), "binocp": alpha}[allocation]
    lower = stats.beta.ppf(share, counts[label], n - counts[label] + 1) if counts[label] else 0.0
    if allocation == "binocp":
        return lower, [1 - lower] * k
    uppers = sorted(stats.beta.ppf(1 - share, count + 1, n - count) if count < n else 1.0 for count in rivals)
    return lower, uppers[-k:]


def radius(counts: Sequence[int], label: int, k: int, sigma: float, alpha: float, allocation: str) -> float:
    """Theorem 1 of Jia et al. (ICLR 2020) by root finding."""
    lower, uppers = bounds(counts, label, k, alpha, allocation)
    best = 0.0
    for t in range(1, k + 1):
        rivals = min(sum(uppers[:t]), 1 - lower)

        def gap(r: float, t: int = t, rivals: float = rivals) -> float:
            held = stats.norm.cdf(stats.norm.ppf(lower) - r / sigma)
            taken = stats.norm.cdf(stats.norm.ppf(rivals) + r / sigma) / t
            return float(held - taken)

        if gap(0.0) > 0:
            best = max(best, optimize.brentq(gap, 0.0, 100 * sigma, xtol=1e-14))
    return best


COUNTS = [
    [5, 90, 5],
    [990, 7, 3],
    [99_500, 300, 150, 50],
    [40, 900, 30, 20, 10],
    [300, 290, 200, 110, 60, 40],
    [1, 2, 3, 100_000, 4],
]


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("allocation", ["ranked", "simuem", "binocp"])
@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("sigma", [0.25, 2.0])
def test_certificates_agree_with_scipy(counts: list[int], allocation: str, k: int, sigma: float) -> None:
    for label in range(len(counts)):
        found = Counts.assuming(counts, sigma=sigma).certify(label, k, allocation=allocation)
        expected = radius(counts, label, k, sigma, 0.001, allocation)
        assert found.radius == pytest.approx(expected, abs=1e-8 * sigma)
        assert found.certified == (found.radius > 0)


@pytest.mark.parametrize("counts", COUNTS)
def test_the_closed_form_for_top_1(counts: list[int]) -> None:
    label = counts.index(max(counts))
    lower, [upper] = bounds(counts, label, 1, 0.001, "ranked")
    upper = min(upper, 1 - lower)
    found = Counts.assuming(counts, sigma=0.5).certify(label)
    assert found.p_lower == pytest.approx(lower, rel=1e-10)
    assert found.p_upper == pytest.approx(upper, rel=1e-10)
    # Cohen et al. (ICML 2019), Theorem 1.
    expected = max(0.0, 0.25 * (stats.norm.ppf(lower) - stats.norm.ppf(upper)))
    assert found.radius == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("k", [1, 2])
def test_predictions_agree_with_scipy(counts: list[int], k: int) -> None:
    order = sorted(range(len(counts)), key=lambda i: (-counts[i], i))
    inside, outside = counts[order[k - 1]], counts[order[k]]
    expected = stats.binomtest(inside, inside + outside, 0.5).pvalue
    found = Counts.assuming(counts, sigma=0.5).predict(k)
    assert found.p_value == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert found.top == tuple(order[:k])
    assert found.labels == (tuple(order[:k]) if expected <= 0.001 else None)
    assert found.abstain == (expected > 0.001)
