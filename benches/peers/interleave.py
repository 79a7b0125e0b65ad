"""Slices of every peer's work in turn, so that all of them meet the same machine."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .process import Worker


@dataclass(frozen=True)
class Spread:
    """A median with its quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


@dataclass
class Measured:
    """A worker's rates, one for each round, and the sum of what came of its work.

    Attributes:
        rates: work a second.
        cpu_rates: work a second of processor time of all threads, waiting in a loop included; none from a Rust worker.
    """

    worker: Worker
    rates: list[float] = field(default_factory=list)
    cpu_rates: list[float] = field(default_factory=list)
    outcome: npt.NDArray[Any] | None = None

    @property
    def rate(self) -> Spread:
        return Spread.of(self.rates)

    def ratio(self, other: Measured) -> Spread:
        """This worker's rate over the other's, round by round: what slows both for a while leaves it as it is."""
        return Spread.of([mine / theirs for mine, theirs in zip(self.rates, other.rates, strict=True)])


def interleave(
    workers: Sequence[Worker], rounds: int, seconds: float, tell: Callable[[str], None], **amount: Any
) -> list[Measured]:
    """Runs `rounds` rounds of one slice of at least `seconds` of each worker, after a call of each that does not count.

    Every other round goes the other way, so that no worker always has the same one before it.
    """
    measured = [Measured(worker) for worker in workers]
    for each in measured:
        each.worker.ask("slice", seconds=0, **amount)
    for number in range(rounds):
        for each in measured if number % 2 == 0 else reversed(measured):
            answer = each.worker.ask("slice", seconds=seconds, **amount)
            each.rates.append(answer["work"] / answer["seconds"])
            if "cpu" in answer:
                each.cpu_rates.append(answer["work"] / answer["cpu"])
            if answer["outcome"] is not None:
                outcome = np.asarray(answer["outcome"])
                each.outcome = outcome if each.outcome is None else each.outcome + outcome
        tell(f"round {number + 1} of {rounds}")
    return measured
