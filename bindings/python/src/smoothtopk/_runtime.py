"""ONNX Runtime: finding the library of the installed package, and loading it once a process."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import threading
from pathlib import Path

from . import _convert
from ._errors import NotFoundError, OnnxRuntimeError
from ._library import call, lib, text

VARIABLES = ("SMOOTHTOPK_ONNXRUNTIME", "ORT_DYLIB_PATH")
_HINT = (
    "pip install --upgrade onnxruntime, or set SMOOTHTOPK_ONNXRUNTIME to ONNX Runtime's shared library or its folder"
)
_lock = threading.Lock()
_loaded = False


def package_library() -> Path | None:
    """The shared library in the installed `onnxruntime` package, which is not imported; None where there is none."""
    try:
        spec = importlib.util.find_spec("onnxruntime")
    except ValueError:
        return None
    for folder in (spec.submodule_search_locations or []) if spec else []:
        capi = Path(folder) / "capi"
        names = ("libonnxruntime.so*", "libonnxruntime*.dylib", "onnxruntime.dll")
        found = [path for name in names for path in capi.glob(name) if path.is_file()]
        if found:
            return max(found, key=lambda path: [int(number) for number in re.findall(r"\d+", path.name)])
    return None


def load_runtime(path: str | os.PathLike[str] | None = None) -> None:
    """Loads ONNX Runtime: once a process, before the first model; the first that is loaded stays.

    Args:
        path: its shared library, or the folder that holds it. None looks, in this order, at the environment variable
            SMOOTHTOPK_ONNXRUNTIME (or ORT_DYLIB_PATH); at the installed Python package `onnxruntime`, which is not
            imported for it and may be imported beside it; then where the library itself looks: beside it, and where
            the system's loader does.

    Raises:
        OnnxRuntimeError: it was not found, cannot be loaded or is too old. Nothing else is tried after a place that was
            named or a package that is installed.
    """
    global _loaded
    with _lock:
        if path is None and _loaded:
            return
        named = path is not None or any(os.environ.get(name) for name in VARIABLES)
        package = None if named else package_library()
        chosen = package if path is None else path
        try:
            call(lib.stk_runtime_load, None if chosen is None else _convert.string("path", os.fspath(chosen)))
        except (OnnxRuntimeError, NotFoundError) as error:
            where = f" (from the installed package onnxruntime: {package})" if package else ""
            raise OnnxRuntimeError(f"{error.message}{where}. To get it: {_HINT}", error.field) from None
        _loaded = True


def runtime_version() -> str:
    """Version of ONNX Runtime, which is loaded if it was not."""
    load_runtime()
    out = ctypes.c_char_p()
    call(lib.stk_runtime_version, ctypes.byref(out))
    return text(out.value)


def runtime_path() -> str:
    """The file of ONNX Runtime, which is loaded if it was not."""
    load_runtime()
    out = ctypes.c_char_p()
    call(lib.stk_runtime_path, ctypes.byref(out))
    return text(out.value)


def check_provider(provider: str) -> None:
    """Returns when `provider` ("cpu", "cuda:0", "tensorrt", ..) can be used here.

    Raises:
        ProviderError: it cannot; the message says exactly what is missing.
    """
    load_runtime()
    call(lib.stk_runtime_check_provider, _convert.string("provider", provider))
