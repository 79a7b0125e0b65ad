"""Telling a caller who gives two inputs the same noise."""

from __future__ import annotations

import operator
import sys
import warnings
import zlib
from typing import SupportsIndex

import numpy as np

from ._inputs import Rows
from ._request import Source


class SameNoiseWarning(UserWarning):
    """Two inputs of a classifier got the same noise, by one seed (or key) and one stream.

    Each statement holds, but they are right and wrong together: a data set's certified accuracy is less certain than
    its number of inputs says.
    """


class SameNoise:
    """The last noise that a caller chose for each purpose, and the input that got it; it warns once."""

    def __init__(self) -> None:
        # Digests: a secret is not kept.
        self._last: dict[str, tuple[int, int]] = {}
        self._told = False

    def look(self, purpose: str, source: Source, stream: SupportsIndex, rows: Rows) -> None:
        """Looks at a call's first input."""
        if self._told or not len(rows) or not source.is_chosen():
            return
        # Of the same data the noise may well be drawn again.
        noise, digest = hash((source, operator.index(stream))), zlib.crc32(rows[:1].astype(np.float32).tobytes())
        last, self._last[purpose] = self._last.get(purpose), (noise, digest)
        if last is None or last[0] != noise or last[1] == digest:
            return
        self._told = True
        name = "key" if source.generator == "chacha12" else "seed"
        warnings.warn(
            f"another input got the same noise, by this {name} and stream {stream}: give all inputs in one call, or "
            "each a stream of its own (stream=i)",
            SameNoiseWarning,
            stacklevel=_callers_level(),
        )


def _callers_level() -> int:
    """Which frame above `look` is not of this package."""
    level, frame = 2, sys._getframe(2)
    while frame.f_back is not None and frame.f_globals["__name__"].startswith(f"{__package__}."):
        level, frame = level + 1, frame.f_back
    return level
