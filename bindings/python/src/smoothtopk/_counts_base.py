"""Counts as the library holds them: their numbers, their sum, their text. `_statements` has what they prove."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Iterable
from typing import Any, SupportsFloat, SupportsIndex, TypeVar

import numpy as np
import numpy.typing as npt

from . import _abi, _convert
from ._errors import InvalidArgumentError, InvalidDataError, fields_called, noise_fields
from ._library import Handle, call, lib, text
from ._partial import Partial
from ._shown import ROWS, html_table

CountArray = npt.NDArray[np.uint64]
C = TypeVar("C", bound="CountsBase")


def counts_handle() -> Handle:
    """For counts that the library is to make."""
    return Handle(_abi.stk_counts, lib.stk_counts_free)


class _Memory:
    """Memory of the library as a read-only NumPy array, which keeps its owner from being freed."""

    def __init__(self, pointer: Any, length: int, owner: Handle) -> None:
        self.owner = owner
        address = ctypes.cast(pointer, ctypes.c_void_p).value
        self.__array_interface__ = {"shape": (length,), "typestr": "=u8", "data": (address, True), "version": 3}


class CountsBase(Partial):
    """What `Counts` have beside what they prove. Nothing changes them, so that views of their memory stay true."""

    __slots__ = ("__weakref__", "_handle", "_labels")
    # Arithmetic with arrays would forget all but the numbers: numpy.asarray(counts) says that it is meant.
    __array_ufunc__ = None

    def __init__(self, handle: Handle) -> None:
        if not isinstance(handle, Handle):
            raise TypeError("Counts are made by sample(), Counts.assuming(labels, ..) and Counts.from_json(text)")
        self._handle = handle
        pointer, length = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_size_t()
        call(lib.stk_counts_labels, handle.pointer, ctypes.byref(pointer), ctypes.byref(length))
        self._labels: CountArray = np.asarray(_Memory(pointer, length.value, handle))

    @classmethod
    def assuming(
        cls: type[C],
        labels: npt.ArrayLike,
        *,
        sigma: SupportsFloat | None = None,
        noise: str | None = None,
        n: SupportsIndex | None = None,
        radius_cost: SupportsFloat = 0.0,
        validity: str = "fixed",
    ) -> C:
        """Counts from bare numbers, such as those of a paper, with what you state of them.

        What they prove is as true as that, and says so: `assumed`. Beside it is assumed that the samples are
        independent, and of one model and one input.

        Args:
            labels: samples that gave each label, integers [classes], at least two.
            sigma: standard deviation of Gaussian noise, above 0, in the units of the input. Give it or `noise`.
            noise: "gaussian:SIGMA", "uniform:LAMBDA", "ablate:KEEP:pixels=D", "band:SIZE:width=W",
                "block:SIZE:height=H:width=W" or "split:SPLITS:levels=Q".
            n: samples drawn, at least the sum of the counts: one without a label (scores that are not finite) is in n
                alone. None: the sum.
            radius_cost: what rounding takes off every radius, at least 0.
            validity: why the samples ended. "fixed": their number was fixed before they were drawn. "anytime": looks at
                the counts may have ended them. "anytime:N": so too, after at most N samples, with N fixed beforehand.

        Raises:
            InvalidArgumentError, InvalidDataError: with the field.
        """
        array = _convert.plain("labels", labels)
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise InvalidDataError(f"must be integers [classes], got {array.dtype} {list(array.shape)}", "labels")
        if array.size and int(array.min()) < 0:
            raise InvalidDataError(f"must not be negative, got {array.min()}", "labels")
        # To the library 0 means their sum: None says that here.
        samples = 0 if n is None else _convert.uint("n", n)
        if n is not None and not samples:
            raise InvalidArgumentError("must be at least 1: there is nothing to say of no samples", "n")
        family = _convert.noise(sigma, noise)
        cost, kind = _convert.real("radius_cost", radius_cost), _convert.string("validity", validity)
        array, handle = _convert.for_c(array, np.uint64), counts_handle()
        pointer = array.ctypes.data_as(ctypes.POINTER(ctypes.c_uint64))
        with noise_fields(sigma), fields_called({"counts": "labels"}):
            call(lib.stk_counts_assume, pointer, array.size, samples, family, cost, kind, handle.out())
        return cls(handle)

    @classmethod
    def from_json(cls: type[C], json: str) -> C:
        """The counts that `to_json` or `to_json_with_secret` wrote. Read only what you trust: numbers can be made up.

        Raises:
            InvalidDataError: damaged, of a newer form, or in contradiction with itself.
        """
        handle = counts_handle()
        call(lib.stk_counts_from_json, _convert.string("json", json), handle.out())
        return cls(handle)

    @classmethod
    def sum(cls: type[C], parts: Iterable[C]) -> C:
        """The sum of at least one, as `+` gives it."""
        handle: Handle | None = None
        for part in parts:
            if handle is None:
                handle = part._clone()
            else:
                call(lib.stk_counts_add, handle.pointer, part._handle.pointer)
        if handle is None:
            raise InvalidArgumentError("there must be at least one", "parts")
        return cls(handle)

    def __add__(self: C, other: C) -> C:
        return self.sum((self, other)) if isinstance(other, CountsBase) else NotImplemented

    def __radd__(self: C, other: object) -> C:
        # Where Python's own sum begins.
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def growing(self: C, last: SupportsIndex | None = None) -> C:
        """The same counts, to which samples may be added after looks; to be said before the first look.

        Every statement then takes bounds that hold at all numbers of samples, so that all looks together are false with
        probability at most alpha. Counts that are only added to make two statements: the first, and all later ones.

        Args:
            last: the most samples that there may come to be; exact noise needs it. None: not known.
        """
        most = 0 if last is None else _convert.uint("last", last)
        if last is not None and not most:
            raise InvalidArgumentError("must be at least 1", "last")
        handle = self._clone()
        call(lib.stk_counts_set_growing, handle.pointer, most)
        return type(self)(handle)

    # What they hold.

    @property
    def labels(self) -> CountArray:
        """Samples that gave each label, uint64 [classes]; a read-only view of the library's memory."""
        return self._labels

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False and dtype is not None and np.dtype(dtype) != self._labels.dtype:
            raise ValueError("counts are uint64: another type needs a copy")
        return np.array(self._labels, dtype) if copy else np.asarray(self._labels, dtype)

    @property
    def n(self) -> int:
        """Samples, valid and invalid."""
        return int(lib.stk_counts_n(self._handle.pointer))

    @property
    def invalid(self) -> int:
        """Samples whose scores were not finite, so that they have no label; in bounds they count for every rival."""
        return int(lib.stk_counts_invalid(self._handle.pointer))

    @property
    def noise(self) -> str:
        """The noise with its parameter: "gaussian:0.25", "uniform:0.5"."""
        return str(json.loads(self.to_json())["perturbation"]["noise"])

    @property
    def assumed(self) -> bool:
        """Whether they are bare numbers, of which the caller stated the rest."""
        return bool(self.assumptions)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is assumed of bare numbers, in words; nothing of samples that this library drew."""
        return tuple(self._text(lib.stk_counts_assumptions).splitlines())

    # How they are kept.

    def to_json(self) -> str:
        """The counts with all that decides what they prove (docs/record.md), and a digest of the seed or key.

        A short seed can be guessed from its digest.
        """
        return self._text(lib.stk_counts_json)

    def to_json_with_secret(self) -> str:
        """As `to_json`, with the seed or key, where it is known: whoever reads it knows the noise."""
        return self._text(lib.stk_counts_json_with_secret)

    def __reduce__(self) -> tuple[Any, ...]:
        # What is pickled may be read by others.
        return type(self).from_json, (self.to_json(),)

    def __copy__(self: C) -> C:
        return type(self)(self._clone())

    def __deepcopy__(self: C, _memo: dict[int, Any]) -> C:
        return type(self)(self._clone())

    def __repr__(self) -> str:
        shown = [f"{label}: {samples}" for label, samples in self._largest()]
        if (rest := self.n - self.invalid - sum(samples for _, samples in self._largest())) > 0:
            shown.append(f"others: {rest}")
        if self.invalid:
            shown.append(f"invalid: {self.invalid}")
        return f"<{self._title()} by label: {', '.join(shown)}>"

    def _repr_html_(self) -> str:
        rows = [(label, samples, samples / self.n) for label, samples in self._largest()]
        return html_table(self._title(), ("label", "samples", "share"), rows)

    def _title(self) -> str:
        return f"{type(self).__name__} of {self.n} samples, {self._labels.size} labels, {self.noise}"

    def _largest(self) -> list[tuple[int, int]]:
        """The labels with the largest counts, with these, but not 0."""
        order = np.lexsort((np.arange(self._labels.size), ~self._labels))[:ROWS]
        return [(int(label), int(self._labels[label])) for label in order if self._labels[label]]

    # Inside.

    def _clone(self) -> Handle:
        handle = counts_handle()
        call(lib.stk_counts_clone, self._handle.pointer, handle.out())
        return handle

    def _text(self, function: Callable[..., int]) -> str:
        out = ctypes.c_char_p()
        call(function, self._handle.pointer, ctypes.byref(out))
        return text(out.value)
