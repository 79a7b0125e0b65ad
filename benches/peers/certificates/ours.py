"""smoothtopk's `Counts.certify` with the paper's bound, called for each certificate by itself."""

from __future__ import annotations

import smoothtopk

from .published import ALPHA, KS, SIGMA, read


class Task:
    def __init__(self) -> None:
        self._counts, self._labels = read()
        self.about = f"smoothtopk {smoothtopk.version()}"
        self._next = 0

    def _radius(self, row: int, k: int) -> float:
        counts = smoothtopk.Counts.assuming(self._counts[row], sigma=SIGMA)
        return counts.certify(self._labels[row], k, alpha=ALPHA, allocation="simuem").radius

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
