"""Runs that are submitted: their answers are read as they come, waited for, or awaited."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import itertools
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

from . import _abi
from ._arrays import Layout
from ._counts_base import counts_handle
from ._errors import SmoothTopKError
from ._jobs import SLICE_MS
from ._library import Handle, call, lib
from ._opened import Opened, Question, finish
from ._statements import Counts

# Jobs that have not ended, by the number that the library passes to its callback. The callback takes them out.
_waiting: dict[int, Ended] = {}
_numbers = itertools.count(1)


@_abi.stk_done_callback  # type: ignore[untyped-decorator]
def _done(number: int, _job: Any) -> None:
    """Called once for each job, on a thread of the library's."""
    ended = _waiting.pop(number, None)
    if ended is not None:
        ended.tell()


class Ended:
    """Whether a job has ended, and who wants to know."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done = False
        self._hooks: list[Callable[[], object]] = []

    def tell(self) -> None:
        """It has."""
        with self._lock:
            self._done = True
            hooks, self._hooks = self._hooks, []
        for hook in hooks:
            hook()

    def then(self, hook: Callable[[], object]) -> None:
        """Calls this at the end, at once where that was."""
        with self._lock:
            if not self._done:
                self._hooks.append(hook)
                return
        hook()


class Job:
    """A run that goes on by itself: `SmoothedClassifier.submit_certify` and its likes give it.

        job = g.submit_certify(images, k=3)
        for index, answer in job.as_completed():  # each input's answer as soon as it is there
            ...
        answers = await job  # or job.result(): what `certify` returns

    Methods may be called from any thread. A job that nobody holds any more is cancelled, as are those of a classifier
    that is closed.
    """

    def __init__(self, classifier: Opened, question: Question) -> None:
        self._question, self._model = question, classifier._open_model()
        self._handle = Handle(_abi.stk_job, lib.stk_job_free)
        self._ended = Ended()
        self._lock = threading.Lock()
        self._outcome: tuple[Any, SmoothTopKError | None] | None = None
        if not len(question.rows):
            self._outcome = question.kind((), question.layout), None
            self._ended.tell()
            return
        number = next(_numbers)
        _waiting[number] = self._ended
        try:
            classifier._submit(question, self._handle, _done, number)
        except SmoothTopKError:
            # Nothing was started, so that nothing will be told.
            _waiting.pop(number, None)
            raise

    def __len__(self) -> int:
        """Inputs."""
        return len(self._question.rows)

    def done(self) -> bool:
        """Whether all of it has ended, however that came."""
        return self._outcome is not None or bool(lib.stk_job_is_done(self._handle.pointer))

    @property
    def samples_done(self) -> int:
        """Samples drawn so far."""
        return int(lib.stk_job_samples_done(self._handle.pointer)) if len(self) else 0

    @property
    def samples_total(self) -> int:
        """Samples that there will be; under a rule the most that there may be."""
        return int(lib.stk_job_samples_total(self._handle.pointer)) if len(self) else 0

    def cancel(self) -> None:
        """Ends it: inputs that are finished keep their answers. After its end it does nothing."""
        lib.stk_job_cancel(self._handle.pointer)

    def result(self, timeout: float | None = None) -> Any:
        """What the call without `submit_` returns, or raises. Waits for at most `timeout` seconds.

        Raises:
            TimeoutError: the time is over, and the job goes on.
        """
        self._wait(timeout)
        with self._lock:
            if self._outcome is None:
                self._outcome = self._taken()
            found, error = self._outcome
        if error is not None:
            raise error
        return found

    def item(self, index: int) -> Any:
        """One input's answer as soon as it has ended, while others may be under way; None before.

        That of an input without an answer (its samples failed, or were cut short by a cancel or a deadline) has its
        own `status` in the place of "OK", and certifies and predicts nothing.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"there is no input {index}: there are {len(self)}")
        with self._lock:
            if self._outcome is not None:
                found, error = self._outcome
                answers: Any = found if error is None else error.partial
                return answers if self._question.layout.single or answers is None else answers[index]
            result = Handle(_abi.stk_result, lib.stk_result_free)
            try:
                return finish(
                    lib.stk_job_item_result,
                    (self._handle.pointer, index, result.out()),
                    result,
                    self._read,
                    self._model,
                )
            except SmoothTopKError as error:
                if error.partial is None:
                    raise
                return error.partial

    def counts(self, index: int) -> Counts:
        """Samples of one input so far. They are cut short: they tell how far it is, and certify nothing.

        Raises:
            InvalidArgumentError: there is no such input, or `result` has been taken.
        """
        handle = counts_handle()
        call(lib.stk_job_item_counts, self._handle.pointer, index, handle.out())
        return Counts(handle)

    def as_completed(self) -> Iterator[tuple[int, Any]]:
        """Each input's index and answer, as `item` has it, in the order in which they end."""
        pending = list(range(len(self)))
        while pending:
            ended = [index for index in pending if self._has_ended(index)]
            for index in ended:
                yield index, self.item(index)
            done = set(ended)
            pending = [index for index in pending if index not in done]
            if pending and not ended:
                # Short, so that Ctrl-C is seen and the next one is not late.
                with contextlib.suppress(TimeoutError):
                    self._wait(0.005)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._awaited().__await__()

    async def _awaited(self) -> Any:
        loop = asyncio.get_running_loop()
        ended = loop.create_future()

        def tell() -> None:
            if not ended.done():
                ended.set_result(None)

        def hook() -> None:
            # A loop that is closed waits for nothing.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(tell)

        self._ended.then(hook)
        try:
            await ended
        except asyncio.CancelledError:
            self.cancel()
            raise
        return self.result()

    def __repr__(self) -> str:
        return f"<Job of {len(self)} inputs, {'done' if self.done() else 'running'}>"

    # Inside.

    def _has_ended(self, index: int) -> bool:
        return self._outcome is not None or bool(lib.stk_job_item_is_done(self._handle.pointer, index))

    def _wait(self, timeout: float | None) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        done = ctypes.c_bool(self.done())
        while not done.value:
            left = SLICE_MS if end is None else min(SLICE_MS, max(int((end - time.monotonic()) * 1000), 0))
            call(lib.stk_job_wait, self._handle.pointer, left, ctypes.byref(done))
            if not done.value and end is not None and time.monotonic() >= end:
                raise TimeoutError("the job has not ended, and goes on")

    def _taken(self) -> tuple[Any, SmoothTopKError | None]:
        result = Handle(_abi.stk_result, lib.stk_result_free)
        taken = (self._handle.pointer, result.out())
        read = lambda result: self._question.read(result, self._question.layout)  # noqa: E731
        try:
            return finish(lib.stk_job_result, taken, result, read, self._model), None
        except SmoothTopKError as error:
            return None, error

    def _read(self, result: Handle) -> Any:
        """One input's result; None where it has not ended."""
        if not result.pointer:
            return None
        layout = self._question.layout
        shape = layout.shape if layout.single else layout.shape[1:]
        return self._question.read(result, Layout(shape, layout.classes, layout.largest_k, single=True))
