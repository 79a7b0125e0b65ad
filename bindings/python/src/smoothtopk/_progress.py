"""Progress of a run: to tqdm, to a bar like tqdm's, or to a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Union, runtime_checkable


@runtime_checkable
class ProgressBar(Protocol):
    """What is used of a bar: an instance of tqdm, or anything like it."""

    def update(self, n: int, /) -> object:
        """Says that n more samples are done."""


# A bool, a bar, a class of bars such as tqdm.tqdm, or a function of (samples_done, samples_total).
Progress = Union[bool, None, ProgressBar, type, Callable[[int, int], object]]


class Reporter:
    """Tells the caller's `progress` of samples, when their number changes."""

    def __init__(self, progress: Progress, unit: str = "sample") -> None:
        self._unit = unit
        self._bar: Any = None
        self._make: Callable[..., Any] | None = None
        self._function: Callable[[int, int], object] | None = None
        self._done = -1
        if progress is True:
            try:
                from tqdm.auto import tqdm
            except ImportError:
                raise ImportError("progress=True needs tqdm (pip install tqdm), or give a function") from None
            self._make = tqdm
        elif isinstance(progress, type):
            self._make = progress
        elif progress is None or progress is False:
            pass
        elif isinstance(progress, ProgressBar):
            self._bar = progress
        elif callable(progress):
            self._function = progress
        else:
            raise TypeError(f"progress must be a bool, a tqdm bar or a function of (done, total), not {progress!r}")

    def report(self, done: int, total: int) -> None:
        """Says that `done` of `total` samples are done."""
        if done == self._done:
            return
        before, self._done = max(self._done, 0), done
        if self._function is not None:
            self._function(done, total)
            return
        if self._bar is None and self._make is not None:
            self._bar = self._make(total=total, unit=self._unit, unit_scale=True)
        if self._bar is not None:
            if getattr(self._bar, "total", total) is None:
                self._bar.total = total
            self._bar.update(done - before)

    def close(self) -> None:
        """Closes the bar, if it was made here."""
        if self._make is not None and self._bar is not None:
            self._bar.close()
