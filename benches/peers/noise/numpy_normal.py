"""NumPy's float32 `Generator.standard_normal` (a ziggurat over PCG64), into an array that is kept."""

from __future__ import annotations

import numpy as np

FILLS = 8  # A call, so that its own cost is small beside theirs.


class Task:
    def __init__(self, elements: int) -> None:
        self._rng = np.random.default_rng()
        self._out = np.empty(elements, np.float32)
        self.about = f"NumPy {np.__version__}"

    def work(self) -> tuple[int, None]:
        for _ in range(FILLS):
            self._rng.standard_normal(dtype=np.float32, out=self._out)
        return FILLS * self._out.size, None
