"""What the noise costs a statement from counts: a part of alpha, or a part of the radius."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from ._errors import InvalidArgumentError

# The least and the largest alpha: others are the library's to refuse.
_LEAST, _LARGEST = 1e-100, 0.5


class RowNoise(NamedTuple):
    """The noise that rows were drawn with, as far as statements from their counts need it.

    Attributes:
        sigma: its standard deviation.
        radius_slack: what rounding x to its grid takes off every radius; 0 with exact noise.
        row_alpha: what each row takes off alpha; 0 but for exact noise.
    """

    sigma: float
    radius_slack: float
    row_alpha: float


class NoiseCost(NamedTuple):
    """What a statement from counts must allow for the noise, where the counts do not say it.

    Attributes:
        alpha_left: what is left of alpha for the bounds: all of it, but for exact noise.
        radius_slack: what must be taken off the radius; 0 with exact noise.
    """

    alpha_left: float
    radius_slack: float


def alpha_left(alpha: float, rows: int, row_alpha: float) -> float:
    """What so many rows leave of alpha: the library's value, to the last bit.

    Raises:
        InvalidArgumentError: it is less than half of alpha.
    """
    if not row_alpha >= 0:
        raise InvalidArgumentError(f"must be at least 0, got {row_alpha}", "row_alpha")
    paid = _times_up(rows, row_alpha)
    if paid == 0 or not _LEAST <= alpha <= _LARGEST:
        return alpha
    left = math.nextafter(alpha - paid, -math.inf)
    if left < 0.5 * alpha:
        raise InvalidArgumentError(
            f"{alpha:g} is too small for {rows} rows: the noise's distance from an exact Gaussian alone comes to "
            f"{paid:g}; rest the statement on fewer rows, or take a larger alpha",
            "alpha",
        )
    return left


def row_alpha(left_of: Callable[[float], float]) -> float:
    """What each row takes off alpha, from what one row leaves of an alpha: the library tells no more."""
    alpha = _LARGEST
    if (left := left_of(alpha)) == alpha:
        return 0.0
    # Just above twice what is paid, the difference has no rounding; at a larger alpha it is too large.
    while (closer := max(_LEAST, 2 * (alpha - left) * (1 + 2**-20))) < alpha * (1 - 2**-20):
        alpha, left = closer, left_of(closer)
    paid = alpha - math.nextafter(left, math.inf)
    # The least that pays as much: from four steps below, since the library rounds up by fewer.
    each = math.nextafter(paid, 0)
    for _ in range(3):
        each = math.nextafter(each, 0)
    while _times_up(1, each) < paid:
        each = math.nextafter(each, math.inf)
    return each


def _times_up(rows: int, each: float) -> float:
    """The product, rounded up as the library does."""
    if each == 0:
        return 0.0
    return math.nextafter(math.nextafter(float(rows), math.inf) * each, math.inf)
