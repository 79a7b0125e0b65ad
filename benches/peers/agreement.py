"""Whether peers did the same work: without that, a ratio of speeds means nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2_contingency

FALSE_ALARM = 1e-9
"""Probability that two samplers of one distribution are said to differ."""

LEAST_EXPECTED = 5
"""Labels expected less often than this in either sample are taken together, or left out."""


class DisagreementError(Exception):
    """A peer's answers are not ours."""


def same_distribution(name: str, ours: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64]) -> float:
    """The p-value of Pearson's test that both counts are of one distribution.

    Raises:
        DisagreementError: it is below FALSE_ALARM.
    """
    table = np.stack([ours, theirs])
    expected = table.sum(0) * table.sum(1).min() / table.sum()
    rare = expected < LEAST_EXPECTED
    merged = np.column_stack([table[:, ~rare], table[:, rare].sum(1)])
    if expected[rare].sum() < LEAST_EXPECTED:
        merged = merged[:, :-1]
    # One label throughout: nothing is left to differ.
    p_value = float(chi2_contingency(merged).pvalue) if merged.shape[1] > 1 else 1.0
    if p_value < FALSE_ALARM:
        raise DisagreementError(
            f"{name}: its counts are not of our distribution (p = {p_value:.1e}): {theirs.tolist()}"
        )
    return p_value


def same_radii(name: str, ours: Sequence[float], theirs: Sequence[float], step: float) -> float:
    """The largest difference between radii, of which theirs are rounded down to a grid of `step`.

    Raises:
        DisagreementError: one differs by more than the grid and 1e-7 (SciPy's bounds are good to about 1e-9) explain.
    """
    difference = np.subtract(ours, theirs)
    wrong = (difference < -1e-7) | (difference > step + 1e-7)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DisagreementError(f"{name}: certificate {at} has radius {theirs[at]}, ours {ours[at]}")
    return float(np.abs(difference).max())
