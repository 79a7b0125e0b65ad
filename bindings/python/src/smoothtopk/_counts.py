"""Counts of labels, and the statements that follow from them with no model at hand."""

from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass, field
from typing import Any, SupportsFloat, SupportsIndex

import numpy as np
import numpy.typing as npt

from . import _abi, _convert
from ._answers import Certificate, CountArray, Prediction, certificate_of, prediction_of
from ._convert import Bound
from ._errors import InvalidArgumentError, InvalidDataError
from ._library import Handle, call, lib, version


@dataclass(frozen=True, eq=False)
class Counts:
    """How many of n noisy rows gave each label. Counts of disjoint sample ranges add: `a + b`.

    Attributes:
        counts: rows that gave each label, uint64 [classes].
        n: rows drawn, at least the sum of the counts: a row with no label (NaN) is in n alone.
        seed, key: what the noise was drawn from; None where that is not known, or differs between the parts of a sum.
    """

    counts: CountArray = field(repr=False)
    n: int
    seed: int | None = None
    key: int | None = None

    def __add__(self, other: Counts) -> Counts:
        if not isinstance(other, Counts):
            return NotImplemented
        with _handle(self, None) as mine, _handle(other, None) as theirs:
            call(lib.stk_counts_add, mine.pointer, theirs.pointer)
            counts, n = _read(mine)
        same = (self.seed, self.key) == (other.seed, other.key)
        return Counts(counts, n, self.seed if same else None, self.key if same else None)

    def certify(
        self,
        label: SupportsIndex,
        k: SupportsIndex = 1,
        *,
        sigma: SupportsFloat,
        alpha: SupportsFloat = 0.001,
        bound: Bound = "ranked",
        radius_slack: SupportsFloat = 0.0,
    ) -> Certificate:
        """As `certify_counts`."""
        return certify_counts(self, label, k, sigma, alpha, bound, radius_slack=radius_slack)

    def predict(self, k: SupportsIndex = 1, *, alpha: SupportsFloat = 0.001) -> Prediction:
        """As `predict_counts`."""
        return predict_counts(self, k, alpha)


def _read(handle: Handle) -> tuple[CountArray, int]:
    """A read-only copy of the library's counts, and n."""
    pointer, length = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_size_t()
    call(lib.stk_counts_labels, handle.pointer, ctypes.byref(pointer), ctypes.byref(length))
    counts = np.ctypeslib.as_array(pointer, (length.value,)).astype(np.uint64)
    counts.setflags(write=False)
    return counts, int(lib.stk_counts_n(handle.pointer))


def _array(counts: Counts | npt.ArrayLike) -> CountArray:
    array = np.asarray(counts.counts if isinstance(counts, Counts) else counts)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InvalidDataError(f"must be integers [classes], got {array.dtype} {list(array.shape)}", "counts")
    if array.size and int(array.min()) < 0:
        raise InvalidDataError(f"must not be negative, got {array.min()}", "counts")
    return np.ascontiguousarray(array, dtype=np.uint64)


def _handle(counts: Counts | npt.ArrayLike, n: SupportsIndex | None) -> Handle:
    array = _array(counts)
    if n is None and isinstance(counts, Counts):
        n = counts.n
    # To the library 0 means their sum: None says that here.
    rows = 0 if n is None else _convert.uint("n", n)
    if n is not None and not rows:
        raise InvalidArgumentError("must be at least 1: there is nothing to say of no rows", "n")
    handle = Handle(_abi.stk_counts, lib.stk_counts_free)
    pointer = array.ctypes.data_as(ctypes.POINTER(ctypes.c_uint64))
    call(lib.stk_counts_new, pointer, array.size, rows, handle.out())
    return handle


def _json(task: str, summary: _abi.stk_summary, counts: CountArray, **more: Any) -> str:
    """With the names that the library's own JSON has."""
    common = {"program": "smoothtopk", "program_version": version(), "task": task, "alpha": summary.alpha}
    rows = {"classes": counts.size, "counts": counts.tolist(), "n": summary.n, "rows": summary.n}
    return json.dumps(common | more | rows)


def certify_counts(
    counts: Counts | npt.ArrayLike,
    label: SupportsIndex,
    k: SupportsIndex,
    sigma: SupportsFloat,
    alpha: SupportsFloat = 0.001,
    bound: Bound = "ranked",
    n: SupportsIndex | None = None,
    *,
    radius_slack: SupportsFloat = 0.0,
) -> Certificate:
    """The certified radius of a label, from counts of noisy rows.

    Args:
        counts: rows that gave each label, integers [classes], at least two.
        label: the label to certify. It must have been fixed before these rows were drawn (by other rows, or because it
            is the true label): one that was chosen by looking at `counts` gets a certificate that need not hold.
        k: the k of top-k, from 1 to classes - 1.
        sigma: standard deviation of the noise that was drawn, above 0, on the input's own scale.
        alpha: probability, between 0 and 1, that the statement is false.
        bound: how label probabilities are bounded. "ranked", "simuem" or "binocp".
        n: rows drawn, at least the sum of the counts. None: the sum, or the n of a `Counts`.
        radius_slack: what is taken off the radius, for a rounding of the inputs; at least 0.

    Raises:
        InvalidArgumentError, InvalidDataError: with the field.
    """
    code = _convert.bound(bound)
    summary = _abi.stk_summary()
    with _handle(counts, n) as handle:
        rows, _ = _read(handle)
        call(
            lib.stk_counts_certify,
            handle.pointer,
            _convert.uint("label", label),
            _convert.uint("k", k),
            _convert.real("sigma", sigma),
            _convert.real("alpha", alpha),
            code,
            _convert.real("radius_slack", radius_slack),
            ctypes.byref(summary),
            ctypes.sizeof(summary),
        )
    certificate = {name: getattr(summary, name) for name in ("k", "radius", "p_lower", "p_upper")}
    certificate["certified"] = bool(summary.certified)
    given = {name: getattr(summary, name) for name in ("sigma", "label", "radius_slack")}
    text = _json("certify", summary, rows, **given, bound=bound, label_source="given", certificates=[certificate])
    return certificate_of(summary, rows, None, text, drawn=False)


def predict_counts(
    counts: Counts | npt.ArrayLike,
    k: SupportsIndex = 1,
    alpha: SupportsFloat = 0.001,
    n: SupportsIndex | None = None,
) -> Prediction:
    """The top k labels of the smoothed classifier, from counts of noisy rows; abstains where they do not settle it.

    Args:
        counts: rows that gave each label, integers [classes], at least two.
        k: the k of top-k, from 1 to classes - 1.
        alpha: probability, between 0 and 1, that labels that are returned are wrong.
        n: rows drawn, at least the sum of the counts. None: the sum, or the n of a `Counts`.

    Raises:
        InvalidArgumentError, InvalidDataError: with the field.
    """
    summary, size = _abi.stk_summary(), _convert.uint("k", k)
    with _handle(counts, n) as handle:
        rows, _ = _read(handle)
        labels = (ctypes.c_int64 * min(size, rows.size))()
        call(
            lib.stk_counts_predict,
            handle.pointer,
            size,
            _convert.real("alpha", alpha),
            labels,
            ctypes.byref(summary),
            ctypes.sizeof(summary),
        )
    top = tuple(labels)
    prediction = {"k": size, "labels": top, "abstain": bool(summary.abstain), "p_value": summary.p_value}
    return prediction_of(summary, top, rows, _json("predict", summary, rows, predictions=[prediction]), drawn=False)
