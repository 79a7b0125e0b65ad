"""Nanoseconds an element of Gaussian noise, on one core, in turn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from peers.busy import Busy
from peers.interleave import Spread, interleave
from peers.process import Worker, python_worker
from peers.report import spread, table
from peers.settings import Settings

ROWS = (3 * 32 * 32, 3 * 224 * 224)
"""CIFAR-10's and ImageNet's elements."""

SLICE = 0.25
"""Of a slice for models: fills are short."""


def measure(settings: Settings, tell: Callable[[str], None]) -> Iterator[str]:
    """A table for each length of a row."""
    core = min(os.sched_getaffinity(0))
    for elements in ROWS:
        busy = Busy()
        with ExitStack() as stack:

            def rust(name: str, generator: str, elements: int = elements, stack: ExitStack = stack) -> Worker:
                command = [str(settings.noise_worker), generator, str(elements)]
                return stack.enter_context(Worker(name, command, core=core))

            def python(name: str, module: str, elements: int = elements, stack: ExitStack = stack) -> Worker:
                return stack.enter_context(python_worker(name, f"noise.{module}", core=core, elements=elements))

            tell(f"noise: rows of {elements}")
            workers = [
                rust("smoothtopk: normals", "normals"),
                rust("smoothtopk: x + normals, scaled and rounded to the grid", "noisy_row"),
                rust("rand_distr StandardNormal f32", "rand_distr"),
                python("NumPy standard_normal float32", "numpy_normal"),
                python("PyTorch randn float32", "torch_randn"),
                rust("copy", "copy"),
            ]
            ours, *others = interleave(workers, settings.rounds, settings.seconds * SLICE, tell)
        rows = []
        for each in (ours, *others):
            cost = Spread.of([1e9 / rate for rate in each.rates])
            rows.append((each.worker.name, each.worker.about, spread(cost), spread(ours.ratio(each))))
        head = ("generator", "versions", "ns/element", "ours (normals) / it, in elements/s")
        yield f"### Noise, fills of {elements:,} elements on one core; {busy.said()}\n\n{table(head, rows)}"
