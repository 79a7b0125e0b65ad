"""The loop over onnxruntime and NumPy that a user would write first.

One session with default options but for the threads, float32 noise from `default_rng`, argmax, bincount. Several
sessions or runs at once and bound outputs are not tried.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnxruntime

from peers.workloads import SIGMA, WORKLOADS


class Task:
    def __init__(self, workload: str, threads: int, batch: int) -> None:
        chosen = WORKLOADS[workload]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(chosen.model, options, providers=["CPUExecutionProvider"])
        self._source = self._session.get_inputs()[0].name
        self._input = chosen.input()
        self._classes = self._session.run(None, {self._source: self._input[None]})[0].shape[1]
        self._rng = np.random.default_rng()
        self.about = f"onnxruntime {onnxruntime.__version__}, NumPy {np.__version__}, {threads} threads"
        self.configure(batch)

    def configure(self, batch: int) -> None:
        """Rows per run."""
        self._batch = batch

    def work(self, n: int) -> tuple[int, npt.NDArray[np.int64]]:
        counts = np.zeros(self._classes, np.int64)
        for start in range(0, n, self._batch):
            shape = min(self._batch, n - start), *self._input.shape
            noisy = self._input + np.float32(SIGMA) * self._rng.standard_normal(shape, dtype=np.float32)
            labels = self._session.run(None, {self._source: noisy})[0].argmax(1)
            counts += np.bincount(labels, minlength=self._classes)
        return n, counts
