"""A Python function as base classifier: what the library calls, on threads of its own."""

from __future__ import annotations

import collections
import ctypes
import threading
from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from . import _abi, _convert
from ._errors import SmoothTopKError

Batch = npt.NDArray[np.float32]
# Failures whose exceptions are kept until somebody asks: those of one batch, as a rule.
_KEPT = 8


class Function:
    """A function with what is said of it, and the exceptions that it raised."""

    def __init__(
        self,
        function: Callable[[Batch], Any],
        classes: SupportsIndex,
        shape: SupportsIndex | Sequence[SupportsIndex],
        name: str | None,
        digest: str | None,
    ) -> None:
        if not callable(function):
            raise TypeError(f"f must be callable, not {type(function).__name__}")
        dims = shape if isinstance(shape, Sequence) else (shape,)
        self.shape = tuple(_convert.uint("shape", dim) for dim in dims)
        self.classes = _convert.uint("classes", classes)
        if name is None:
            name = getattr(function, "__qualname__", None) or type(function).__qualname__
        self._name = _convert.string("name", name)
        self._digest = None if digest is None else _convert.string("digest", digest)
        self._function = function
        self._failures: collections.deque[tuple[str, BaseException]] = collections.deque(maxlen=_KEPT)
        self._here = threading.local()

    def described(self) -> tuple[_abi.stk_classifier, tuple[Any, ...]]:
        """For the library: calls the function once, to see what it gives. And what must outlive the model."""
        # What is wrong with it here is raised as it is.
        scores = self._given(np.zeros((1, *self.shape), np.float32)).ndim == 2
        callback = _abi.stk_classify_callback(self._classify)
        dims = (ctypes.c_size_t * len(self.shape))(*self.shape)
        given = _abi.stk_classifier(
            struct_size=ctypes.sizeof(_abi.stk_classifier),
            classify=callback,
            shape=dims,
            shape_len=len(self.shape),
            classes=self.classes,
            name=self._name,
            digest=self._digest,
            gives=_abi.STK_GIVES_SCORES if scores else _abi.STK_GIVES_LABELS,
        )
        return given, (callback, dims)

    def runs_here(self) -> bool:
        """Whether this thread is in a call of the function."""
        return getattr(self._here, "runs", False)

    def caused(self, error: SmoothTopKError) -> None:
        """Makes what the function raised the error's cause, where the error tells of it."""
        for text, raised in reversed(tuple(self._failures)):
            if text in error.message:
                error.__cause__ = raised
                break
        self._failures.clear()

    def _given(self, rows: Batch) -> npt.NDArray[Any]:
        """What the function gives for the rows: scores [rows, classes] or labels [rows]."""
        count = len(rows)
        given = np.asarray(self._function(rows))
        if given.ndim == 1 and given.dtype.kind in "iu":
            if len(given) == count:
                return given
        elif given.shape == (count, self.classes) and given.dtype.kind in "fiu":
            return given
        raise TypeError(
            f"it must give scores [{count}, {self.classes}], or integer labels [{count}], for {count} rows; it gave "
            f"{given.dtype} of shape {list(given.shape)}"
        )

    def _classify(self, _user: object, pointer: Any) -> bool:
        batch = pointer.contents
        self._here.runs = True
        try:
            # A copy: who keeps the rows, or changes them, harms nobody.
            lent = np.ctypeslib.as_array(batch.rows, (batch.count, *self.shape))
            given = self._given(lent.copy())
            if (given.ndim == 2) != bool(batch.scores):
                raise TypeError("it must always give the same: scores, or labels")
            to = np.ctypeslib.as_array(batch.scores or batch.labels, given.shape)
            if given.ndim == 1 and given.max() > np.iinfo(np.int64).max:
                raise ValueError(f"it gave label {given.max()}")
            with np.errstate(over="ignore"):
                to[...] = given
        # Nothing may be raised into the library.
        except BaseException as error:
            self._fail(batch, error)
            return False
        finally:
            self._here.runs = False
        return True

    def _fail(self, batch: Any, error: BaseException) -> None:
        said = str(error)
        text = (f"{type(error).__name__}: {said}" if said else type(error).__name__).encode("utf-8", "replace")
        text = text.replace(b"\0", b"?")[: batch.message_size - 1]
        # Reading the field gives its text, not its address.
        message = ctypes.c_void_p.from_buffer(batch, type(batch).message.offset).value
        assert message is not None
        ctypes.memmove(message, text + b"\0", len(text) + 1)
        self._failures.append((text.decode("utf-8", "replace"), error))
