"""How the methods are called: for type checkers, and for those who come from other programs."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, SupportsFloat, SupportsIndex, TypedDict, TypeVar, Union

import numpy as np
import numpy.typing as npt

from ._convert import Generator
from ._jobs import Cancel
from ._progress import Progress

F = TypeVar("F", bound=Callable[..., Any])
# Several k.
Ks = Union[Sequence[SupportsIndex], npt.NDArray[np.integer[Any]]]


class StreamOptions(TypedDict, total=False):
    """What `SmoothedClassifier.predict_stream` takes by name, and every other question too."""

    alpha: SupportsFloat
    seed: SupportsIndex | None
    stream: SupportsIndex
    generator: Generator | None
    chacha12_key: bytes | None
    timeout: float | None
    cancel: Cancel | None


class AnswerStreamOptions(StreamOptions, total=False):
    """What `SmoothedClassifier.certify_answer_stream` takes by name."""

    n0: SupportsIndex


class CertifyStreamOptions(AnswerStreamOptions, total=False):
    """What `SmoothedClassifier.certify_stream` takes by name."""

    label: SupportsIndex | Sequence[SupportsIndex] | npt.NDArray[np.integer[Any]] | None
    allocation: str


class SubmitOptions(StreamOptions, total=False):
    """What `SmoothedClassifier.submit_predict` takes by name."""

    rule: str


class SubmitAnswerOptions(AnswerStreamOptions, SubmitOptions, total=False):
    """What `SmoothedClassifier.submit_certify_answer` takes by name."""


class SubmitCertifyOptions(CertifyStreamOptions, SubmitAnswerOptions, total=False):
    """What `SmoothedClassifier.submit_certify` takes by name."""

    randomized: bool


class PredictOptions(SubmitOptions, total=False):
    """What `SmoothedClassifier.predict` takes by name."""

    progress: Progress


class AnswerOptions(SubmitAnswerOptions, PredictOptions, total=False):
    """What `SmoothedClassifier.certify_answer` takes by name."""


class CertifyOptions(SubmitCertifyOptions, AnswerOptions, total=False):
    """What `SmoothedClassifier.certify` takes by name."""


def called(how: str) -> Callable[[F], F]:
    """Python's error about arguments that a method does not take says then what is meant, or how it is called."""

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return method(*arguments, **named)
            except TypeError as error:
                # One that comes out of the method has a frame of it.
                if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                    raise
                known = inspect.signature(method).parameters
                unknown = [name.lower() for name in named if name not in known]
                near = difflib.get_close_matches(unknown[0], known, 1) if unknown else []
                raise TypeError(f"{error}; {f'perhaps {near[0]} is meant' if near else how}") from None

        return call  # type: ignore[return-value]

    return decorate
