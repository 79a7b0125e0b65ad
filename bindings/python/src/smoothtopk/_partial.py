"""What a run that was cut short gives."""

from __future__ import annotations


class Partial:
    """An answer, an array of answers, or `Counts`: what an error's `partial` may be."""

    __slots__ = ()


def partial_of(error: BaseException) -> Partial | None:
    """What a run had finished when this exception cut it short; None where there is nothing.

    It is the exception's `partial`, for those whose type does not say that they have one: KeyboardInterrupt of Ctrl-C,
    and what a `progress` function raised.
    """
    found = getattr(error, "partial", None)
    return found if isinstance(found, Partial) else None
