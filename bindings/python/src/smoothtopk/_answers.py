"""What certify and predict answer."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

from . import _abi
from ._convert import Bound, bound_name
from ._library import Handle, call, lib, status_name, text

CountArray = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Certificate:
    """A statement on one label: it stays among the smoothed classifier's top k for every perturbation of l2 norm <
    radius.

    True with probability at least 1 - alpha over the noise that was drawn.

    Attributes:
        label: the label certified; None where a run was cut short before it was chosen.
        k: the k of top-k.
        radius: certified l2 radius on the input's own scale; 0 where there is none.
        certified: whether radius > 0.
        p_lower: lower confidence bound of the label's probability under noise.
        p_upper: upper bound of the summed probability of the rivals that limit the radius.
        counts: rows that gave each label, uint64 [classes], read-only. Rows with no label (NaN) are counted in n alone.
        selection: the same of the rows that chose the label; None where none did.
        n, n0: rows that were counted in `counts`, and in `selection`.
        sigma, alpha, bound: as they were asked for.
        seed, key: what the noise was drawn from; None where the counts were given.
        grid: step of the grid that x and noise were rounded to; 0 where the counts were given.
        radius_slack: what that rounding took off the radius.
        seconds: from the first row to the last.
        status: "OK", or why there is no answer: "CANCELLED", "DEADLINE_EXCEEDED", "RUN".
    """

    label: int | None
    k: int
    radius: float
    certified: bool
    p_lower: float
    p_upper: float
    counts: CountArray = field(repr=False)
    selection: CountArray | None = field(repr=False)
    n: int
    n0: int
    sigma: float
    alpha: float
    bound: Bound
    seed: int | None
    key: int | None
    grid: float
    radius_slack: float
    seconds: float
    status: str
    _json: str = field(repr=False)

    def to_json(self) -> str:
        """All that is needed to check it again: counts, seed, bound, versions, and the model's hash if there is one."""
        return self._json


@dataclass(frozen=True, eq=False)
class Prediction:
    """The smoothed classifier's top k labels, or none: it abstains where the counts do not settle them.

    Wrong with probability at most alpha over the noise that was drawn.

    Attributes:
        labels: the k labels, the most frequent first; None when abstaining.
        top: the k labels with the largest counts, also when abstaining.
        k: the k of top-k.
        abstain: whether labels is None.
        p_value: of the test between the k-th count and the next.
        counts: rows that gave each label, uint64 [classes], read-only. Rows with no label (NaN) are counted in n alone.
        n: rows that were counted.
        sigma, alpha: as they were asked for; sigma is None where the counts were given.
        seed, key: what the noise was drawn from; None where the counts were given.
        grid: step of the grid that x and noise were rounded to; 0 where the counts were given.
        seconds: from the first row to the last.
        status: "OK", or why there is no answer: "CANCELLED", "DEADLINE_EXCEEDED", "RUN".
    """

    labels: tuple[int, ...] | None
    top: tuple[int, ...]
    k: int
    abstain: bool
    p_value: float
    counts: CountArray = field(repr=False)
    n: int
    sigma: float | None
    alpha: float
    seed: int | None
    key: int | None
    grid: float
    seconds: float
    status: str
    _json: str = field(repr=False)

    def to_json(self) -> str:
        """All that is needed to check it again: counts, seed, versions, and the model's hash where there is one."""
        return self._json


A = TypeVar("A", Certificate, Prediction)


class Answers(Generic[A]):
    """Answers in an array of shape [N] (inputs), [K] (several k of one input) or [N, K].

    `answers[i]` and `answers[i, j]` are single answers, or rows of them; len, iteration and slices are those of the
    first axis; `flat` has every single answer in row-major order.
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
            row, column = index
            return self[row][column]
        if isinstance(index, slice):
            rows = range(len(self))[index]
            flat = tuple(each for row in rows for each in self.flat[row * width : (row + 1) * width])
            return type(self)(flat, (len(rows), *self.shape[1:]))
        try:
            row = range(len(self))[index]
        except IndexError:
            raise IndexError(f"index {index} is out of range for {len(self)} answers") from None
        if len(self.shape) == 1:
            return self.flat[row]
        return type(self)(self.flat[row * width : (row + 1) * width], self.shape[1:])

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
        """Rows counted, uint64 [*shape]."""
        return self._array(np.uint64, lambda each: each.n)

    @property
    def counts(self) -> CountArray:
        """Rows that gave each label, uint64 [*shape, classes]; a copy."""
        classes = self.flat[0].counts.shape[0] if self.flat else 0
        return self._array(np.uint64, lambda each: each.counts, (classes,))

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
        """Certified l2 radii, float64 [*shape]; 0 where there is none."""
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


class _Memory:
    """Memory of the library as a read-only NumPy array, which keeps its owner from being freed."""

    def __init__(self, pointer: Any, length: int, owner: Handle) -> None:
        self.owner = owner
        address = ctypes.cast(pointer, ctypes.c_void_p).value
        self.__array_interface__ = {"shape": (length,), "typestr": "=u8", "data": (address, True), "version": 3}


def view(function: Any, owner: Handle, *index: int) -> CountArray:
    """The counts that an accessor of `owner` gives; no copy."""
    pointer, length = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_size_t()
    call(function, owner.pointer, *index, ctypes.byref(pointer), ctypes.byref(length))
    if not pointer or not length.value:
        return np.empty(0, np.uint64)
    return np.asarray(_Memory(pointer, length.value, owner))


def certificate_of(
    summary: _abi.stk_summary, counts: CountArray, selection: CountArray | None, json: str, drawn: bool
) -> Certificate:
    """A certificate from the library's summary; `drawn` by a run, not from counts that were given."""
    return Certificate(
        label=None if summary.label == _abi.STK_NO_LABEL else summary.label,
        k=summary.k,
        radius=summary.radius,
        certified=bool(summary.certified),
        p_lower=summary.p_lower,
        p_upper=summary.p_upper,
        counts=counts,
        selection=selection,
        n=summary.n,
        n0=summary.n0,
        sigma=summary.sigma,
        alpha=summary.alpha,
        bound=bound_name(summary.bound),
        seed=summary.seed if drawn else None,
        key=summary.key if drawn else None,
        grid=summary.grid,
        radius_slack=summary.radius_slack,
        seconds=summary.seconds,
        status=status_name(summary.status),
        _json=json,
    )


def prediction_of(
    summary: _abi.stk_summary, top: tuple[int, ...], counts: CountArray, json: str, drawn: bool
) -> Prediction:
    """A prediction from the library's summary; `drawn` by a run, not from counts that were given."""
    return Prediction(
        labels=None if summary.abstain else top,
        top=top,
        k=summary.k,
        abstain=bool(summary.abstain),
        p_value=summary.p_value,
        counts=counts,
        n=summary.n,
        sigma=summary.sigma if drawn else None,
        alpha=summary.alpha,
        seed=summary.seed if drawn else None,
        key=summary.key if drawn else None,
        grid=summary.grid,
        seconds=summary.seconds,
        status=status_name(summary.status),
        _json=json,
    )


def _read(result: Handle, one: Callable[[_abi.stk_summary, int, int, CountArray, str], A]) -> tuple[A, ...]:
    summary, json, answers = _abi.stk_summary(), ctypes.c_char_p(), []
    for index in range(lib.stk_result_len(result.pointer)):
        counts = view(lib.stk_result_counts, result, index)
        call(lib.stk_result_json, result.pointer, index, ctypes.byref(json))
        for k in range(lib.stk_result_k_len(result.pointer)):
            call(lib.stk_result_summary, result.pointer, index, k, ctypes.byref(summary), ctypes.sizeof(summary))
            answers.append(one(summary, index, k, counts, text(json.value)))
    return tuple(answers)


def read_certificates(result: Handle, shape: tuple[int, ...]) -> Certificate | Certificates:
    """The certificates in a result: one for shape (), else an array of that shape."""

    def one(summary: _abi.stk_summary, index: int, k: int, counts: CountArray, json: str) -> Certificate:
        selection = view(lib.stk_result_selection, result, index)
        return certificate_of(summary, counts, selection if selection.size else None, json, drawn=True)

    flat = _read(result, one)
    return Certificates(flat, shape) if shape else flat[0]


def read_predictions(result: Handle, shape: tuple[int, ...]) -> Prediction | Predictions:
    """The predictions in a result: one for shape (), else an array of that shape."""
    pointer, length = ctypes.POINTER(ctypes.c_int64)(), ctypes.c_size_t()

    def one(summary: _abi.stk_summary, index: int, k: int, counts: CountArray, json: str) -> Prediction:
        call(lib.stk_result_labels, result.pointer, index, k, ctypes.byref(pointer), ctypes.byref(length))
        return prediction_of(summary, tuple(pointer[: length.value]), counts, json, drawn=True)

    flat = _read(result, one)
    return Predictions(flat, shape) if shape else flat[0]
