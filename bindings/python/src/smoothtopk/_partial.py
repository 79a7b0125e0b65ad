"""What a run that was cut short gives."""

from __future__ import annotations


class Partial:
    """An answer, an array of answers, or `Counts`: what an error's `partial` may be."""

    __slots__ = ()
