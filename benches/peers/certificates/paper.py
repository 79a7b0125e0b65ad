"""The paper's procedure (Jia et al., ICLR 2020: SimuEM bounds, then a binary search for each t), on SciPy's ground.

Two ways of writing it, both from the paper:

- "statsmodels": `proportion_confint(method="beta")` for the bounds, `scipy.stats.norm` for the normal: what a user
  would write;
- "special": `scipy.special`'s incomplete beta and normal directly, and bounds of the largest rivals only: the same
  arithmetic without the layers around it.

The search halves [0, 10] down to 10/2^20 and takes the lower end, as the published radii do.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import scipy
import statsmodels
from scipy import special
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

from .published import ALPHA, KS, SIGMA, read

LONGEST, HALVINGS = 10.0, 20

Bounds = Callable[[npt.NDArray[np.int64], int, int], tuple[float, npt.NDArray[np.float64]]]
Real = Callable[[float], float]


def bounds_statsmodels(counts: npt.NDArray[np.int64], label: int, k: int) -> tuple[float, npt.NDArray[np.float64]]:
    """A lower bound of the label's probability, and upper bounds of its k likeliest rivals', ascending."""
    low, high = proportion_confint(counts, counts.sum(), alpha=2 * ALPHA / len(counts), method="beta")
    return float(low[label]), np.sort(np.delete(high, label))[-k:]


def bounds_special(counts: npt.NDArray[np.int64], label: int, k: int) -> tuple[float, npt.NDArray[np.float64]]:
    """As `bounds_statsmodels`."""
    n, alpha = int(counts.sum()), ALPHA / len(counts)
    count = int(counts[label])
    low = float(special.betaincinv(count, n - count + 1, alpha)) if count else 0.0
    rivals = np.sort(np.delete(counts, label))[-k:]
    return low, np.where(rivals == n, 1.0, special.betainccinv(rivals + 1, np.maximum(n - rivals, 1), alpha))


def radius(low: float, rivals: npt.NDArray[np.float64], cdf: Real, ppf: Real) -> float:
    """The largest R_t of Theorem 1, on the search's grid; 0 where there is none."""
    if low <= 0:
        return 0.0
    best, z_low = 0.0, ppf(low)
    for t in range(1, len(rivals) + 1):
        z_rivals = ppf(min(float(rivals[:t].sum()), 1 - low))
        start, end = 0.0, LONGEST
        for _ in range(HALVINGS):
            middle = (start + end) / 2
            if cdf(z_low - middle / SIGMA) > cdf(z_rivals + middle / SIGMA) / t:
                start = middle
            else:
                end = middle
        best = max(best, start)
    return best


class Task:
    def __init__(self, written: str) -> None:
        self._counts, self._labels = read()
        ways: dict[str, tuple[Bounds, Real, Real]] = {
            "statsmodels": (bounds_statsmodels, norm.cdf, norm.ppf),
            "special": (bounds_special, special.ndtr, special.ndtri),
        }
        self._bounds, self._cdf, self._ppf = ways[written]
        self.about = f"SciPy {scipy.__version__}"
        if written == "statsmodels":
            self.about += f", statsmodels {statsmodels.__version__}"
        self._next = 0

    def _radius(self, row: int, k: int) -> float:
        return radius(*self._bounds(self._counts[row], int(self._labels[row]), k), self._cdf, self._ppf)

    def radii(self) -> list[float]:
        """Of every row, for each k; 0 where there is none."""
        return [self._radius(row, k) for row in range(len(self._labels)) for k in KS]

    def work(self) -> tuple[int, None]:
        """The certificates of one row; the next call takes the next row."""
        row = self._next
        self._next = (row + 1) % len(self._labels)
        for k in KS:
            self._radius(row, k)
        return len(KS), None
