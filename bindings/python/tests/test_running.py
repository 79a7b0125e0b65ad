"""Threads, the GIL, Ctrl-C, timeouts, progress, forks, and ONNX Runtime: what happens while a run runs."""

from __future__ import annotations

import ctypes
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tqdm

from smoothtopk import (
    BusyError,
    Cancel,
    CancelledError,
    Certificate,
    Certificates,
    Counts,
    DeadlineExceededError,
    InvalidArgumentError,
    InvalidDataError,
    Prediction,
    SmoothedClassifier,
    SmoothTopKError,
    _abi,
    runtime_path,
    runtime_version,
)
from smoothtopk._library import Handle, call, lib

from conftest import ENDLESS, LIMIT, ROOT, clean_environment, model, rows

X = rows("linear")


class StopError(Exception):
    """Raised by a test."""


# Threads.


def test_threads_get_what_one_alone_gets(linear: SmoothedClassifier) -> None:
    def run(stream: int) -> list[int]:
        found = linear.certify(X[stream % len(X)], n=200, seed=1, stream=stream)
        assert isinstance(found, Certificate)
        return list(found.counts.labels)

    alone = [run(stream) for stream in range(64)]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(run, range(64))) == alone


def test_the_gil_is_released_while_it_waits(linear: SmoothedClassifier) -> None:
    # One native call waits for ever; only another thread of Python can end it.
    job, request = Handle(_abi.stk_job, lib.stk_job_free), linear._noise.request(n=ENDLESS)
    x = np.ascontiguousarray(X[0])
    pointer = x.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    opened = linear._open_model().pointer
    call(lib.stk_model_submit_predict, opened, request.pointer, pointer, 1, _abi.stk_done_callback(), None, job.out())
    done = ctypes.c_bool()
    timer = threading.Timer(0.1, lambda: lib.stk_job_cancel(job.pointer))
    timer.start()
    call(lib.stk_job_wait, job.pointer, 2**64 - 1, ctypes.byref(done))
    timer.join()
    assert done.value


def test_another_thread_runs_meanwhile(linear: SmoothedClassifier) -> None:
    cancel, turns = Cancel(), 0

    def work() -> None:
        nonlocal turns
        for _ in range(10_000):
            turns += 1
        cancel.set()

    thread = threading.Thread(target=work)
    with pytest.raises(CancelledError):
        thread.start()
        linear.certify(X[0], n=ENDLESS, cancel=cancel)
    thread.join()
    assert turns == 10_000 and cancel.is_set()


def test_closing_cancels_what_other_threads_run() -> None:
    g = SmoothedClassifier(model("linear"), 0.5, batch=16)
    handle = g._open_model()
    started = threading.Barrier(4)
    caught: list[SmoothTopKError] = []

    def run(method: Any, *arguments: Any, **options: Any) -> None:
        first = True

        def progress(_done: int, _total: int) -> None:
            nonlocal first
            if first:
                first = False
                started.wait(LIMIT)

        try:
            method(X[0], *arguments, progress=progress, **options)
        except SmoothTopKError as error:
            caught.append(error)

    tasks = ((g.certify, {"n": ENDLESS}), (g.predict, {"n": ENDLESS}), (g.sample, {"n": ENDLESS}))
    threads = [threading.Thread(target=run, args=(method,), kwargs=options) for method, options in tasks]
    for thread in threads:
        thread.start()
    started.wait(LIMIT)
    while not handle.is_busy():
        pass
    g.close()
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()
    assert [type(error) for error in caught] == [CancelledError] * 3
    # Freed, though the exceptions are kept.
    assert handle.pointer is None


# Ends before the end.


def test_a_timeout_gives_the_counts_so_far(linear: SmoothedClassifier) -> None:
    with pytest.raises(DeadlineExceededError) as raised:
        linear.certify(X[0], n=ENDLESS, timeout=0.2, label=0)
    assert isinstance(raised.value, TimeoutError)
    partial = raised.value.partial
    assert isinstance(partial, Certificate)
    assert (partial.status, partial.certified, partial.radius) == ("DEADLINE_EXCEEDED", False, 0.0)
    assert 0 < partial.n < ENDLESS and partial.counts.n == partial.n == partial.counts.labels.sum()
    with pytest.raises(DeadlineExceededError) as raised:
        linear.predict(X[0], n=ENDLESS, timeout=0.1)
    assert isinstance(raised.value.partial, Prediction) and raised.value.partial.labels is None
    with pytest.raises(DeadlineExceededError) as raised:
        linear.sample(X[0], ENDLESS, timeout=0.1, seed=3)
    counts = raised.value.partial
    assert isinstance(counts, Counts) and 0 < counts.n < ENDLESS
    # Which samples came back first may depend on what they were.
    for cut in (counts, counts + linear.sample(X[0], 100, seed=4), pickle.loads(pickle.dumps(counts)), partial.counts):
        for say in (lambda c: c.certify(0), lambda c: c.predict(), lambda c: c.guarantee()):
            with pytest.raises(InvalidDataError, match="cut short") as refused:
                say(cut)
            assert refused.value.field == "counts"


def test_a_batch_cut_short_keeps_what_was_finished(linear: SmoothedClassifier) -> None:
    with pytest.raises(DeadlineExceededError) as raised:
        linear.certify(np.concatenate([X] * 300), n=5000, timeout=0.5, label=0)
    partial = raised.value.partial
    assert isinstance(partial, Certificates) and partial.shape == (300 * len(X),)
    assert set(partial.status) == {"OK", "DEADLINE_EXCEEDED"}
    assert not partial.certified[partial.status != "OK"].any()


def test_a_token_that_is_set_already(linear: SmoothedClassifier) -> None:
    cancel = Cancel()
    cancel.set()
    for method in (linear.certify, linear.predict):
        with pytest.raises(CancelledError):
            method(X[0], n=ENDLESS, cancel=cancel)
    with pytest.raises(CancelledError):
        linear.sample(X[0], ENDLESS, cancel=cancel)


# Progress.


def test_progress_by_a_function(linear: SmoothedClassifier) -> None:
    for method, total in ((linear.certify, 20_100), (linear.predict, 20_000), (linear.sample, 20_000)):
        seen: list[tuple[int, int]] = []
        method(X[0], n=20_000, progress=lambda *each, seen=seen: seen.append(each))  # type: ignore[operator]
        assert seen[-1] == (total, total)
        assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_progress_by_a_bar(linear: SmoothedClassifier, capsys: pytest.CaptureFixture[str]) -> None:
    bar = tqdm.tqdm(file=open(os.devnull, "w"))  # noqa: SIM115
    linear.predict(X[:2], n=500, progress=bar)
    assert (bar.n, bar.total) == (1000, 1000)
    linear.sample(X[0], 500, progress=bar)
    assert bar.n == 1500
    bar.close()
    bar.fp.close()
    linear.predict(X[:2], n=500, progress=True)
    linear.predict(X[:2], n=500, progress=tqdm.tqdm)
    assert capsys.readouterr().err.count("1.00k/1.00k") == 2
    linear.predict(X[:2], n=500, progress=False)
    assert capsys.readouterr().err == ""


def test_what_progress_raises_cancels_and_comes_out(linear: SmoothedClassifier) -> None:
    def progress(_done: int, _total: int) -> None:
        raise StopError

    for method in (linear.certify, linear.predict, linear.sample):
        with pytest.raises(StopError):
            method(X[0], n=ENDLESS, progress=progress)  # type: ignore[operator]


def test_progress_without_tqdm(linear: SmoothedClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match="pip install tqdm"):
        linear.predict(X[0], n=10, progress=True)


# How much may be under way.


def test_what_is_too_much_is_refused_and_the_numbers_say_so() -> None:
    with SmoothedClassifier(model("linear"), 0.5, batch=16, max_jobs=2, max_input_bytes=2 * 16 * 4) as g:
        cancel = Cancel()
        with ThreadPoolExecutor(1) as pool:
            under_way = pool.submit(g.predict, X[0], n=10**11, cancel=cancel)
            while not g.stats().jobs_running:
                pass
            with pytest.raises(BusyError, match="max_jobs: 1 inputs are under way and 2 more"):
                g.predict(X[:2], n=10)
            with pytest.raises(InvalidArgumentError, match="3 inputs at once"):
                g.predict(X[:3], n=10)
            cancel.set()
            with pytest.raises(CancelledError):
                under_way.result()
        g.predict(X[:2], n=10, k=[1, 2])
        stats = g.stats()
        assert (stats.jobs_ended, stats.jobs_cancelled, stats.jobs_refused) == (3, 1, 2)
        assert stats.answers + stats.abstentions == 4 and stats.samples >= 20 and stats.seconds > 0
        assert stats.jobs_running == stats.jobs_waiting == stats.samples_waiting == stats.invalid_samples == 0
    with pytest.raises(InvalidArgumentError, match="max_jobs: must be at least 1"):
        SmoothedClassifier(model("linear"), 0.5, batch=16, max_jobs=0)


# Processes.


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_is_told_so(python: Any) -> None:
    code = """
import os, sys, numpy as np, smoothtopk, warnings
warnings.simplefilter("ignore")
g = smoothtopk.SmoothedClassifier(sys.argv[1], 0.5, batch=16)
x = np.zeros(16)
child = os.fork()
if child == 0:
    told = 0
    for call in (lambda: g.certify(x), lambda: g.predict(x), lambda: g.sample(x, 10), g.stats):
        try:
            call()
        except smoothtopk.ForkedError as error:
            told += "spawn" in str(error)
    g.close()
    print("told", told, flush=True)
    sys.exit(0)
print("status", os.waitpid(child, 0)[1], flush=True)
print("samples", g.certify(x, n=100).n)
"""
    assert python(code, model("linear")).splitlines() == ["told 4", "status 0", "samples 100"]


# The parent's runs are not the child's to wait for, nor a lock that one of the parent's threads held.
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_ends_at_once(python: Any) -> None:
    code = """
import os, signal, sys, threading, time, numpy as np, smoothtopk, warnings
warnings.simplefilter("ignore")
g = smoothtopk.SmoothedClassifier(sys.argv[1], 0.5, batch=16)
def work():
    while True:
        g.sample(np.zeros(16), 10**9)
threading.Thread(target=work, daemon=True).start()
time.sleep(0.3)
held = g._model._lock
for locked in (False, True):
    if locked:
        held.acquire()
    child = os.fork()
    if child == 0:
        sys.exit(7)
    limit = time.monotonic() + 4
    while not (ended := os.waitpid(child, os.WNOHANG))[0] and time.monotonic() < limit:
        time.sleep(0.01)
    if locked:
        held.release()
    print(os.waitstatus_to_exitcode(ended[1]) if ended[0] else "hangs", flush=True)
    if not ended[0]:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
"""
    assert python(code, model("linear")).split() == ["7", "7"]


def test_the_process_ends_cleanly_whatever_is_open(python: Any) -> None:
    code = """
import sys, threading, time, numpy as np, smoothtopk
g = smoothtopk.SmoothedClassifier(sys.argv[1], 0.5, batch=16)
for method in (g.certify, g.sample):
    threading.Thread(target=method, args=(np.zeros(16),), kwargs={"n": 10**11}, daemon=True).start()
time.sleep(0.3)
print("end")
"""
    command = [sys.executable, "-c", code, str(model("linear"))]
    done = subprocess.run(command, text=True, capture_output=True, timeout=LIMIT)
    assert done.returncode == 0 and done.stdout == "end\n", done.stderr


# ONNX Runtime.


def test_which_onnx_runtime() -> None:
    assert runtime_version().startswith("1.")
    assert Path(runtime_path()).is_file()


def test_the_package_is_found_and_not_imported(python: Any) -> None:
    code = """
import sys, smoothtopk
print(smoothtopk.runtime_path())
assert "onnxruntime" not in sys.modules
"""
    import importlib.metadata

    package = importlib.metadata.distribution("onnxruntime").locate_file("onnxruntime")
    assert Path(python(code).strip()).is_relative_to(Path(str(package)))


def test_a_place_that_is_named_comes_first(python: Any) -> None:
    here = os.environ.get("SMOOTHTOPK_ONNXRUNTIME") or str(ROOT / ".deps" / "onnxruntime")
    if not Path(here).exists():
        pytest.skip(f"{here} is not there: run `make setup`")
    code = "import smoothtopk; print(smoothtopk.runtime_path())"
    assert Path(python(code, SMOOTHTOPK_ONNXRUNTIME=here).strip()).is_relative_to(here)
    given = "import sys, smoothtopk; smoothtopk.load_runtime(sys.argv[1]); print(smoothtopk.runtime_path())"
    assert Path(python(given, here).strip()).is_relative_to(here)


def test_a_named_place_that_is_wrong_is_an_error_that_says_what_to_do(python: Any, tmp_path: Path) -> None:
    code = """
import smoothtopk
try:
    smoothtopk.runtime_version()
except smoothtopk.OnnxRuntimeError as error:
    print(error)
"""
    printed = python(code, SMOOTHTOPK_ONNXRUNTIME=str(tmp_path / "absent"))
    assert "pip install --upgrade onnxruntime" in printed and "SMOOTHTOPK_ONNXRUNTIME" in printed


@pytest.mark.parametrize("order", ["ours first", "theirs first"])
def test_beside_an_imported_onnxruntime(python: Any, order: str) -> None:
    code = """
import sys, numpy as np, smoothtopk
def ours():
    g = smoothtopk.SmoothedClassifier(sys.argv[1], 0.5, batch=16)
    return g, g.certify(np.zeros(16), n=1000, seed=1).counts.n
def theirs():
    import onnxruntime
    session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
    return session, session.run(None, {"x": np.zeros((2, 16), np.float32)})[0].shape
kept = [ours(), theirs()] if sys.argv[2] == "ours first" else [theirs(), ours()]
print(sorted(str(what) for _, what in kept), kept[0][0] is not None)
"""
    assert python(code, model("linear"), order) == "['(2, 3)', '1000'] True\n"


def test_no_place_of_the_runtime_is_inherited() -> None:
    assert "SMOOTHTOPK_ONNXRUNTIME" not in clean_environment()
