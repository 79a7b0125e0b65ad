"""smoothtopk through its Python wheel, `SmoothedClassifier.predict`, with the batch plan it measures when it opens."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import smoothtopk
from peers.workloads import SIGMA, WORKLOADS


class Task:
    def __init__(self, workload: str, threads: int) -> None:
        chosen = WORKLOADS[workload]
        self._input = chosen.input()
        self._smoothed = smoothtopk.SmoothedClassifier(chosen.model, SIGMA, threads=threads)
        plan = f"{self._smoothed.threads} threads of batch {self._smoothed.batch}"
        self.about = f"smoothtopk {smoothtopk.version()}, ONNX Runtime {smoothtopk.runtime_version()}, {plan}"

    def work(self, n: int) -> tuple[int, npt.NDArray[np.int64]]:
        """One prediction from n rows, with a seed of its own."""
        prediction = self._smoothed.predict(self._input, n=n)
        return n, prediction.counts.astype(np.int64)
