"""The counts that the paper's authors published, and the certificates that are asked of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from peers.workloads import SHARED

COUNTS = SHARED / "data" / "cifar10_sigma0.25_counts.txt"
SIGMA, ALPHA = 0.25, 0.001
KS = (1, 3, 5)


def read() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Counts [500, 10], and the label to certify of each row [500]."""
    table = np.loadtxt(COUNTS, dtype=np.int64)
    return np.ascontiguousarray(table[:, :-1]), table[:, -1].copy()
