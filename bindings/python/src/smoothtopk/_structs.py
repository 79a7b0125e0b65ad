"""The library's structs, with their values as Python has them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from . import _abi
from ._library import lib, status_name, text

_GENERATORS = {_abi.STK_GENERATOR_PHILOX: "philox", _abi.STK_GENERATOR_CHACHA12: "chacha12"}
_VALIDITIES: dict[int, str] = {
    _abi.STK_VALIDITY_FIXED: "fixed",
    _abi.STK_VALIDITY_ANYTIME: "anytime",
    _abi.STK_VALIDITY_ANYTIME_TO: "anytime:{validity_last}",
    _abi.STK_VALIDITY_RANDOMIZED: "randomized:{uniform!r}",
    _abi.STK_VALIDITY_EXACT: "exact",
}


def _decision(code: int) -> str | None:
    return None if code == _abi.STK_DECISION_NONE else text(lib.stk_decision_name(code))


# The fields that are other values in Python.
_MEANINGS: dict[str, Callable[[Any], object]] = {
    "label": lambda label: None if label == _abi.STK_NO_LABEL else label,
    "certified": bool,
    "abstain": bool,
    "assumed": bool,
    "uniform": lambda uniform: uniform or None,
    "levels": lambda levels: levels or None,
    "status": status_name,
    "decision": _decision,
    "early_stop": lambda status: None if status == _abi.STK_STATUS_OK else status_name(status),
    "generator": _GENERATORS.get,
}


def values(struct: ctypes.Structure) -> dict[str, Any]:
    """The fields of a struct, by their names."""
    raw = {name: getattr(struct, name) for name, *_ in struct._fields_}
    found = {name: _MEANINGS[name](value) if name in _MEANINGS else value for name, value in raw.items()}
    validity = _VALIDITIES.get(raw["validity"])
    return found | {"validity": validity and validity.format_map(raw)}
