"""Waiting for native work so that Ctrl-C is seen, progress is told and other threads run."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from . import _abi
from ._errors import SmoothTopKError
from ._library import Handle, call, lib
from ._partial import partial_of
from ._progress import Reporter

T = TypeVar("T")
# Python sees a signal only between two native calls, so none of those that wait lasts longer.
SLICE_MS = 50


class Cancel:
    """Cancels runs from another thread: give it to any number of them, then `set` it.

    A run that it stops raises CancelledError with the counts so far. It stays set. Safe to use from any thread.
    """

    def __init__(self) -> None:
        self._handle = Handle(_abi.stk_cancel, lib.stk_cancel_free)
        call(lib.stk_cancel_new, self._handle.out())

    def set(self) -> None:
        """Stops the runs that have this token, now and later."""
        lib.stk_cancel_set(self._handle.pointer)

    def is_set(self) -> bool:
        """Whether it was set."""
        return bool(lib.stk_cancel_is_set(self._handle.pointer))


@contextmanager
def keeping_partial(cut_short: Callable[[], object]) -> Iterator[None]:
    """What ends a run from outside, Ctrl-C or what `progress` raises, gets what was finished as its `partial`.

    The exception stays of its own type: only KeyboardInterrupt itself gives a program the exit status of Ctrl-C.
    """
    try:
        yield
    except SmoothTopKError:
        raise
    except BaseException as error:
        error.__dict__["partial"] = cut_short()
        raise


def wait(job: Handle, reporter: Reporter) -> None:
    """Waits for a job. On Ctrl-C, and when the reporter raises, that exception comes out and the job goes on."""
    done = ctypes.c_bool()
    while not done.value:
        call(lib.stk_job_wait, job.pointer, SLICE_MS, ctypes.byref(done))
        reporter.report(lib.stk_job_samples_done(job.pointer), lib.stk_job_samples_total(job.pointer))


def in_thread(function: Callable[[], T], stop: Callable[[], Any] | None, tick: Callable[[], Any] | None = None) -> T:
    """Runs a native call that blocks in a thread of its own, so that Ctrl-C is seen here meanwhile.

    On Ctrl-C, or when `tick` raises, `stop` is called and the call's end awaited, which gives the exception's
    `partial`. Without a `stop` the call is left to itself: what it makes is freed as soon as it returns.
    """
    if tick is None and threading.current_thread() is not threading.main_thread():
        return function()
    results: list[T] = []
    errors: list[BaseException] = []
    # Not the thread's own join: one that Ctrl-C interrupts may take a thread that runs for one that has ended.
    abandoned, finished = threading.Event(), threading.Event()

    def body() -> None:
        try:
            result = function()
            if not abandoned.is_set():
                results.append(result)
        except BaseException as error:
            errors.append(error)
        finally:
            finished.set()

    thread = threading.Thread(target=body, name="smoothtopk", daemon=True)

    def cut_short() -> object:
        if stop is None:
            abandoned.set()
            return None
        stop()
        # Without an identity it was never started.
        if thread.ident is not None:
            finished.wait()
        return results[0] if results else partial_of(errors[0]) if errors else None

    with keeping_partial(cut_short):
        thread.start()
        while not finished.wait(SLICE_MS / 1000):
            if tick is not None:
                tick()
        if not errors and tick is not None:
            tick()
    if errors:
        raise errors[0]
    return results[0]
