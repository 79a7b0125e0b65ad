"""Reading the library's results."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from . import _abi
from ._answers import Answer, Certificate, Certificates, CountArray, Prediction, Predictions
from ._convert import bound_name, generator_name
from ._guarantee import Guarantee, Guarantees
from ._library import Handle, call, lib, status_name, text

A = TypeVar("A", bound=Answer)


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


def _common(summary: _abi.stk_summary, counts: CountArray, json: str) -> dict[str, Any]:
    """The fields of `Answer`."""
    generator = generator_name(summary.generator)
    decision = None
    if summary.decision != _abi.STK_DECISION_NONE:
        decision = text(lib.stk_decision_name(summary.decision))
    return {
        "k": summary.k,
        "counts": counts,
        "n": summary.n,
        "samples_drawn": summary.samples_drawn,
        "decision": decision,
        "cut": None if summary.cut == _abi.STK_STATUS_OK else status_name(summary.cut),
        "sigma": summary.sigma,
        "alpha": summary.alpha,
        "alpha_left": summary.alpha_left,
        "generator": generator,
        "seed": summary.seed if generator == "philox" else None,
        "key": None if generator is None else summary.key,
        "grid": summary.grid,
        "exact_levels": summary.levels or None,
        "seconds": summary.seconds,
        "status": status_name(summary.status),
        "_json": json,
    }


def certificate_of(
    summary: _abi.stk_summary, allocation: str | None, counts: CountArray, selection: CountArray | None, json: str
) -> Certificate:
    """A certificate from the library's summary."""
    return Certificate(
        label=None if summary.label == _abi.STK_NO_LABEL else summary.label,
        radius=summary.radius,
        certified=bool(summary.certified),
        p_lower=summary.p_lower,
        p_upper=summary.p_upper,
        selection=selection,
        n0=summary.n0,
        n_certified=summary.n_certified,
        bound=bound_name(summary.bound),
        allocation=allocation,
        radius_slack=summary.radius_slack,
        uniform=summary.uniform or None,
        **_common(summary, counts, json),
    )


def prediction_of(summary: _abi.stk_summary, top: tuple[int, ...], counts: CountArray, json: str) -> Prediction:
    """A prediction from the library's summary."""
    return Prediction(
        labels=None if summary.abstain else top,
        top=top,
        abstain=bool(summary.abstain),
        p_value=summary.p_value,
        # No noise was involved where it is 0.
        **_common(summary, counts, json) | {"sigma": summary.sigma or None},
    )


def guarantee_of(
    found: _abi.stk_guarantee,
    summary: _abi.stk_summary,
    labels: tuple[int, ...],
    label_radii: tuple[float, ...],
    kept_radii: tuple[float, ...],
    counts: CountArray,
    selection: CountArray | None,
    json: str,
) -> Guarantee:
    """A guarantee from the library's, and from the summary beside it."""
    return Guarantee(
        labels=labels,
        certified=found.set_radius > 0,
        label_radii=label_radii,
        set_radius=found.set_radius,
        kept_radii=kept_radii,
        first_radius=found.first_radius,
        ranking_radius=found.ranking_radius,
        selection=selection,
        n0=found.n0,
        n_certified=found.n,
        radius_slack=found.radius_slack,
        **_common(summary, counts, json),
    )


def _answers(result: Handle, one: Callable[[_abi.stk_summary, int, int, CountArray, str], A]) -> tuple[A, ...]:
    summary, json, answers = _abi.stk_summary(), ctypes.c_char_p(), []
    for index in range(lib.stk_result_len(result.pointer)):
        counts = view(lib.stk_result_counts, result, index)
        call(lib.stk_result_json, result.pointer, index, ctypes.byref(json))
        for k in range(lib.stk_result_k_len(result.pointer)):
            call(lib.stk_result_summary, result.pointer, index, k, ctypes.byref(summary), ctypes.sizeof(summary))
            answers.append(one(summary, index, k, counts, text(json.value)))
    return tuple(answers)


def _selection(result: Handle, index: int) -> CountArray | None:
    counts = view(lib.stk_result_selection, result, index)
    return counts if counts.size else None


def _values(function: Any, kind: Any, result: Handle, index: int, k: int) -> tuple[Any, ...]:
    """A copy of the array that an accessor gives for one input and one k."""
    pointer, length = ctypes.POINTER(kind)(), ctypes.c_size_t()
    call(function, result.pointer, index, k, ctypes.byref(pointer), ctypes.byref(length))
    return tuple(pointer[: length.value])


def read_certificates(result: Handle, shape: tuple[int, ...]) -> Certificate | Certificates:
    """The certificates in a result: one for shape (), else an array of that shape."""
    allocation = ctypes.c_char_p()

    def one(summary: _abi.stk_summary, index: int, k: int, counts: CountArray, json: str) -> Certificate:
        call(lib.stk_result_allocation, result.pointer, index, k, ctypes.byref(allocation))
        return certificate_of(summary, text(allocation.value) or None, counts, _selection(result, index), json)

    flat = _answers(result, one)
    return Certificates(flat, shape) if shape else flat[0]


def read_predictions(result: Handle, shape: tuple[int, ...]) -> Prediction | Predictions:
    """The predictions in a result: one for shape (), else an array of that shape."""

    def one(summary: _abi.stk_summary, index: int, k: int, counts: CountArray, json: str) -> Prediction:
        return prediction_of(summary, _values(lib.stk_result_labels, ctypes.c_int64, result, index, k), counts, json)

    flat = _answers(result, one)
    return Predictions(flat, shape) if shape else flat[0]


def read_guarantees(result: Handle, shape: tuple[int, ...]) -> Guarantee | Guarantees:
    """The guarantees in a result: one for shape (), else an array of that shape."""
    found = _abi.stk_guarantee()

    def one(summary: _abi.stk_summary, index: int, k: int, counts: CountArray, json: str) -> Guarantee:
        call(lib.stk_result_guarantee, result.pointer, index, k, ctypes.byref(found), ctypes.sizeof(found))
        return guarantee_of(
            found,
            summary,
            _values(lib.stk_result_labels, ctypes.c_int64, result, index, k),
            _values(lib.stk_result_label_radii, ctypes.c_double, result, index, k),
            _values(lib.stk_result_kept_radii, ctypes.c_double, result, index, k),
            counts,
            _selection(result, index),
            json,
        )

    flat = _answers(result, one)
    return Guarantees(flat, shape) if shape else flat[0]
