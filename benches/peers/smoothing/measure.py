"""Rows a second of the smoothed prediction: ours and the peers', in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from peers.agreement import DisagreementError, same_distribution
from peers.busy import Busy
from peers.interleave import Measured, Spread, interleave
from peers.process import Worker, python_worker
from peers.report import number, spread, table
from peers.settings import Settings
from peers.workloads import WORKLOADS, Workload

SWEEP_ROWS = 64
"""Rows, at least, of a call in the search for the best batch."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Peer:
    """A way to smooth.

    Attributes:
        name: for the table.
        module: in this folder.
        batch: rows per run; None searches among the workload's.
        layout: for PyTorch, the order of an image's elements in memory.
        target: given a workload, what ours is to reach as a multiple of it; None for none.
    """

    name: str
    module: str
    batch: int | None = None
    layout: dict[str, bool] = field(default_factory=dict)
    target: Callable[[Workload], float | None] = lambda workload: None


PEERS = (
    # As in the commands of the authors' program, for CIFAR-10 and for ImageNet.
    Peer("Cohen's loop in PyTorch, batch 400", "cohen_torch", 400),
    Peer("Cohen's loop in PyTorch, best", "cohen_torch", target=lambda workload: workload.target_cohen),
    Peer("Cohen's loop in PyTorch, channels last, best", "cohen_torch", layout={"channels_last": True}),
    # What a user might write down first.
    Peer("onnxruntime loop, batch 100", "onnxruntime_loop", 100),
    Peer("onnxruntime loop, best", "onnxruntime_loop", target=lambda workload: workload.target_onnxruntime),
    # The default of its `predict`.
    Peer("ART, batch 128", "art_torch", 128),
)


def _search(worker: Worker, peer: Peer, workload: Workload, seconds: float) -> int:
    """Leaves a worker at its fastest batch, which it returns."""

    def rate(batch: int) -> float:
        worker.ask("configure", batch=batch, **peer.layout)
        rows = batch * -(-SWEEP_ROWS // batch)
        worker.ask("slice", seconds=0, n=rows)
        answer = worker.ask("slice", seconds=seconds, n=rows)
        return float(answer["work"] / answer["seconds"])

    best = max(workload.batches, key=rate)
    worker.ask("configure", batch=best, **peer.layout)
    return best


def _workers(stack: ExitStack, workload: Workload, settings: Settings, tell: Tell) -> Iterator[tuple[Worker, str]]:
    """Each with what ours is to reach, in words; ours first."""
    common: dict[str, Any] = {"workload": workload.name, "threads": settings.threads}
    yield stack.enter_context(python_worker("smoothtopk", "smoothing.ours", **common)), ""
    for peer in PEERS:
        # With one channel, or none, the order in memory is the same.
        if peer.layout and len(workload.input()) == 1:
            continue
        tell(f"{workload.name}: {peer.name}")
        batch = peer.batch or workload.batches[0]
        worker = stack.enter_context(python_worker(peer.name, f"smoothing.{peer.module}", batch=batch, **common))
        if peer.batch is None:
            worker.name += f": batch {_search(worker, peer, workload, settings.seconds / 2)}"
        target = peer.target(workload)
        yield worker, f"{target:g}" if target else ""


def _agree(ours: Measured, peers: list[Measured], n: int) -> str:
    """That all counted the same thing; a note on it."""
    assert ours.outcome is not None
    least = 1.0
    for peer in peers:
        if peer.outcome is not None:
            least = min(least, same_distribution(peer.worker.name, ours.outcome, peer.outcome))
            continue
        # No counts: its label must be one that our own counts do not rule out as the most frequent.
        label = peer.worker.ask("top", n=n)
        share, most = ours.outcome[label] / ours.outcome.sum(), ours.outcome.max() / ours.outcome.sum()
        if most - share > 6 * (most / n) ** 0.5:
            raise DisagreementError(f"{peer.worker.name}: it predicts {label}, which we count in {share:.3f} of rows")
    return f"counts agree (smallest p-value {least:.2g})"


def measure(settings: Settings, tell: Tell) -> Iterator[str]:
    """A table for each model."""
    for workload in map(WORKLOADS.__getitem__, settings.models):
        if workload.missing:
            yield f"SKIPPED {workload.name}: there is no {workload.missing[0]}"
            continue
        busy = Busy()
        with ExitStack() as stack:
            workers, targets = zip(*_workers(stack, workload, settings, tell))
            ours, *peers = interleave(workers, settings.rounds, settings.seconds, tell, n=workload.n)
            agreement = _agree(ours, peers, workload.n)
        rows = [
            (
                each.worker.name,
                each.worker.about,
                spread(each.rate),
                "1" if each is ours else spread(ours.ratio(each)),
                target,
                number(Spread.of(each.cpu_rates).median),
            )
            for each, target in zip((ours, *peers), targets)
        ]
        head = ("peer", "versions", "rows/s", "ours / peer", "to reach", "rows per CPU-second")
        title = f"{workload.name}, calls of n = {workload.n:,}; {agreement}; {busy.said()}"
        yield f"### {title}\n\n{table(head, rows)}"
