"""The Adversarial Robustness Toolbox's `PyTorchRandomizedSmoothing.predict`, unchanged, on the same PyTorch module.

It draws all n rows of an input at once, in float64, and then runs them in batches. It gives the predicted label and no
counts, so only that label is compared with ours.
"""

from __future__ import annotations

import art
import numpy as np
import torch
from art.estimators.certification.randomized_smoothing import PyTorchRandomizedSmoothing

from peers import onnx_to_torch
from peers.workloads import SIGMA, WORKLOADS


class Task:
    def __init__(self, workload: str, threads: int, batch: int) -> None:
        chosen = WORKLOADS[workload]
        torch.set_num_threads(threads)
        self._input = chosen.input()
        model = onnx_to_torch.load(chosen.model)
        with torch.inference_mode():
            classes = model(torch.from_numpy(self._input[None])).shape[1]
        self._smoothed = PyTorchRandomizedSmoothing(
            model=model,
            loss=torch.nn.CrossEntropyLoss(),
            input_shape=self._input.shape,
            nb_classes=classes,
            device_type="cpu",
            sample_size=chosen.n,
            scale=SIGMA,
            alpha=0.001,
        )
        self.about = f"ART {art.__version__}, PyTorch {torch.__version__}, {torch.get_num_threads()} threads"
        self.configure(batch)

    def configure(self, batch: int) -> None:
        """Rows per run."""
        self._batch = batch

    def work(self, n: int) -> tuple[int, None]:
        self._smoothed.sample_size = n
        self._smoothed.predict(self._input[None], batch_size=self._batch)
        return n, None

    def top(self, n: int) -> int:
        """The label predicted from n rows, also where it would abstain."""
        self._smoothed.sample_size = n
        return int(np.argmax(self._smoothed.predict(self._input[None], batch_size=self._batch, is_abstain=False)))
