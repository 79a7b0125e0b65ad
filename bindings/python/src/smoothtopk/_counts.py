"""Counts of labels, and the statements that follow from them with no model at hand."""

from __future__ import annotations

import ctypes
import json
import math
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, SupportsFloat, SupportsIndex

import numpy as np
import numpy.typing as npt

from . import _abi, _convert
from ._answers import Certificate, CountArray, Prediction
from ._convert import Bound, Generator
from ._errors import InvalidArgumentError, InvalidDataError, fields_called
from ._guarantee import Guarantee
from ._library import Handle, call, lib, version
from ._noise_cost import RowNoise, alpha_left
from ._read import certificate_of, guarantee_of, prediction_of


@dataclass(frozen=True, eq=False)
class Counts:
    """How many of n noisy rows gave each label. Counts of disjoint sample ranges add: `a + b`.

    Attributes:
        counts: rows that gave each label, uint64 [classes].
        n: rows drawn, at least the sum of the counts: a row with no label (NaN) is in n alone, and in bounds a row of
            every rival.
        seed, key, generator, chacha12_key: what the noise was drawn from, and for which input; None where that is not
            known, or differs between the parts of a sum, and seed for ChaCha12, whose key is a secret.
        noise: what statements from these counts take off alpha or the radius, as those of a run do; None where it is
            not known. It is plain data: keep it with counts that are saved.
        cut_short: whether rows are missing, since a failure, a timeout or a cancel came first: the counts of an error's
            `partial`. Which rows came back first may depend on what they were, so they certify and predict nothing.
    """

    counts: CountArray = field(repr=False)
    n: int
    seed: int | None = None
    key: int | None = None
    generator: Generator | None = None
    chacha12_key: bytes | None = field(default=None, repr=False)
    noise: RowNoise | None = None
    cut_short: bool = False

    def __add__(self, other: Counts) -> Counts:
        if not isinstance(other, Counts):
            return NotImplemented
        if self.noise != other.noise and self.noise is not None and other.noise is not None:
            raise InvalidDataError(
                f"are of other noise: {other.noise}, not {self.noise}; add rows of one classifier", "counts"
            )
        noise = other.noise if self.noise is None else self.noise
        with _handle(self, None, to_add=True) as mine, _handle(other, None, to_add=True) as theirs:
            call(lib.stk_counts_add, mine.pointer, theirs.pointer)
            counts, n = _read(mine)
        source = (self.seed, self.key, self.generator, self.chacha12_key)
        if source != (other.seed, other.key, other.generator, other.chacha12_key):
            source = (None, None, None, None)
        return Counts(counts, n, *source, noise, self.cut_short or other.cut_short)

    def certify(
        self,
        label: SupportsIndex,
        k: SupportsIndex = 1,
        *,
        sigma: SupportsFloat | None = None,
        alpha: SupportsFloat = 0.001,
        bound: Bound | None = None,
        allocation: str | None = None,
        validity: str = "fixed",
        radius_slack: SupportsFloat = 0.0,
        most_rows: SupportsIndex | None = None,
    ) -> Certificate:
        """As `certify_counts`."""
        return certify_counts(
            self,
            label,
            k,
            sigma,
            alpha,
            bound,
            allocation=allocation,
            validity=validity,
            radius_slack=radius_slack,
            most_rows=most_rows,
        )

    def predict(self, k: SupportsIndex = 1, *, alpha: SupportsFloat = 0.001) -> Prediction:
        """As `predict_counts`."""
        return predict_counts(self, k, alpha)

    def certify_answer(
        self,
        k: SupportsIndex = 1,
        *,
        sigma: SupportsFloat | None = None,
        alpha: SupportsFloat = 0.001,
        pilot: Counts | npt.ArrayLike | None = None,
        validity: str = "fixed",
        radius_slack: SupportsFloat = 0.0,
        most_rows: SupportsIndex | None = None,
    ) -> Guarantee:
        """As `certify_answer_counts`."""
        return certify_answer_counts(
            self,
            k,
            sigma,
            alpha,
            pilot=pilot,
            validity=validity,
            radius_slack=radius_slack,
            most_rows=most_rows,
        )


def _read(handle: Handle) -> tuple[CountArray, int]:
    """A read-only copy of the library's counts, and n."""
    pointer, length = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_size_t()
    call(lib.stk_counts_labels, handle.pointer, ctypes.byref(pointer), ctypes.byref(length))
    counts = np.ctypeslib.as_array(pointer, (length.value,)).astype(np.uint64)
    counts.setflags(write=False)
    return counts, int(lib.stk_counts_n(handle.pointer))


def _given(counts: Counts | npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    return _convert.plain(name, counts.counts if isinstance(counts, Counts) else counts)


def _array(counts: Counts | npt.ArrayLike, name: str) -> CountArray:
    array = _given(counts, name)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InvalidDataError(f"must be integers [classes], got {array.dtype} {list(array.shape)}", name)
    if array.size and int(array.min()) < 0:
        raise InvalidDataError(f"must not be negative, got {array.min()}", name)
    return _convert.for_c(array, np.uint64)


def _handle(
    counts: Counts | npt.ArrayLike, n: SupportsIndex | None, name: str = "counts", *, to_add: bool = False
) -> Handle:
    array = _array(counts, name)
    if isinstance(counts, Counts) and counts.cut_short and not to_add:
        raise InvalidDataError(
            "were cut short by a failure, a timeout or a cancel, and which rows came back first may depend on what "
            "they were: they certify and predict nothing",
            name,
        )
    if n is None and isinstance(counts, Counts):
        n = counts.n
    # To the library 0 means their sum: None says that here.
    rows = 0 if n is None else _convert.uint("n", n)
    if n is not None and not rows:
        raise InvalidArgumentError("must be at least 1: there is nothing to say of no rows", "n")
    # Fewer rows than were drawn would drop those without a label, and make the others more frequent than they are.
    if isinstance(counts, Counts) and rows < counts.n:
        raise InvalidArgumentError(f"is {rows}, and the counts are of {counts.n} rows: leave it out", "n")
    handle = Handle(_abi.stk_counts, lib.stk_counts_free)
    pointer = array.ctypes.data_as(ctypes.POINTER(ctypes.c_uint64))
    # The n of other counts than the first is no argument.
    with fields_called({"labels": name} if name == "counts" else {"labels": name, "n": name}):
        call(lib.stk_counts_new, pointer, array.size, rows, handle.out())
    return handle


def _sigma(counts: Counts | npt.ArrayLike, given: SupportsFloat | None) -> float:
    """The noise's standard deviation, from the counts or the caller, who must not contradict each other."""
    noise = counts.noise if isinstance(counts, Counts) else None
    if noise is None:
        if given is None:
            raise InvalidArgumentError("must be given: these counts do not say which noise they are of", "sigma")
        return _convert.real("sigma", given)
    if given is not None and (value := _convert.real("sigma", given)) != noise.sigma:
        raise InvalidArgumentError(f"is {value}, and the rows were drawn with {noise.sigma}: leave it out", "sigma")
    return noise.sigma


def _slack(counts: Counts | npt.ArrayLike, given: SupportsFloat) -> float:
    """What is taken off radii: what the counts say, or the caller where that is more."""
    value = _convert.real("radius_slack", given)
    if not isinstance(counts, Counts) or counts.noise is None or not value >= 0:
        return value
    return max(value, counts.noise.radius_slack)


def _left(
    counts: Counts | npt.ArrayLike, alpha: float, rows: int, validity: str, most_rows: SupportsIndex | None
) -> float:
    """What is left of alpha for bounds from so many rows, after what their noise costs."""
    most = rows if most_rows is None else _convert.uint("most_rows", most_rows)
    if most < rows:
        raise InvalidArgumentError(f"is {most}, and there are {rows} rows", "most_rows")
    if not isinstance(counts, Counts) or counts.noise is None or not counts.noise.row_alpha:
        return alpha
    kind, _, last = validity.partition(":")
    if kind == "anytime" and most_rows is None:
        if not last.isdecimal():
            raise InvalidArgumentError(
                "must be given: exact noise costs alpha by the row, and the rows of these validity were not fixed "
                "beforehand",
                "most_rows",
            )
        most = max(rows, int(last))
    return alpha_left(alpha, most, counts.noise.row_alpha)


def _json(task: str, summary: _abi.stk_summary, counts: CountArray, **more: Any) -> str:
    """With the names that the library's own JSON has."""
    common = {"program": "smoothtopk", "program_version": version(), "task": task, "alpha": summary.alpha}
    rows = {"classes": counts.size, "counts": counts.tolist(), "n": summary.n, "rows": summary.n}
    return json.dumps(common | more | rows)


def certify_counts(
    counts: Counts | npt.ArrayLike,
    label: SupportsIndex,
    k: SupportsIndex,
    sigma: SupportsFloat | None = None,
    alpha: SupportsFloat = 0.001,
    bound: Bound | None = None,
    n: SupportsIndex | None = None,
    *,
    allocation: str | None = None,
    validity: str = "fixed",
    radius_slack: SupportsFloat = 0.0,
    most_rows: SupportsIndex | None = None,
) -> Certificate:
    """The certified radius of a label, from counts of noisy rows.

    The label, and how alpha is spent, must have been fixed before these rows were drawn (by other rows, or because it
    is the true label): what was chosen by looking at `counts` gets a certificate that need not hold.

    Args:
        counts: rows that gave each label, integers [classes], at least two.
        label: the label to certify.
        k: the k of top-k, from 1 to classes - 1.
        sigma: standard deviation of the noise that was drawn, above 0, on the input's own scale. None: that of a
            `Counts` that says it; another is refused.
        alpha: probability, from 1e-100 to 0.5, that the statement is false. What the noise of a `Counts` costs is taken
            off it; from a bare array give the `alpha_left` of `SmoothedClassifier.noise_cost` for exact noise.
        bound: how label probabilities are bounded: "ranked", "simuem" or "binocp". None: as `allocation` says, or
            "ranked".
        n: rows drawn, at least the sum of the counts. None: the sum, or the n of a `Counts`.
        allocation: how alpha is spent, in more ways than `bound` has, and in its place: as for
            `SmoothedClassifier.certify`, but not "auto".
        validity: "fixed": for a number of rows that was fixed beforehand. "anytime": the certificates of all looks at
            growing counts are true at once, so any may be taken, whatever made the rows end. "anytime:N": so too, for
            at most N rows, with N fixed beforehand and half of alpha for the N-th alone. "randomized:U": as fixed, a
            little larger on average, by a uniform U above 0 and at most 1 that was drawn independently of the rows.
        radius_slack: what is taken off the radius, for a rounding of the inputs; at least 0. Of it and what a `Counts`
            says itself, the larger counts; a bare array says nothing.
        most_rows: the most rows that there might have been, those that chose the label included: exact noise costs
            alpha by the row. None: the rows there are, or the N of "anytime:N". Needed for "anytime" of exact noise.

    Raises:
        InvalidArgumentError, InvalidDataError: with the field.
    """
    if bound == "auto":
        raise InvalidArgumentError('must be one of ranked, simuem, binocp: "auto" chooses by rows of a run', "bound")
    # Its text is what the library takes for it here.
    setter, _ = _convert.allocation(bound, allocation)
    spent = allocation if setter == "allocation" else bound
    summary, asked, kind = _abi.stk_summary(), _convert.real("alpha", alpha), _convert.string("validity", validity)
    with _handle(counts, n) as handle:
        rows, drawn = _read(handle)
        call(
            lib.stk_counts_certify_with,
            handle.pointer,
            _convert.uint("label", label),
            _convert.uint("k", k),
            _sigma(counts, sigma),
            _left(counts, asked, drawn, validity, most_rows),
            None if spent is None else _convert.string("allocation", spent),
            kind,
            _slack(counts, radius_slack),
            ctypes.byref(summary),
            ctypes.sizeof(summary),
        )
    summary.alpha = asked
    spent = spent or "ranked"
    certificate = {name: getattr(summary, name) for name in ("k", "radius", "p_lower", "p_upper")}
    certificate |= {"certified": bool(summary.certified), "rows": summary.n_certified, "allocation": spent}
    given = {name: getattr(summary, name) for name in ("sigma", "label", "radius_slack", "alpha_left")}
    given |= {"bound": spent, "validity": validity, "label_source": "given"}
    text = _json("certify", summary, rows, **given, certificates=[certificate])
    return certificate_of(summary, spent, rows, None, text)


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
        alpha: probability, from 1e-100 to 0.5, that labels that are returned are wrong. What the noise of a `Counts`
            costs is taken off it, as for `certify_counts`.
        n: rows drawn, at least the sum of the counts. None: the sum, or the n of a `Counts`.

    Raises:
        InvalidArgumentError, InvalidDataError: with the field.
    """
    summary, size, asked = _abi.stk_summary(), _convert.uint("k", k), _convert.real("alpha", alpha)
    with _handle(counts, n) as handle:
        rows, drawn = _read(handle)
        labels = (ctypes.c_int64 * min(size, rows.size))()
        call(
            lib.stk_counts_predict,
            handle.pointer,
            size,
            _left(counts, asked, drawn, "fixed", None),
            labels,
            ctypes.byref(summary),
            ctypes.sizeof(summary),
        )
    summary.alpha = asked
    top = tuple(labels)
    prediction = {"k": size, "labels": top, "abstain": bool(summary.abstain), "p_value": summary.p_value}
    text = _json("predict", summary, rows, alpha_left=summary.alpha_left, predictions=[prediction])
    return prediction_of(summary, top, rows, text)


def certify_answer_counts(
    counts: Counts | npt.ArrayLike,
    k: SupportsIndex,
    sigma: SupportsFloat | None = None,
    alpha: SupportsFloat = 0.001,
    n: SupportsIndex | None = None,
    *,
    pilot: Counts | npt.ArrayLike | None = None,
    validity: str = "fixed",
    radius_slack: SupportsFloat = 0.0,
    most_rows: SupportsIndex | None = None,
) -> Guarantee:
    """What holds for the k labels that are returned, from counts of their noisy rows.

    Args:
        counts: rows that gave each label, integers [classes], at least two.
        k: the number of labels, from 1 to classes - 1.
        sigma: as for `certify_counts`; that of a `pilot` that says it must be the same.
        alpha: probability, from 1e-100 to 0.5, that a statement is false: each of the `Guarantee`'s. What the noise of
            a `Counts` costs, by the rows of the pilot too, is taken off it.
        n: rows drawn, at least the sum of the counts. None: the sum, or the n of a `Counts`.
        pilot: counts of other rows of the same input, whose k most frequent labels are returned. None: those of
            `counts` are, which is paid for out of alpha.
        validity: "fixed": for a number of rows that was fixed beforehand. "anytime": each statement of all looks at
            growing counts is true at once, so any may be taken, whatever made the rows end; what has to be paid for
            without a `pilot` is then not certified.
        radius_slack, most_rows: as for `certify_counts`.

    Raises:
        InvalidArgumentError, InvalidDataError: with the field.
    """
    if pilot is not None and (pilot is counts or np.shares_memory(_given(pilot, "pilot"), _given(counts, "counts"))):
        raise InvalidArgumentError("is the counts themselves: leave it out where they choose the labels", "pilot")
    summary, found, size = _abi.stk_summary(), _abi.stk_guarantee(), _convert.uint("k", k)
    std, asked, kind = _sigma(counts, sigma), _convert.real("alpha", alpha), _convert.string("validity", validity)
    if isinstance(pilot, Counts) and pilot.noise is not None and pilot.noise.sigma != std:
        raise InvalidArgumentError(f"is of noise with sigma {pilot.noise.sigma}, not {std}: give other rows", "pilot")
    with ExitStack() as stack:
        handle = stack.enter_context(_handle(counts, n))
        other = None if pilot is None else stack.enter_context(_handle(pilot, None, "pilot"))
        rows, drawn = _read(handle)
        selection, chose = (None, 0) if other is None else _read(other)
        left = _left(counts, asked, drawn + chose, validity, most_rows)
        room = min(size, rows.size)
        labels, each, kept = (ctypes.c_int64 * room)(), (ctypes.c_double * room)(), (ctypes.c_double * room)()
        call(
            lib.stk_counts_guarantee_with,
            handle.pointer,
            None if other is None else other.pointer,
            size,
            std,
            left,
            kind,
            _slack(counts, radius_slack),
            labels,
            each,
            kept,
            ctypes.byref(found),
            ctypes.sizeof(found),
        )
    summary.k, summary.n, summary.sigma = size, found.n, found.sigma
    summary.alpha, summary.alpha_left = asked, left
    top, label_radii, kept_radii = tuple(labels), tuple(each), tuple(kept)
    guarantee = {"k": size, "labels": top, "label_radii": label_radii, "set_radius": found.set_radius}
    # null, as in the library's own: that many stay under any perturbation.
    guarantee["kept_radii"] = [None if math.isinf(radius) else radius for radius in kept_radii]
    guarantee |= {"rows": found.n, "earlier": None, "decision": "none"}
    guarantee |= {"first_radius": found.first_radius, "ranking_radius": found.ranking_radius}
    given = {name: getattr(found, name) for name in ("sigma", "radius_slack")}
    given |= {"alpha_left": left, "validity": validity, "selection": None, "selection_samples": None}
    given["label_source"] = "same counts"
    if selection is not None:
        given |= {"label_source": "selected", "selection": selection.tolist(), "selection_samples": found.n0}
    text = _json("certify_answer", summary, rows, **given, guarantees=[guarantee])
    return guarantee_of(found, summary, top, label_radii, kept_radii, rows, selection, text)
