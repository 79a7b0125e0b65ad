"""Answers to several inputs or several k, in arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Generic, overload

import numpy as np
import numpy.typing as npt

from ._counts_base import CountArray
from ._partial import Partial
from ._statements import A, Certificate, Guarantee, Prediction


def _is_index(index: object) -> bool:
    """Whether it is an integer; a truth value is a mask to NumPy."""
    return hasattr(index, "__index__") and not isinstance(index, (bool, np.bool_, np.ndarray))


class Answers(Partial, Generic[A]):
    """Answers in an array of shape [N] (inputs), [K] (several k of one input) or [N, K].

    `answers[i]` and `answers[i, j]` are single answers, or rows of them; len, iteration and slices are those of the
    first axis, and nothing else is an index; `flat` has every single answer in row-major order.
    """

    __slots__ = ("flat", "shape")

    def __init__(self, flat: tuple[A, ...], shape: tuple[int, ...]) -> None:
        self.flat: tuple[A, ...] = flat
        self.shape = shape

    def __len__(self) -> int:
        return self.shape[0]

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Answers[A]: ...
    @overload
    def __getitem__(self, index: tuple[int, int]) -> A: ...
    def __getitem__(self, index: int | slice | tuple[int, int]) -> Any:
        width = math.prod(self.shape[1:])
        if isinstance(index, tuple):
            # A slice here would be one of rows, twice: another input's answers.
            if len(index) != len(self.shape) or not all(map(_is_index, index)):
                raise self._no_index(index)
            row, *rest = index
            return self[row][rest[0]] if rest else self[row]
        if isinstance(index, slice):
            rows = range(len(self))[index]
            flat = tuple(each for row in rows for each in self.flat[row * width : (row + 1) * width])
            return type(self)(flat, (len(rows), *self.shape[1:]))
        if not _is_index(index):
            raise self._no_index(index)
        try:
            row = range(len(self))[index]
        except IndexError:
            raise IndexError(f"index {index} is out of range for {len(self)} answers") from None
        if len(self.shape) == 1:
            return self.flat[row]
        return type(self)(self.flat[row * width : (row + 1) * width], self.shape[1:])

    def _no_index(self, index: object) -> TypeError:
        column = "" if len(self.shape) == 1 else "; for a column [each[j] for each in answers]"
        pair = "" if len(self.shape) == 1 else ", answers[i, j]"
        name = type(self).__name__
        return TypeError(f"{name} take answers[i]{pair} or answers[i:j], with integers, not {index!r}{column}")

    def __iter__(self) -> Iterator[Any]:
        return (self[row] for row in range(len(self)))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of shape {list(self.shape)}>"

    def _array(self, dtype: Any, get: Callable[[A], Any], tail: tuple[int, ...] = ()) -> npt.NDArray[Any]:
        return np.array([get(each) for each in self.flat], dtype).reshape(self.shape + tail)

    @property
    def k(self) -> npt.NDArray[np.int64]:
        """The k of top-k, int64 [*shape]."""
        return self._array(np.int64, lambda each: each.k)

    @property
    def n(self) -> CountArray:
        """Samples counted, uint64 [*shape]."""
        return self._array(np.uint64, lambda each: each.n)

    @property
    def samples_drawn(self) -> CountArray:
        """Samples drawn, uint64 [*shape]; those of one input are given for each of its k."""
        return self._array(np.uint64, lambda each: each.samples_drawn)

    @property
    def decision(self) -> npt.NDArray[np.str_]:
        """What the rule decided, str [*shape]; "" where there is no answer."""
        return self._array(np.str_, lambda each: each.decision or "")

    @property
    def counts(self) -> CountArray:
        """Samples that gave each label, uint64 [*shape, classes]; a copy."""
        classes = self.flat[0].counts.labels.size if self.flat else 0
        return self._array(np.uint64, lambda each: each.counts.labels, (classes,))

    @property
    def status(self) -> npt.NDArray[np.str_]:
        """ "OK", or why there is no answer, str [*shape]."""
        return self._array(np.str_, lambda each: each.status)


class Certificates(Answers[Certificate]):
    """Certificates in an array of shape [N], [K] or [N, K], with their fields as NumPy arrays of that shape."""

    __slots__ = ()

    @property
    def label(self) -> npt.NDArray[np.int64]:
        """The labels certified, int64 [*shape]; -1 where there is none."""
        return self._array(np.int64, lambda each: -1 if each.label is None else each.label)

    @property
    def radius(self) -> npt.NDArray[np.float64]:
        """Certified radii, float64 [*shape]; 0 where there is none."""
        return self._array(np.float64, lambda each: each.radius)

    @property
    def certified(self) -> npt.NDArray[np.bool_]:
        """Whether the radius is above 0, bool [*shape]."""
        return self._array(np.bool_, lambda each: each.certified)

    @property
    def p_lower(self) -> npt.NDArray[np.float64]:
        """Lower confidence bounds of the labels' probabilities, float64 [*shape]."""
        return self._array(np.float64, lambda each: each.p_lower)


class Predictions(Answers[Prediction]):
    """Predictions in an array of shape [N], [K] or [N, K], with their fields as NumPy arrays of that shape."""

    __slots__ = ()

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The labels, the most frequent first, int64 [*shape, largest k]; -1 where it abstains and beyond each k."""
        width = max((each.k for each in self.flat), default=0)
        return self._array(
            np.int64, lambda each: [*(each.labels or ()), *[-1] * (width - len(each.labels or ()))], (width,)
        )

    @property
    def abstain(self) -> npt.NDArray[np.bool_]:
        """Whether it abstains, bool [*shape]."""
        return self._array(np.bool_, lambda each: each.abstain)

    @property
    def p_value(self) -> npt.NDArray[np.float64]:
        """The tests' p-values, float64 [*shape]."""
        return self._array(np.float64, lambda each: each.p_value)


class Guarantees(Answers[Guarantee]):
    """Guarantees in an array of shape [N], [K] or [N, K], with their fields as NumPy arrays of that shape."""

    __slots__ = ()

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The labels, the likeliest first, int64 [*shape, largest k]; -1 beyond each k and where there is no answer."""
        width = self._width()
        return self._array(np.int64, lambda each: [*each.labels, *[-1] * (width - len(each.labels))], (width,))

    @property
    def certified(self) -> npt.NDArray[np.bool_]:
        """Whether the whole set has a radius above 0, bool [*shape]."""
        return self._array(np.bool_, lambda each: each.certified)

    @property
    def label_radii(self) -> npt.NDArray[np.float64]:
        """Radii within which each label stays in the top k, float64 [*shape, largest k]; 0 beyond each k."""
        return self._radii(lambda each: each.label_radii)

    @property
    def set_radius(self) -> npt.NDArray[np.float64]:
        """Radii within which the whole set stays, float64 [*shape]."""
        return self._array(np.float64, lambda each: each.set_radius)

    @property
    def kept_radii(self) -> npt.NDArray[np.float64]:
        """Radii within which at least 1, 2, .. labels stay, float64 [*shape, largest k]; 0 beyond each k."""
        return self._radii(lambda each: each.kept_radii)

    @property
    def first_radius(self) -> npt.NDArray[np.float64]:
        """Radii within which the first label stays the likeliest, float64 [*shape]."""
        return self._array(np.float64, lambda each: each.first_radius)

    @property
    def ranking_radius(self) -> npt.NDArray[np.float64]:
        """Radii within which all labels stay the likeliest in their order, float64 [*shape]."""
        return self._array(np.float64, lambda each: each.ranking_radius)

    def _width(self) -> int:
        return max((each.k for each in self.flat), default=0)

    def _radii(self, get: Callable[[Guarantee], tuple[float, ...]]) -> npt.NDArray[np.float64]:
        width = self._width()
        return self._array(np.float64, lambda each: [*get(each), *[0.0] * (width - len(get(each)))], (width,))
