"""Arguments of Python to arguments of C: what C would wrap around or cut off is an error here."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, Literal, SupportsFloat, SupportsIndex, get_args

import numpy as np
import numpy.typing as npt

from . import _abi
from ._errors import InvalidArgumentError

Generator = Literal["philox", "chacha12"]


def uint(name: str, value: SupportsIndex) -> int:
    """An integer from 0 to 2^64 - 1."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {value!r}") from None
    if not 0 <= number < 1 << 64:
        raise InvalidArgumentError(f"must be from 0 to 2^64 - 1, got {number}", name)
    return number


def real(name: str, value: SupportsFloat | SupportsIndex) -> float:
    """A float; its range is the library's to check."""
    try:
        # float reads strings too.
        if isinstance(value, (str, bytes, bytearray)):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name} must be a number, not {value!r}") from None


def string(name: str, value: str) -> bytes:
    """A string for C."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, not {value!r}")
    if "\0" in value:
        raise InvalidArgumentError("must not contain a NUL character", name)
    return value.encode()


def noise(sigma: SupportsFloat | None, noise: str | None) -> bytes:
    """The noise as the library takes it, from one of the two ways to say it."""
    if sigma is not None and noise is None:
        return f"gaussian:{real('sigma', sigma)!r}".encode()
    if sigma is None and noise is not None:
        return string("noise", noise)
    raise InvalidArgumentError('give it, or noise="uniform:LAMBDA": one of the two', "sigma")


def generator(value: str) -> Generator:
    """A generator by its name."""
    if value not in get_args(Generator):
        raise InvalidArgumentError(f"must be one of {', '.join(get_args(Generator))}, got {value!r}", "generator")
    name: Any = value
    return name  # type: ignore[no-any-return]


def chacha12_key(value: bytes | bytearray | memoryview) -> bytes:
    """The 32 bytes of a key."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        # Its value is a secret.
        raise TypeError(f"chacha12_key must be bytes, not {type(value).__name__}")
    if len(key := bytes(value)) != _abi.STK_CHACHA12_KEY_SIZE:
        raise InvalidArgumentError(f"must have {_abi.STK_CHACHA12_KEY_SIZE} bytes, got {len(key)}", "chacha12_key")
    return key


def levels(value: SupportsIndex | None) -> int:
    """Points a unit of the grid of exact noise; 0 where it is not exact."""
    if value is None:
        return 0
    # To the library 0 means "not exact": None says that here. What is above 32 bits must not wrap around.
    if not 1 <= (number := uint("exact_levels", value)) < 1 << 32:
        raise InvalidArgumentError(f"must be from 1 to 2^20, or None, got {number}", "exact_levels")
    return number


def milliseconds(timeout: float | None) -> int:
    """A timeout in seconds as milliseconds, rounded up; 0 for none."""
    if timeout is None:
        return 0
    seconds = real("timeout", timeout)
    if not 0 < seconds < 1e15:
        raise InvalidArgumentError(f"must be above 0 seconds, or None for no limit; got {seconds}", "timeout")
    return math.ceil(seconds * 1000)


def ks(value: SupportsIndex | Sequence[SupportsIndex]) -> tuple[list[int], bool]:
    """The k of top-k as a list, and whether it was one number."""
    if isinstance(value, (Sequence, np.ndarray)) and not (isinstance(value, np.ndarray) and value.ndim == 0):
        return [uint("k", each) for each in value], False
    return [uint("k", value)], True


def no_mask(name: str, value: object) -> None:
    """Refuses an array with a mask: what that hides would be used."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    if any(isinstance(part, np.ma.MaskedArray) for part in parts):
        raise TypeError(f"{name} must not be a masked array, whose hidden values would be used: give {name}.filled(..)")


def plain(name: str, value: npt.ArrayLike | Any) -> npt.NDArray[Any]:
    """The array, if it has no mask."""
    no_mask(name, value)
    return np.asarray(value)


def for_c(array: npt.NDArray[Any], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """As C reads it, not copied if it is so already."""
    return np.require(array, dtype, ["C", "A"])


def labels(
    label: SupportsIndex | Sequence[SupportsIndex] | npt.NDArray[np.integer[Any]] | None, count: int
) -> npt.NDArray[np.int64] | None:
    """One label per input, STK_NO_LABEL where it is to be chosen; None when all are."""
    if label is None:
        return None
    try:
        array = plain("label", label)
    except (ValueError, OverflowError):
        array = np.asarray(None)
    if array.dtype.kind not in "iu" or array.ndim > 1:
        raise TypeError("label must be an integer, or one for each input (-1 where it is to be chosen)")
    if array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise InvalidArgumentError(f"must be below the number of labels, got {array.max()}", "label")
    if array.ndim == 1 and array.shape[0] != count:
        raise InvalidArgumentError(f"there must be one for each of the {count} inputs, got {array.shape[0]}", "label")
    return for_c(np.broadcast_to(array, (count,)), np.int64)
