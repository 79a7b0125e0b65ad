"""The shared library: loading it, calling it, and owning what it gives."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from . import _abi
from ._errors import BY_STATUS, ForkedError, InternalError, SmoothTopKError
from ._partial import Partial

_NAME = {"darwin": "libsmoothtopk.dylib", "win32": "smoothtopk.dll"}.get(sys.platform, "libsmoothtopk.so")
_VARIABLE = "SMOOTHTOPK_LIBRARY"


def _load() -> ctypes.CDLL:
    path = os.environ.get(_VARIABLE) or str(Path(__file__).parent / "_lib")
    if os.path.isdir(path):
        path = os.path.join(path, _NAME)
    try:
        # A CDLL's functions run without the GIL.
        library = ctypes.CDLL(path)
        for name, (result, arguments) in _abi.FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise ImportError(
            f"smoothtopk: its library cannot be used ({error}); install the wheel again, or set {_VARIABLE} to a file",
            path=path,
        ) from error
    if (version := library.stk_abi_version()) != _abi.STK_ABI_VERSION:
        raise ImportError(f"smoothtopk: {path} has ABI version {version}, not {_abi.STK_ABI_VERSION}", path=path)
    return library


lib: Any = _load()


def text(value: bytes | None) -> str:
    """A string of the library."""
    return (value or b"").decode("utf-8", "replace")


def status_name(status: int) -> str:
    """The library's name for a status: "OK", "INVALID_ARGUMENT" and so on."""
    return text(lib.stk_status_name(status))


# What the library's messages call by the names of C or of its program.
_WORDS = {
    "STK_NO_LABEL": "-1",
    "stk_budget_save": "AlphaBudget.save",
    "NULL keeps": "None keeps",
    "--input NAME": 'input="NAME"',
    "--constant NAME=VALUE": 'constants={"NAME": VALUE}',
}
_Error = ctypes.POINTER(_abi.stk_error)


def attempt(function: Callable[..., int], *arguments: Any) -> tuple[int, Any]:
    """Calls `function(*arguments, &error)`: its status, and the error, which is for `error_of`."""
    error = _Error()
    return function(*arguments, ctypes.byref(error)), error


def error_of(status: int, error: Any, partial: Partial | None = None) -> SmoothTopKError:
    """The exception for a call that failed; frees the library's error."""
    message, field = text(lib.stk_error_message(error)), text(lib.stk_error_field(error))
    lib.stk_error_free(error)
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    return BY_STATUS.get(status, InternalError)(message or status_name(status), field or None, partial)


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Calls `function(*arguments, &error)`; raises what it failed with."""
    status, error = attempt(function, *arguments)
    if status != _abi.STK_STATUS_OK:
        raise error_of(status, error)


H = TypeVar("H", bound="Handle")


class Handle:
    """Owns what the library gives through an out-pointer, and frees it once: at the end of a `with`, or with itself.

    The pointer is stored by the library itself, so an exception between two lines of Python (Ctrl-C) leaks nothing.
    What is short-lived should be in a `with`: Ctrl-C in a destructor is lost.
    """

    __slots__ = ("__weakref__", "_free", "_pid", "pointer")

    def __init__(self, kind: type[ctypes.Structure], free: Callable[[Any], None]) -> None:
        self.pointer: Any = ctypes.POINTER(kind)()
        self._free = free
        self._pid = os.getpid()

    def out(self) -> Any:
        """For the out-parameter of the call that makes the thing."""
        return ctypes.byref(self.pointer)

    def is_ours(self) -> bool:
        """False in a child of the process that made this."""
        return os.getpid() == self._pid

    def check_process(self) -> None:
        """Raises ForkedError in a child of the process that made this."""
        if not self.is_ours():
            raise ForkedError(
                "made before this process forked, and cannot be used in the child: make it there, or start processes "
                'with multiprocessing.set_start_method("spawn")'
            )

    def free(self) -> None:
        """Frees it now; more than once is nothing."""
        pointer, self.pointer = self.pointer, None
        # A child of a fork has none of the library's threads: waiting for them would never end.
        if pointer and self.is_ours():
            self._free(pointer)

    def __enter__(self: H) -> H:
        return self

    def __exit__(self, *_: object) -> None:
        self.free()

    def __del__(self) -> None:
        self.free()


def version() -> str:
    """Version of the library, such as "0.1.0"."""
    return text(lib.stk_version())


def build_info() -> str:
    """One line on how the library was built: version, target, profile, compiler, features."""
    return text(lib.stk_build_info())
