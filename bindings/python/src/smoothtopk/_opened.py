"""An open model with its noise: what it is, running tasks on it, and how it ends."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Sequence
from collections.abc import Generator as Iteration
from types import TracebackType
from typing import Any, NamedTuple, SupportsFloat, SupportsIndex, TypeVar

import numpy as np
import numpy.typing as npt

from . import _abi, _convert, _jobs, _request
from ._arrays import Answers, Layout
from ._convert import Generator
from ._errors import InvalidArgumentError, SmoothTopKError, fields_called
from ._function import Function
from ._inputs import DTYPES, Inputs, Rows, inputs
from ._jobs import Cancel
from ._library import Handle, attempt, call, error_of, lib, text
from ._model import Model, ModelHandle, closed_error, open_model
from ._progress import Progress, Reporter
from ._same_noise import SameNoise
from ._stats import Stats, read_stats

T = TypeVar("T")
S = TypeVar("S", bound="Opened")
# The arguments of runs.
_RUN = {"input": "x", "inputs": "x", "labels": "label", "samples": "n"}


class Question(NamedTuple):
    """What is asked about inputs."""

    task: int
    rows: Rows
    labels: npt.NDArray[np.int64] | None
    request: Handle
    layout: Layout
    kind: type[Answers[Any]]
    read: Callable[[Handle, Layout], Any]


class Opened:
    """What a `SmoothedClassifier` has beside what it answers."""

    # Of one that was never opened, for `close`.
    _model: ModelHandle | None = None

    def __init__(self, model: Model | Function, noise: _request.Noise, options: Handle) -> None:
        self._noise = noise
        self._same_noise = SameNoise()
        # Ctrl-C while it is read and measured: the thread frees what it opens.
        self._model = _jobs.in_thread(lambda: open_model(model, options), stop=None)
        opened = self._model.pointer
        dims, length = ctypes.POINTER(ctypes.c_size_t)(), ctypes.c_size_t()
        call(lib.stk_model_shape, opened, ctypes.byref(dims), ctypes.byref(length))
        self._shape = tuple(dims[: length.value])
        self._classes = int(lib.stk_model_classes(opened))
        self._batch = int(lib.stk_model_batch(opened))
        self._threads = int(lib.stk_model_threads(opened))
        self._provider = text(lib.stk_model_provider(opened))
        self._arithmetic = text(lib.stk_model_arithmetic(opened))
        self._fallback = text(reason) if (reason := lib.stk_model_fallback(opened)) is not None else None
        self._sha256 = text(lib.stk_model_sha256(opened))
        self._signature = text(lib.stk_model_signature_json(opened))

    # What it is.

    @property
    def sigma(self) -> float | None:
        """Standard deviation of the noise, in the units of the input; None where `noise` was given."""
        return self._noise.sigma

    @property
    def noise(self) -> str:
        """The noise with its parameter: "gaussian:0.25", "uniform:0.5"."""
        return self._noise.family.decode()

    @property
    def input_max(self) -> float:
        """The largest |x| that the noise's grid carries exactly."""
        return self._noise.input_max

    @property
    def exact_levels(self) -> int | None:
        """Points a unit of the grid of exact noise; None where the noise is not exact."""
        return self._noise.levels or None

    @property
    def generator(self) -> Generator:
        """What draws the noise where a call does not say."""
        return self._noise.generator

    @property
    def element_shape(self) -> tuple[int, ...]:
        """Shape of one input, without the batch."""
        return self._shape

    @property
    def classes(self) -> int:
        """Number of labels."""
        return self._classes

    @property
    def batch(self) -> int:
        """Rows per run of the model."""
        return self._batch

    @property
    def threads(self) -> int:
        """Threads that run the model."""
        return self._threads

    @property
    def provider(self) -> str:
        """The execution provider in use."""
        return self._provider

    @property
    def arithmetic(self) -> str:
        """In what float32 is computed: "float32" or "tf32", with "+float16" or "+bfloat16" where TensorRT may; "the
        provider's" of one chosen by its name. The provider_options follow, for any may change it."""
        return self._arithmetic

    @property
    def fallback(self) -> str | None:
        """Why the model runs on the processor and not by the provider asked for; None where that runs it."""
        return self._fallback

    @property
    def sha256(self) -> str:
        """SHA-256 of the model, in hexadecimal; "" of a function, of which no file was hashed."""
        return self._sha256

    @property
    def signature(self) -> dict[str, Any]:
        """The model's inputs and outputs, which scores are used, and why."""
        signature: dict[str, Any] = json.loads(self._signature)
        return signature

    def stats(self) -> Stats:
        """What it has done since it was opened, and has under way: cheap enough to be polled many times a second."""
        model = self._open_model()
        with model.busy():
            return read_stats(model.pointer)

    # How it ends.

    def close(self) -> None:
        """Frees the model. Runs that other threads have under way are cancelled. More than once is nothing."""
        model = self._model
        if model is not None and model.is_ours():
            model.close()
        self._model = None

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} cannot be pickled or copied: open the model in each process")

    def __repr__(self) -> str:
        state = "closed" if self._model is None else f"classes={self.classes}, element_shape={list(self._shape)}"
        return f"<{type(self).__name__} noise={self.noise}, {state}>"

    # Inside.

    def _open_model(self) -> ModelHandle:
        model = self._model
        if model is None:
            raise closed_error()
        model.check_process()
        return model

    def _prepare(
        self,
        x: Inputs,
        k: SupportsIndex | Sequence[SupportsIndex],
        n: SupportsIndex,
        alpha: SupportsFloat,
        stream: SupportsIndex,
        timeout: float | None,
        cancel: Cancel | None,
        more: dict[str, Any],
    ) -> tuple[Rows, Layout, Handle]:
        """The inputs [N, *element_shape], how the answers lie, and the request; `more` are setters to call."""
        self._open_model()
        ks, single_k = _convert.ks(k)
        values = _request.asked(ks, n, alpha, stream, timeout, cancel)
        request = self._noise.request(**values, **more)
        array, single = inputs(x, self._shape, self._noise.input_max)
        shape = (() if single else (len(array),)) + (() if single_k else (len(ks),))
        return array, Layout(shape, self._classes, max(ks, default=0), single), request

    def _run(self, question: Question, progress: Progress) -> Any:
        if not len(question.rows):
            return question.kind((), question.layout)
        reporter, model = Reporter(progress), self._open_model()
        job = Handle(_abi.stk_job, lib.stk_job_free)
        result = Handle(_abi.stk_result, lib.stk_result_free)

        def take() -> Any:
            read = lambda taken: question.read(taken, question.layout)  # noqa: E731
            return finish(lib.stk_job_result, (job.pointer, result.out()), result, read, model)

        try:
            with _jobs.keeping_partial(lambda: self._cut_short(job, take)):
                self._submit(question, job)
                _jobs.wait(job, reporter)
                return take()
        finally:
            # Cancels what an exception has left unfinished.
            job.free()
            reporter.close()

    def _stream(self, question: Question) -> Iteration[Any, None, None]:
        """The interim answers about one input, and the final one."""
        if len(question.rows) != 1:
            raise InvalidArgumentError("must be one input: a stream takes no batch", "x")
        layout = question.layout

        def read(result: Handle) -> Any:
            return question.read(result, layout) if result.pointer else None

        def answers() -> Iteration[Any, None, None]:
            job, look, model = Handle(_abi.stk_job, lib.stk_job_free), ctypes.c_uint64(), self._open_model()
            try:
                self._submit(question, job)
                while look.value != _abi.STK_LOOK_FINAL:
                    result = Handle(_abi.stk_result, lib.stk_result_free)
                    # Never longer, so that Ctrl-C is seen.
                    asked = (job.pointer, 0, look.value, _jobs.SLICE_MS, result.out(), ctypes.byref(look))
                    if (found := finish(lib.stk_job_item_latest, asked, result, read, model)) is not None:
                        yield found
            finally:
                # Cancels what is left when the iteration ends.
                job.free()

        return answers()

    def _cut_short(self, job: Handle, take: Callable[[], Any]) -> Any:
        """Ends a job, and gives what it has finished: nothing where it was never started."""
        if not job.pointer:
            return None
        lib.stk_job_cancel(job.pointer)
        _jobs.wait(job, Reporter(None))
        try:
            return take()
        except SmoothTopKError as error:
            return error.partial

    def _submit(self, question: Question, job: Handle, done: Any = None, number: int | None = None) -> None:
        """Starts a job, which then stands by itself: the model may be closed, which cancels it. Its end is told to
        `done`, with the number."""
        model, labels = self._open_model(), question.labels
        asked = _abi.stk_call(
            struct_size=ctypes.sizeof(_abi.stk_call),
            task=question.task,
            dtype=DTYPES[question.rows.dtype.name],
            inputs=question.rows.ctypes.data,
            count=len(question.rows),
            labels=None if labels is None else labels.ctypes.data_as(ctypes.POINTER(ctypes.c_int64)),
            done_user=number,
            **({} if done is None else {"done": done}),
        )
        with model.busy(), fields_called(_RUN), question.request:
            call(lib.stk_model_submit, model.pointer, question.request.pointer, ctypes.byref(asked), job.out())


def finish(
    function: Callable[..., int],
    arguments: tuple[Any, ...],
    out: Handle,
    read: Callable[[Handle], T],
    model: ModelHandle,
) -> T:
    """Calls what ends a run, and reads what it gives; a run that was cut short gives that as the error's `partial`."""
    status, error = attempt(function, *arguments)
    if status == _abi.STK_STATUS_OK:
        return read(out)
    partial: Any = read(out) if out.pointer else None
    failure = error_of(status, error, partial)
    model.caused(failure)
    with fields_called(_RUN):
        raise failure
