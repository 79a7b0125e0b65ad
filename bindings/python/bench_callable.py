#!/usr/bin/env python3
"""What a PyTorch module costs by `from_callable` over the same module exported to ONNX, on the processor.

    pip install torch onnx onnxscript
    python bindings/python/bench_callable.py

Samples a second of both, and of a function that costs nothing, in turns, with one thread each: the medians.
"""

from __future__ import annotations

import io
import statistics
import time

import numpy as np
import torch  # type: ignore[import-not-found, unused-ignore]
from torch import nn  # type: ignore[import-not-found, unused-ignore]

from smoothtopk import SmoothedClassifier

ROUNDS, BATCH, SHAPE = 7, 64, (3, 32, 32)


def network() -> nn.Module:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for before, after in ((3, 32), (32, 64), (64, 64)):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 4 * 4, 10)).eval()


def main() -> None:
    torch.set_num_threads(1)
    module = network()
    file = io.BytesIO()
    names = {"input_names": ["image"], "output_names": ["logits"]}
    dynamic = {"image": {0: "batch"}, "logits": {0: "batch"}}
    torch.onnx.export(module, (torch.zeros(2, *SHAPE),), file, dynamo=False, dynamic_axes=dynamic, **names)
    score = torch.inference_mode()(lambda rows: module(torch.from_numpy(rows)))
    nothing = np.arange(10, dtype=np.float32) * np.ones((BATCH, 1), np.float32)
    x = np.full(SHAPE, 0.5, np.float32)
    sides = {
        "exported to ONNX": SmoothedClassifier(file.getvalue(), sigma=0.25, batch=BATCH, threads=1),
        "from_callable": SmoothedClassifier.from_callable(score, 10, SHAPE, sigma=0.25, batch=BATCH),
        "a function that costs nothing": SmoothedClassifier.from_callable(
            lambda rows: nothing[: len(rows)], 10, SHAPE, sigma=0.25, batch=BATCH
        ),
    }
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, g in sides.items():
            start = time.perf_counter()
            n = 64 * BATCH
            g.sample(x, n, seed=1)
            rates[name].append(n / (time.perf_counter() - start))
    for name, rate in rates.items():
        print(f"{name:30} {statistics.median(rate):10,.0f} samples a second")
    pairs = zip(rates["from_callable"], rates["exported to ONNX"])
    print(f"from_callable / ONNX, of each round: {statistics.median(a / b for a, b in pairs):.2f}")


if __name__ == "__main__":
    main()
