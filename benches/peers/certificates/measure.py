"""Certificates a second from counts, on one core, in turn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from peers.agreement import same_radii
from peers.busy import Busy
from peers.interleave import interleave
from peers.process import Worker, python_worker
from peers.report import spread, table
from peers.settings import Settings

from .paper import HALVINGS, LONGEST
from .published import COUNTS, KS

SLICE = 0.5
"""Of a slice for models: certificates are short."""


def measure(settings: Settings, tell: Callable[[str], None]) -> Iterator[str]:
    """One table."""
    if not COUNTS.is_file():
        yield f"SKIPPED certificates: there is no {COUNTS}"
        return
    core = min(os.sched_getaffinity(0))
    tell("certificates")
    busy = Busy()
    with ExitStack() as stack:

        def start(name: str, module: str, **arguments: str) -> Worker:
            return stack.enter_context(python_worker(name, f"certificates.{module}", core=core, **arguments))

        workers = [
            start("smoothtopk", "ours"),
            start("the paper's procedure, statsmodels and scipy.stats", "paper", written="statsmodels"),
            start("the paper's procedure, scipy.special", "paper", written="special"),
        ]
        radii = [worker.ask("radii") for worker in workers]
        step = LONGEST / 2**HALVINGS
        most = max(same_radii(worker.name, radii[0], each, step) for worker, each in zip(workers[1:], radii[1:]))
        ours, *others = interleave(workers, settings.rounds, settings.seconds * SLICE, tell)
    rows = [
        (each.worker.name, each.worker.about, spread(each.rate), "1" if each is ours else spread(ours.ratio(each)))
        for each in (ours, *others)
    ]
    note = f"All {len(radii[0])} radii agree: they differ by at most {most:.1e}, on a search grid of {step:.1e}."
    title = f"Certificates from counts (10 labels, n = 100,000, k = {', '.join(map(str, KS))}; SimuEM)"
    head = ("peer", "versions", "certificates/s", "ours / peer")
    yield f"### {title}; {busy.said()}\n\n{table(head, rows)}\n\n{note}"
