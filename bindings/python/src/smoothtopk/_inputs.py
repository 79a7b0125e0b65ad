"""Inputs, from whatever holds numbers, as the library reads them."""

from __future__ import annotations

import math
from typing import Any, Protocol, Union

import numpy as np
import numpy.typing as npt

from . import _abi
from ._convert import no_mask
from ._errors import InvalidDataError

Rows = npt.NDArray[Any]
# The types that the library reads, by NumPy's names: bfloat16 is one of ml_dtypes. Others are read as float32.
DTYPES = {
    "float32": _abi.STK_DTYPE_FLOAT32,
    "uint8": _abi.STK_DTYPE_UINT8,
    "float16": _abi.STK_DTYPE_FLOAT16,
    "bfloat16": _abi.STK_DTYPE_BFLOAT16,
    "float64": _abi.STK_DTYPE_FLOAT64,
}


class SupportsDLPack(Protocol):
    """A tensor of any library that exchanges them by DLPack."""

    def __dlpack__(self, *, stream: None = ...) -> Any:
        """The tensor in a capsule."""

    def __dlpack_device__(self) -> Any:
        """Where it lies."""


# Lists, buffers, what has `__array__` (tensors of PyTorch and JAX, tables of pandas), and what has DLPack alone.
Inputs = Union[npt.ArrayLike, SupportsDLPack]


def inputs(x: Inputs, shape: tuple[int, ...], input_max: float) -> tuple[Rows, bool]:
    """x as C-contiguous [N, *shape] of a type in DTYPES, not copied if it is that, and whether it was one input."""
    array = _numbers(x)
    if array.shape == shape:
        single = True
    elif array.shape[1:] == shape and array.ndim == len(shape) + 1:
        single = False
    else:
        one = ", ".join(map(str, shape))
        raise InvalidDataError(f"must have shape [{one}] or [N, {one}], got {list(array.shape)}", "x")
    dtype = array.dtype.newbyteorder("=") if array.dtype.name in DTYPES else np.dtype(np.float32)
    # Infinities, and NaN, are the library's to refuse.
    with np.errstate(over="ignore"):
        rows = np.require(array, dtype, ["C", "A"]).reshape((-1, *shape))
        # The grid carries the float32 next above input_max too: input_max itself may be that in float32.
        limit = np.float32(input_max)
        if float(limit) < input_max:
            limit = np.nextafter(limit, np.float32(np.inf))
    # A certificate would hold all the same, but such an x is almost always on another scale than sigma.
    if rows.size and float(limit) < (largest := max(float(rows.max()), -float(rows.min()))) < math.inf:
        raise InvalidDataError(
            f"reaches {largest:.9g}, above input_max ({input_max:.9g}): put x on the scale of sigma (pixels from 0 to "
            "1), or open the classifier with an input_max that covers it",
            "x",
        )
    return rows, single


def _numbers(x: Any) -> npt.NDArray[Any]:
    """x as an array of real numbers."""
    no_mask("x", x)
    try:
        array = np.asarray(x)
        if array.shape == () and array.dtype == object and hasattr(x, "__dlpack__"):
            array = np.from_dlpack(x)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        # Rows of different lengths; what a tensor says of a GPU's memory or of its gradients.
        said = " ".join(str(error).split()) or type(error).__name__
        raise InvalidDataError(f"cannot be read as an array: {said}", "x") from error
    if array.dtype.kind in "fiu" or array.dtype.name in DTYPES:
        return array
    raise InvalidDataError(f"must hold real numbers, not {_why_not(x, array)}", "x")


def _why_not(x: Any, array: npt.NDArray[Any]) -> str:
    if hasattr(x, "toarray"):
        return "a sparse matrix: give x.toarray()"
    if array.dtype == bool:
        return "bool: give it as float32 if 0 and 1 are meant"
    if array.dtype == object:
        kinds = sorted({type(each).__name__ for each in array.ravel()[:1000].tolist()})
        return f"objects ({', '.join(kinds[:5])}): give an array of one numeric type, such as np.asarray(x, np.float32)"
    return f"{array.dtype}: give it as float32 if that keeps its values"
