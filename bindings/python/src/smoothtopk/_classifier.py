"""The smoothed classifier."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, SupportsFloat, SupportsIndex, TypeVar

import numpy as np
import numpy.typing as npt

from . import _abi, _answers, _convert, _counts, _jobs
from ._answers import Certificate, Certificates, Prediction, Predictions
from ._convert import Bound
from ._counts import Counts
from ._errors import InvalidArgumentError
from ._jobs import Cancel
from ._library import Handle, attempt, call, error_of, lib, text
from ._model import Model, ModelHandle, closed_error, model_options, open_model
from ._progress import Progress, Reporter

T = TypeVar("T")
Float32 = npt.NDArray[np.float32]


class SmoothedClassifier:
    """The smoothed classifier g of a base classifier f: what f most often says of x plus Gaussian noise.

    Opening reads the model once and, where `batch` is None, measures which batch is fastest here. Methods may be called
    from any number of threads at once, whose rows share batches; the GIL is released while they run. Use it in a `with`
    block, or `close` it. It does not survive a fork: in the child every method raises ForkedError (use the "spawn"
    start method).

    Args:
        model: path of an ONNX file, its bytes, or an `onnx.ModelProto` (with its weights inside; a model with external
            data needs its path).
        sigma: standard deviation of the noise, above 0, on the scale of x before `mean` and `std`: for pixels in [0, 1]
            the field's values are 0.12, 0.25, 0.5 and 1.0.
        provider: ONNX Runtime's execution provider: "cpu", "cuda", "cuda:1", "tensorrt", or any by its name. One that
            cannot be used is an error that says what is missing.
        batch: rows per run of the model, at least 1; None measures it.
        threads: threads that run the model; None takes one per usable core on the CPU, one elsewhere.
        mean, std: the model gets (x + noise - mean) / std: one number, or one for each channel. None: 0, and 1.
        input_max: the largest |x| there will be, at least 0; more is refused. x and noise are rounded to the finest
            grid on which their sums are exact up to it. It is part of g: use the same for every input.
        input, output: names of the classified input and of the scores, where the model leaves a choice.
        input_shape: shape of one input, without the batch, where the model leaves it open.
        classes: number of labels, where the model does not say it.
        threshold: of a model with one score a row: label 1 above it.
        constants: values of the model's other inputs, by name.
        provider_options: settings of the provider, by ONNX Runtime's keys.
        provider_library: path of a plugin provider's library.
        memory_limit: bytes of device memory to use at most; None for no limit.

    Raises:
        NotFoundError, ModelError: no such file; not a classifier that can be smoothed, with the remedy.
        OnnxRuntimeError, ProviderError: ONNX Runtime or the provider cannot be used, with what is missing.
        InvalidArgumentError: an option is out of range, with the field.
    """

    def __init__(
        self,
        model: Model,
        sigma: SupportsFloat,
        *,
        provider: str = "cpu",
        batch: SupportsIndex | None = None,
        threads: SupportsIndex | None = None,
        mean: npt.ArrayLike | None = None,
        std: npt.ArrayLike | None = None,
        input_max: SupportsFloat = 1.0,
        input: str | None = None,
        output: str | None = None,
        input_shape: Sequence[SupportsIndex] | None = None,
        classes: SupportsIndex | None = None,
        threshold: SupportsFloat | None = None,
        constants: Mapping[str, npt.ArrayLike] | None = None,
        provider_options: Mapping[str, str] | None = None,
        provider_library: str | os.PathLike[str] | None = None,
        memory_limit: SupportsIndex | None = None,
    ) -> None:
        self._model: ModelHandle | None = None
        self._sigma = _convert.real("sigma", sigma)
        self._input_max = _convert.real("input_max", input_max)
        # Wrong values are told before the model is read.
        with self._request():
            pass
        options = model_options(
            provider=provider,
            batch=batch,
            threads=threads,
            mean=mean,
            std=std,
            input=input,
            output=output,
            input_shape=input_shape,
            classes=classes,
            threshold=threshold,
            constants=constants,
            provider_options=provider_options,
            provider_library=provider_library,
            memory_limit=memory_limit,
        )
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
        self._sha256 = text(lib.stk_model_sha256(opened))
        self._signature = text(lib.stk_model_signature_json(opened))

    # What it is.

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise, on the input's own scale."""
        return self._sigma

    @property
    def input_max(self) -> float:
        """The largest |x| that the noise's grid carries exactly."""
        return self._input_max

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
    def sha256(self) -> str:
        """SHA-256 of the model, in hexadecimal."""
        return self._sha256

    @property
    def signature(self) -> dict[str, Any]:
        """The model's inputs and outputs, which scores are used, and why."""
        signature: dict[str, Any] = json.loads(self._signature)
        return signature

    # What it answers.

    def certify(
        self,
        x: npt.ArrayLike,
        k: SupportsIndex | Sequence[SupportsIndex] = 1,
        n: SupportsIndex = 100_000,
        *,
        n0: SupportsIndex = 100,
        alpha: SupportsFloat = 0.001,
        label: SupportsIndex | Sequence[SupportsIndex] | npt.NDArray[np.integer[Any]] | None = None,
        bound: Bound = "ranked",
        seed: SupportsIndex | None = None,
        key: SupportsIndex = 0,
        timeout: float | None = None,
        progress: Progress = None,
        cancel: Cancel | None = None,
    ) -> Certificate | Certificates:
        """The l2 radius within which a label stays among the top k of g.

        Ctrl-C cancels the run and raises KeyboardInterrupt.

        Args:
            x: one input, of `element_shape`, or several, [N, *element_shape]; real numbers on sigma's scale. A
                C-contiguous float32 array is not copied on its way to the library; others are, once.
            k: the k of top-k, from 1 to classes - 1, or several: each gets a certificate at alpha, from the same rows.
            n: noisy rows that certify each input, from 1.
            n0: noisy rows of their own that choose its label, from 1; none are drawn where `label` is given.
            alpha: probability, between 0 and 1, that a certificate is false.
            label: the label to certify, or one for each input (-1: chosen as follows), fixed without looking at these
                rows. None: the label most frequent among the n0 rows.
            bound: how label probabilities are bounded: "ranked", or the paper's "simuem" or "binocp".
            seed: of the noise, from 0 to 2^64 - 1; None takes one from the operating system. It is in the certificate.
            key: of the first input's noise, from 0; input i has key + i. Two inputs with the same seed and key get the
                same noise: give the parts of a data set keys that do not overlap.
            timeout: seconds, above 0; None for no limit.
            progress: True for a tqdm bar; a tqdm bar (or its class); or a function of (rows_done, rows_total), called
                in this thread a few times a second. What it raises cancels the run and comes out.
            cancel: a token by which another thread cancels.

        Returns:
            A `Certificate` for one input and one k; else `Certificates` of shape [N], [K] or [N, K].

        Raises:
            InvalidArgumentError, InvalidDataError: with the field.
            DeadlineExceededError, CancelledError, RunError: with what was drawn so far, in `partial`.
        """
        array, shape, request = self._prepare(x, k, n, alpha, seed, key, timeout, cancel, n0=n0, bound=bound)
        with request:
            labels = _convert.labels(label, len(array))
            if not len(array):
                return Certificates((), shape)
            pointer = None if labels is None else labels.ctypes.data_as(ctypes.POINTER(ctypes.c_int64))
            arguments = (request.pointer, _pointer(array), len(array), pointer)
            return self._run(
                lib.stk_model_submit_certify, arguments, progress, lambda r: _answers.read_certificates(r, shape)
            )

    def predict(
        self,
        x: npt.ArrayLike,
        k: SupportsIndex | Sequence[SupportsIndex] = 1,
        n: SupportsIndex = 100_000,
        *,
        alpha: SupportsFloat = 0.001,
        seed: SupportsIndex | None = None,
        key: SupportsIndex = 0,
        timeout: float | None = None,
        progress: Progress = None,
        cancel: Cancel | None = None,
    ) -> Prediction | Predictions:
        """The k labels that g ranks highest, or none: it abstains where n rows do not settle them.

        Args, Ctrl-C and errors are those of `certify`; alpha is the probability that returned labels are wrong.

        Returns:
            A `Prediction` for one input and one k; else `Predictions` of shape [N], [K] or [N, K].
        """
        array, shape, request = self._prepare(x, k, n, alpha, seed, key, timeout, cancel)
        with request:
            if not len(array):
                return Predictions((), shape)
            arguments = (request.pointer, _pointer(array), len(array))
            return self._run(
                lib.stk_model_submit_predict, arguments, progress, lambda r: _answers.read_predictions(r, shape)
            )

    def sample(
        self,
        x: npt.ArrayLike,
        n: SupportsIndex,
        *,
        first: SupportsIndex = 0,
        seed: SupportsIndex | None = None,
        key: SupportsIndex = 0,
        timeout: float | None = None,
        progress: Progress = None,
        cancel: Cancel | None = None,
    ) -> Counts:
        """Counts of samples first .. first + n of one input's noise, the noise that `certify` and `predict` draw.

        Counts of disjoint ranges with one seed and key add, in any order and from any machine.

        Args:
            x: one input, of `element_shape`.
            n: rows to draw, from 1.
            first: the first sample, from 0.
            seed, key, timeout, progress: as for `certify`.
            cancel: as for `certify`; Ctrl-C and `close` set it too.

        Raises:
            As `certify`; `partial` is a `Counts`.
        """
        array, single = _convert.inputs(x, self._shape, self._input_max)
        if not single:
            raise InvalidArgumentError("must be one input: sample takes no batch", "x")
        # One seed for all ranges: were it the library's, the caller could not know it.
        seed = secrets.randbits(64) if seed is None else _convert.uint("seed", seed)
        key, first, rows = _convert.uint("key", key), _convert.uint("first", first), _convert.uint("n", n)
        reporter, done = Reporter(progress), 0
        cancel = Cancel() if cancel is None else cancel
        request = self._request(seed=seed, key=key, timeout_ms=_convert.milliseconds(timeout), cancel=cancel)

        def count(_user: object, rows_done: int, _rows_total: int) -> None:
            nonlocal done
            done = rows_done

        callback = _abi.stk_progress_callback(count)
        # A bar of tqdm has no truth value before it has a total.
        told = progress is not None and progress is not False
        if told:
            call(lib.stk_request_set_progress, request.pointer, callback, None)
        out = Handle(_abi.stk_counts, lib.stk_counts_free)
        arguments = (request.pointer, _pointer(array), first, rows, out.out())

        def draw() -> Counts:
            # Named here so that they live for as long as the native call may use them.
            _alive = array, request, callback
            model = self._open_model()
            with model.busy(cancel):
                return _finish(lib.stk_model_sample, (model.pointer, *arguments), out, read)

        def read(handle: Handle) -> Counts:
            counts, drawn = _counts._read(handle)
            return Counts(counts, drawn, seed, key)

        try:
            return _jobs.in_thread(draw, cancel.set, (lambda: reporter.report(done, rows)) if told else None)
        finally:
            reporter.close()

    # How it ends.

    def close(self) -> None:
        """Frees the model. Runs that other threads have under way are cancelled. More than once is nothing."""
        model, self._model = self._model, None
        if model is not None and model.is_ours():
            model.close()

    def __enter__(self) -> SmoothedClassifier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise TypeError("a SmoothedClassifier cannot be pickled or copied: open the model in each process")

    def __repr__(self) -> str:
        state = "closed" if self._model is None else f"classes={self.classes}, element_shape={list(self._shape)}"
        return f"<SmoothedClassifier sigma={self._sigma:g}, {state}>"

    # Inside.

    def _open_model(self) -> ModelHandle:
        model = self._model
        if model is None:
            raise closed_error()
        model.check_process()
        return model

    def _request(self, **values: Any) -> Handle:
        """A request with the setters of these names called; sigma and input_max are always set."""
        request = Handle(_abi.stk_request, lib.stk_request_free)
        call(lib.stk_request_new, self._sigma, request.out())
        for name, value in {"input_max": self._input_max, **values}.items():
            if isinstance(value, list):
                setter: tuple[Any, ...] = ((ctypes.c_size_t * len(value))(*value), len(value))
            else:
                setter = (value._handle.pointer if isinstance(value, Cancel) else value,)
            call(getattr(lib, f"stk_request_set_{name}"), request.pointer, *setter)
        return request

    def _prepare(
        self,
        x: npt.ArrayLike,
        k: SupportsIndex | Sequence[SupportsIndex],
        n: SupportsIndex,
        alpha: SupportsFloat,
        seed: SupportsIndex | None,
        key: SupportsIndex,
        timeout: float | None,
        cancel: Cancel | None,
        *,
        n0: SupportsIndex | None = None,
        bound: Bound | None = None,
    ) -> tuple[Float32, tuple[int, ...], Handle]:
        """The inputs [N, *element_shape], the shape of the answers, and the request."""
        self._open_model()
        ks, single_k = _convert.ks(k)
        values: dict[str, Any] = {
            "k": ks,
            "n": _convert.uint("n", n),
            "alpha": _convert.real("alpha", alpha),
            "key": _convert.uint("key", key),
            "timeout_ms": _convert.milliseconds(timeout),
        }
        if seed is not None:
            values["seed"] = _convert.uint("seed", seed)
        if n0 is not None:
            values["n0"] = _convert.uint("n0", n0)
        if bound is not None:
            values["bound"] = _convert.bound(bound)
        if cancel is not None:
            values["cancel"] = cancel
        request = self._request(**values)
        array, single = _convert.inputs(x, self._shape, self._input_max)
        shape = (() if single else (len(array),)) + (() if single_k else (len(ks),))
        return array, shape, request

    def _run(
        self, submit: Callable[..., int], arguments: tuple[Any, ...], progress: Progress, read: Callable[[Handle], T]
    ) -> T:
        reporter = Reporter(progress)
        job = Handle(_abi.stk_job, lib.stk_job_free)
        result = Handle(_abi.stk_result, lib.stk_result_free)
        try:
            self._submit(submit, arguments, job)
            _jobs.wait(job, reporter)
            return _finish(lib.stk_job_result, (job.pointer, result.out()), result, read)
        finally:
            # Cancels what an exception has left unfinished.
            job.free()
            reporter.close()

    def _submit(self, submit: Callable[..., int], arguments: tuple[Any, ...], job: Handle) -> None:
        """Starts a job, which then stands by itself: the model may be closed, which cancels it."""
        model = self._open_model()
        with model.busy():
            call(submit, model.pointer, *arguments, _abi.stk_done_callback(), None, job.out())


def _finish(function: Callable[..., int], arguments: tuple[Any, ...], out: Handle, read: Callable[[Handle], T]) -> T:
    """Calls what ends a run, and reads what it gives; a run that was cut short gives that as the error's `partial`."""
    status, error = attempt(function, *arguments)
    if status == _abi.STK_STATUS_OK:
        return read(out)
    partial: Any = read(out) if out.pointer else None
    raise error_of(status, error, partial)


def _pointer(array: Float32) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
