"""Rows a second of the smoothed prediction: ours and the peers', in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from peers.agreement import DisagreementError, same_distribution
from peers.busy import Busy
from peers.interleave import Measured, interleave
from peers.process import Worker, python_worker
from peers.report import spread, table
from peers.settings import Settings
from peers.workloads import WORKLOADS, Workload

COHEN_BATCH = 400
"""Rows per run in the commands of the authors' program for both CIFAR-10 and ImageNet."""

PLAIN_BATCH = 100
"""Rows per run that a user might write down first."""

ART_BATCH = 128
"""The default of ART's `predict`."""

SWEEP_ROWS = 64
"""Rows, at least, of a call in the search for the best batch."""

Tell = Callable[[str], None]


def _best(worker: Worker, workload: Workload, seconds: float, tell: Tell, **also: tuple[bool, ...]) -> str:
    """Leaves a worker at its fastest batch (and memory layout, where it has a choice), and says which that is."""
    choices: list[dict[str, int | bool]] = [{"batch": batch} for batch in workload.batches]
    for name, values in also.items():
        choices = [choice | {name: value} for choice in choices for value in values]

    def rate(choice: dict[str, int | bool]) -> float:
        worker.ask("configure", **choice)
        rows = choice["batch"] * -(-SWEEP_ROWS // choice["batch"])
        worker.ask("slice", seconds=0, n=rows)
        answer = worker.ask("slice", seconds=seconds, n=rows)
        return float(answer["work"] / answer["seconds"])

    tell(f"{worker.name}: searching its best batch")
    best = max(choices, key=rate)
    worker.ask("configure", **best)
    return f"batch {best['batch']}" + (", channels last" if best.get("channels_last") else "")


def _workers(stack: ExitStack, workload: Workload, settings: Settings, tell: Tell) -> Iterator[Worker]:
    """Ours first."""

    def start(name: str, module: str, **arguments: int) -> Worker:
        tell(f"{workload.name}: starting {name}")
        more: dict[str, Any] = {"workload": workload.name, "threads": settings.threads} | arguments
        return stack.enter_context(python_worker(name, f"smoothing.{module}", **more))

    yield start("smoothtopk", "ours")
    yield start(f"Cohen's loop in PyTorch, batch {COHEN_BATCH}", "cohen_torch", batch=COHEN_BATCH)
    image = len(workload.input().shape) == 3 and workload.input().shape[0] > 1
    best = start("Cohen's loop in PyTorch, best", "cohen_torch", batch=COHEN_BATCH)
    layouts = {"channels_last": (False, True)} if image else {}
    best.name += f" ({_best(best, workload, settings.seconds / 2, tell, **layouts)})"
    yield best
    yield start(f"onnxruntime loop, batch {PLAIN_BATCH}", "onnxruntime_loop", batch=PLAIN_BATCH)
    best = start("onnxruntime loop, best", "onnxruntime_loop", batch=PLAIN_BATCH)
    best.name += f" ({_best(best, workload, settings.seconds / 2, tell)})"
    yield best
    yield start(f"ART, batch {ART_BATCH}", "art_torch", batch=ART_BATCH)


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
            workers = list(_workers(stack, workload, settings, tell))
            ours, *peers = interleave(workers, settings.rounds, settings.seconds, tell, n=workload.n)
            agreement = _agree(ours, peers, workload.n)
        targets = {2: workload.target_cohen, 4: workload.target_onnxruntime}
        rows = [
            (
                each.worker.name,
                each.worker.about,
                spread(each.rate),
                "1" if each is ours else spread(ours.ratio(each)),
                f"{targets[place]:g}" if targets.get(place) else "",
            )
            for place, each in enumerate((ours, *peers))
        ]
        head = ("peer", "versions", "rows/s", "ours / peer", "to reach")
        title = f"{workload.name}, calls of n = {workload.n:,}; {agreement}; {busy.said()}"
        yield f"### {title}\n\n{table(head, rows)}"
