"""Opening a model, and holding it open for as long as native calls use it."""

from __future__ import annotations

import atexit
import ctypes
import os
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, SupportsFloat, SupportsIndex, Union

import numpy as np
import numpy.typing as npt

from . import _abi, _convert, _runtime
from ._errors import InvalidArgumentError, SmoothTopKError, fields_called
from ._function import Function
from ._jobs import Cancel
from ._library import Handle, call, lib


class ModelProto(Protocol):
    """An `onnx.ModelProto`, or anything that serialises to one."""

    def SerializeToString(self) -> bytes:  # noqa: N802
        """The model in ONNX's binary format."""


Model = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, ModelProto]


# What the library's fields of an option, and then of opening a model, are called here.
_OPTIONS = {
    "normalization": {"std_dev": "std"},
    "constant": {"name": "constants", "values": "constants"},
    "provider_option": {"key": "provider_options", "value": "provider_options"},
    "provider_library": {"path": "provider_library"},
    "tensorrt": {"cache_folder": "tensorrt_cache"},
}
_OPENING = {
    "constant": "constants",
    "std_dev": "std",
    "provider_option": "provider_options",
    "cuda": "cuda_tf32",
    "path": "model",
    "data": "model",
    "bytes": "model",
}


def model_options(
    *,
    provider: str,
    batch: SupportsIndex | None,
    threads: SupportsIndex | None,
    mean: npt.ArrayLike | None,
    std: npt.ArrayLike | None,
    input: str | None,
    output: str | None,
    input_shape: Sequence[SupportsIndex] | None,
    classes: SupportsIndex | None,
    threshold: SupportsFloat | None,
    base_k: SupportsIndex | None,
    constants: Mapping[str, npt.ArrayLike] | None,
    provider_options: Mapping[str, str] | None,
    provider_library: str | os.PathLike[str] | None,
    memory_limit: SupportsIndex | None,
    devices: Sequence[SupportsIndex],
    allow_fallback: bool,
    cuda_tf32: bool,
    tensorrt_fp16: bool,
    tensorrt_bf16: bool,
    tensorrt_cache: str | os.PathLike[str] | None,
    plan_cache: bool,
    max_jobs: SupportsIndex | None,
    max_input_bytes: SupportsIndex | None,
) -> Handle:
    """The options of SmoothedClassifier for the library, which checks each at once."""
    options = function_options(
        batch=batch, threads=threads, memory_limit=memory_limit, max_jobs=max_jobs, max_input_bytes=max_input_bytes
    )

    def set_option(name: str, *values: Any) -> None:
        _set_option(options, name, *values)

    set_option("provider", _convert.string("provider", provider))
    for key, value in (provider_options or {}).items():
        pair = _convert.string("provider_options", key), _convert.string("provider_options", value)
        set_option("provider_option", *pair)
    ids = [_convert.uint("devices", device) for device in devices]
    if too_large := [device for device in ids if device >= 1 << 32]:
        raise InvalidArgumentError(f"must be below 2^32, got {too_large[0]}", "devices")
    set_option("devices", (ctypes.c_uint32 * len(ids))(*ids), len(ids))
    set_option("allow_fallback", bool(allow_fallback))
    set_option("cuda_tf32", bool(cuda_tf32))
    folder = None if tensorrt_cache is None else _convert.string("tensorrt_cache", os.fspath(tensorrt_cache))
    set_option("tensorrt", bool(tensorrt_fp16), bool(tensorrt_bf16), folder)
    set_option("plan_cache", bool(plan_cache))
    if provider_library is not None:
        set_option("provider_library", _convert.string("provider_library", os.fspath(provider_library)))
    for name, text_value in (("input", input), ("output", output)):
        if text_value is not None:
            set_option(name, _convert.string(name, text_value))
    if classes is not None:
        _set_size(options, "classes", classes)
    if input_shape is not None:
        shape = [_convert.uint("input_shape", dim) for dim in input_shape]
        set_option("input_shape", (ctypes.c_size_t * len(shape))(*shape), len(shape))
    if threshold is not None:
        set_option("threshold", _convert.real("threshold", threshold))
    if base_k is not None:
        _set_size(options, "base_k", base_k)
    if mean is not None or std is not None:
        means, mean_len = _floats("mean", 0.0 if mean is None else mean)
        stds, std_len = _floats("std", 1.0 if std is None else std)
        set_option("normalization", means, mean_len, stds, std_len)
    for name, constant in (constants or {}).items():
        values = _convert.for_c(_convert.plain("constants", constant).ravel(), np.float64)
        pointer = values.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
        set_option("constant", _convert.string("constants", name), pointer, values.size)
    return options


def function_options(**sizes: SupportsIndex | None) -> Handle:
    """Options of a function: threads, batch and limits, by the library's names."""
    options = Handle(_abi.stk_model_options, lib.stk_model_options_free)
    call(lib.stk_model_options_new, options.out())
    for name, size in sizes.items():
        if size is not None:
            _set_size(options, name, size)
    return options


def _set_option(options: Handle, name: str, *values: Any) -> None:
    with fields_called(_OPTIONS.get(name, {})):
        call(getattr(lib, f"stk_model_options_set_{name}"), options.pointer, *values)


def _set_size(options: Handle, name: str, size: SupportsIndex) -> None:
    # To the library 0 means "not given": None says that here.
    if not (number := _convert.uint(name, size)):
        raise InvalidArgumentError("must be at least 1, or None", name)
    _set_option(options, name, number)


def _floats(name: str, values: npt.ArrayLike) -> tuple[Any, int]:
    try:
        array = np.atleast_1d(_convert.plain(name, values).astype(np.float32))
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, or one for each channel, not {values!r}") from None
    if array.ndim != 1:
        raise InvalidArgumentError(f"must be one number, or one for each channel, got shape {list(array.shape)}", name)
    return (ctypes.c_float * array.size)(*array.tolist()), array.size


class ModelHandle(Handle):
    """An open model. It is freed when it is closed, or by the last of the native calls that were using it then."""

    __slots__ = ("_busy", "_closed", "_function", "_kept", "_lock")

    def __init__(self) -> None:
        super().__init__(_abi.stk_model, lib.stk_model_free)
        self._lock = threading.Lock()
        self._busy: set[Busy] = set()
        self._closed = False
        self._function: Function | None = None
        # What the library may use until the model is freed.
        self._kept: object = None
        _models.add(self)

    def open_function(self, function: Function, options: Handle) -> None:
        """Opens a function as model."""
        given, kept = function.described()
        try:
            call(lib.stk_model_from_callback, ctypes.byref(given), options.pointer, self.out())
        except SmoothTopKError as error:
            function.caused(error)
            raise
        self._function, self._kept = function, kept

    def caused(self, error: SmoothTopKError) -> None:
        """Makes what its function raised the error's cause."""
        if self._function is not None:
            self._function.caused(error)

    def check_caller(self) -> None:
        """Refuses what would wait for the very call that it comes from."""
        if self._function is not None and self._function.runs_here():
            raise InvalidArgumentError("cannot be used or closed by its own function, for which it would wait", "model")

    def busy(self, cancel: Cancel | None = None) -> Busy:
        """For the time of a native call on the model, which `cancel` ends where it blocks."""
        return Busy(self, cancel)

    def enter(self, call: Busy) -> None:
        """A native call begins."""
        self.check_process()
        self.check_caller()
        with self._lock:
            if self._closed:
                raise closed_error()
            self._busy.add(call)

    def leave(self, call: Busy) -> None:
        """A native call has returned. The last one on a closed model is over when the model is freed."""
        with self._lock:
            last = self._closed and self._busy == {call}
            if not last:
                self._busy.discard(call)
        if last:
            self.free()
            self._busy.discard(call)

    def close(self) -> None:
        """Ends the native calls that block, and frees the model when none is left."""
        self.check_caller()
        with self._lock:
            first, self._closed = not self._closed, True
            calls = tuple(self._busy)
        for each in calls:
            if each.cancel is not None:
                each.cancel.set()
        if first and not calls:
            self.free()

    def is_busy(self) -> bool:
        """Whether a thread is in a native call on the model, or frees it after one."""
        return bool(self._busy)


class Busy:
    """A native call on a model, while in its `with`."""

    def __init__(self, model: ModelHandle, cancel: Cancel | None) -> None:
        self.cancel = cancel
        self._model = model

    def __enter__(self) -> None:
        self._model.enter(self)

    def __exit__(self, *_: object) -> None:
        self._model.leave(self)


def closed_error() -> InvalidArgumentError:
    """Of a call on a model that is closed."""
    return InvalidArgumentError("is closed", "model")


_models: weakref.WeakSet[ModelHandle] = weakref.WeakSet()


@atexit.register
def _free_all() -> None:
    """Ends the library's threads before the process takes ONNX Runtime down."""
    # A child of a fork would wait for calls, and for locks, of threads that it does not have.
    models = tuple(model for model in tuple(_models) if model.is_ours())
    for model in models:
        model.close()
    # A daemon thread's call returns soon after. What does not is left: nothing may be freed that is in use.
    limit = time.monotonic() + 5
    while any(model.is_busy() for model in models) and time.monotonic() < limit:
        time.sleep(0.001)


def open_model(model: Model | Function, options: Handle) -> ModelHandle:
    """Opens a model of any form; loads ONNX Runtime first, which a function does not need."""
    handle = ModelHandle()
    if isinstance(model, Function):
        handle.open_function(model, options)
        return handle
    _runtime.load_runtime()
    if isinstance(model, (str, os.PathLike)):
        path = os.fspath(model)
        if not isinstance(path, str):
            raise TypeError("model must be a path as a string, not as bytes: bytes are the model itself")
        with fields_called(_OPENING):
            call(lib.stk_model_open, _convert.string("model", path), options.pointer, handle.out())
        return handle
    if isinstance(model, (bytes, bytearray, memoryview)):
        data = np.frombuffer(model, np.uint8)
    elif hasattr(model, "SerializeToString"):
        try:
            data = np.frombuffer(model.SerializeToString(), np.uint8)
        except Exception as error:
            raise InvalidArgumentError(
                f"cannot be serialised ({error}); a model above 2 GiB must be given by its path", "model"
            ) from error
    else:
        raise TypeError(f"model must be a path, bytes or an onnx.ModelProto, not {type(model).__name__}")
    with fields_called(_OPENING):
        call(lib.stk_model_open_memory, data.ctypes.data, data.size, options.pointer, handle.out())
    return handle
