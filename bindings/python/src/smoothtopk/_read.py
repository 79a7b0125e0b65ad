"""Reading the library's results."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from . import _abi
from ._arrays import Certificates, Guarantees, Layout, Predictions
from ._counts_base import counts_handle
from ._library import Handle, call, lib, text
from ._statements import A, Certificate, Counts, Guarantee, Origin, Prediction, answer
from ._structs import values


def _counts(function: Any, result: Handle, *index: int) -> Counts | None:
    """New counts from an accessor of a result."""
    handle = counts_handle()
    call(function, result.pointer, *index, handle.out())
    return Counts(handle) if handle.pointer else None


def _origin(result: Handle, index: int, k: int) -> Origin:
    """What the answer for one input and one k was made of; it keeps the result."""

    def counts() -> Counts:
        found = _counts(lib.stk_result_counts_of_k, result, index, k)
        assert found is not None
        return found

    def record(secret: bool) -> str:
        out = ctypes.c_char_p()
        call(
            lib.stk_result_json_with_secret if secret else lib.stk_result_json, result.pointer, index, ctypes.byref(out)
        )
        return text(out.value)

    return Origin(counts, lambda: _counts(lib.stk_result_selection, result, index), record)


def _array(function: Any, kind: Any, result: Handle, index: int, k: int) -> tuple[Any, ...]:
    """A copy of the array that an accessor gives for one input and one k."""
    pointer, length = ctypes.POINTER(kind)(), ctypes.c_size_t()
    call(function, result.pointer, index, k, ctypes.byref(pointer), ctypes.byref(length))
    return tuple(pointer[: length.value])


def _allocation(result: Handle, index: int, k: int) -> dict[str, Any]:
    out = ctypes.c_char_p()
    call(lib.stk_result_allocation, result.pointer, index, k, ctypes.byref(out))
    return {"allocation": text(out.value) or None}


def _top(result: Handle, index: int, k: int) -> dict[str, Any]:
    return {"top": _array(lib.stk_result_labels, ctypes.c_int64, result, index, k)}


def _guarantee(result: Handle, index: int, k: int) -> dict[str, Any]:
    found = _abi.stk_guarantee()
    call(lib.stk_result_guarantee, result.pointer, index, k, ctypes.byref(found), ctypes.sizeof(found))
    return values(found) | {
        "labels": _array(lib.stk_result_labels, ctypes.c_int64, result, index, k),
        "label_radii": _array(lib.stk_result_label_radii, ctypes.c_double, result, index, k),
        "kept_radii": _array(lib.stk_result_kept_radii, ctypes.c_double, result, index, k),
    }


def _answers(kind: type[A], result: Handle, more: Callable[[Handle, int, int], dict[str, Any]]) -> tuple[A, ...]:
    summary, found = _abi.stk_summary(), []
    for index in range(lib.stk_result_len(result.pointer)):
        for k in range(lib.stk_result_k_len(result.pointer)):
            call(lib.stk_result_summary, result.pointer, index, k, ctypes.byref(summary), ctypes.sizeof(summary))
            given = more(result, index, k) | values(summary)
            found.append(answer(kind, _origin(result, index, k), **given))
    return tuple(found)


def read_certificates(result: Handle, layout: Layout) -> Certificate | Certificates:
    """The certificates in a result, as they lie."""
    return layout.of(Certificates, _answers(Certificate, result, _allocation))  # type: ignore[no-any-return]


def read_predictions(result: Handle, layout: Layout) -> Prediction | Predictions:
    """The predictions in a result, as they lie."""
    return layout.of(Predictions, _answers(Prediction, result, _top))  # type: ignore[no-any-return]


def read_guarantees(result: Handle, layout: Layout) -> Guarantee | Guarantees:
    """The guarantees in a result, as they lie."""
    return layout.of(Guarantees, _answers(Guarantee, result, _guarantee))  # type: ignore[no-any-return]
