"""Cohen, Rosenfeld and Kolter's sampling loop in PyTorch (ICML 2019, SAMPLEUNDERNOISE), written from the paper.

Per batch: repeat x, draw the noise, add it, take each row's top label, count. It is the loop that papers on randomized
smoothing use. It is not their program: counting is by `bincount`, not in Python, and the mode is `inference_mode`; both
can only help it. Neither torch.compile nor reduced precision is tried.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from peers import onnx_to_torch
from peers.workloads import SIGMA, WORKLOADS


class Task:
    def __init__(self, workload: str, threads: int, batch: int) -> None:
        chosen = WORKLOADS[workload]
        torch.set_num_threads(threads)
        self.about = f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"
        self._model = onnx_to_torch.load(chosen.model)
        self._input = torch.from_numpy(chosen.input())
        with torch.inference_mode():
            self._classes = self._model(self._input[None]).shape[1]
        self.configure(batch)

    def configure(self, batch: int, channels_last: bool = False) -> None:
        """Rows per run, and the order of a row's elements in memory, which decides what convolution is used."""
        self._batch = batch
        self._layout = torch.channels_last if channels_last and self._input.ndim == 3 else torch.contiguous_format
        for parameter in self._model.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=self._layout)

    def work(self, n: int) -> tuple[int, npt.NDArray[np.int64]]:
        counts = torch.zeros(self._classes, dtype=torch.int64)
        with torch.inference_mode():
            for start in range(0, n, self._batch):
                rows = min(self._batch, n - start)
                x = self._input.repeat(rows, *[1] * self._input.ndim)
                if x.ndim == 4:
                    x = x.contiguous(memory_format=self._layout)
                noise = torch.randn_like(x) * SIGMA
                labels = self._model(x + noise).argmax(1)
                counts += torch.bincount(labels, minlength=self._classes)
        return n, counts.numpy()
