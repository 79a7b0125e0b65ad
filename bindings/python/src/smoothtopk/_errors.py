"""Exceptions: one for each status of the library, each also the builtin that it is a kind of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from . import _abi
from ._partial import Partial


class SmoothTopKError(Exception):
    """Base of all errors of smoothtopk.

    Attributes:
        status: the library's name for the kind of error, such as "INVALID_ARGUMENT".
        field: the argument or option that was wrong, or None when no one of them is to blame.
        message: what was wrong and what to do, without the field.
        partial: where a run was cut short, what it would have returned with the counts so far: answers that were
            finished stand; the others have their own `status`, no certificate and no prediction. Otherwise None.
    """

    status = "UNKNOWN"

    def __init__(self, message: str, field: str | None = None, partial: Partial | None = None) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.message = message
        self.field = field
        self.partial = partial

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.field, self.partial)


class InvalidArgumentError(SmoothTopKError, ValueError):
    """An argument is outside its range, or arguments contradict each other."""

    status = "INVALID_ARGUMENT"


class InvalidDataError(SmoothTopKError, ValueError):
    """Inputs, labels or counts are malformed or do not fit."""

    status = "INVALID_DATA"


class NotFoundError(SmoothTopKError, FileNotFoundError):
    """A file or a named thing does not exist."""

    status = "NOT_FOUND"


class ReadError(SmoothTopKError, OSError):
    """Reading failed."""

    status = "IO"


class ModelError(SmoothTopKError, ValueError):
    """The model cannot be loaded, or is not a classifier that can be smoothed."""

    status = "MODEL"


class OnnxRuntimeError(SmoothTopKError, RuntimeError):
    """ONNX Runtime could not be loaded."""

    status = "RUNTIME"


class ProviderError(SmoothTopKError, RuntimeError):
    """The execution provider asked for cannot be used."""

    status = "PROVIDER"


class RunError(SmoothTopKError, RuntimeError):
    """A run of the model failed."""

    status = "RUN"


class CancelledError(SmoothTopKError, RuntimeError):
    """The run was cancelled: by its `Cancel` token, or because its model was closed."""

    status = "CANCELLED"


class DeadlineExceededError(SmoothTopKError, TimeoutError):
    """The run's `timeout` passed."""

    status = "DEADLINE_EXCEEDED"


class InternalError(SmoothTopKError, RuntimeError):
    """A defect of the library."""

    status = "INTERNAL"


class PanicError(InternalError):
    """A defect of the library: a call panicked, and what it was called on cannot be used again."""

    status = "PANIC"


class PoisonedError(InternalError):
    """This was used by a call that panicked, and cannot be used again."""

    status = "POISONED"


class BusyError(SmoothTopKError, RuntimeError):
    """As many jobs, or bytes of inputs, are under way as `max_jobs` and `max_input_bytes` allow: ask again later."""

    status = "BUSY"


class ForkedError(SmoothTopKError, RuntimeError):
    """The process forked after this was made: the child has none of the library's threads and cannot use it."""

    status = "FORKED"


_CLASSES: tuple[type[SmoothTopKError], ...] = (
    InvalidArgumentError,
    InvalidDataError,
    NotFoundError,
    ReadError,
    ModelError,
    OnnxRuntimeError,
    ProviderError,
    RunError,
    CancelledError,
    DeadlineExceededError,
    InternalError,
    PanicError,
    PoisonedError,
    BusyError,
    ForkedError,
)
BY_STATUS: dict[int, type[SmoothTopKError]] = {getattr(_abi, f"STK_STATUS_{each.status}"): each for each in _CLASSES}


@contextmanager
def fields_called(names: Mapping[str, str]) -> Iterator[None]:
    """Errors about a field of the library that is a key here are about the argument that is its value."""
    try:
        yield
    except SmoothTopKError as error:
        if error.field is None or error.field not in names:
            raise
        raise type(error)(error.message, names[error.field], error.partial) from None


def noise_fields(sigma: object) -> AbstractContextManager[None]:
    """Errors about the noise are about the argument that gave it: sigma, or noise where that is None."""
    return fields_called({"noise": "sigma"} if sigma is not None else {"sigma": "noise", "lambda": "noise"})
