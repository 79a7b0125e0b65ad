"""Ctrl-C, and what `progress` raises: they end a run, and what it had finished is kept."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from smoothtopk import (
    Certificate,
    Certificates,
    Counts,
    Guarantees,
    InvalidDataError,
    Predictions,
    SmoothedClassifier,
    partial_of,
)
from smoothtopk._opened import Opened

from conftest import ENDLESS, LIMIT, model, rows

X = rows("linear")

INTERRUPTED = """
import sys, time, numpy as np, smoothtopk
g = smoothtopk.SmoothedClassifier(sys.argv[1], 0.5, batch=64)
x = np.zeros(g.element_shape)
first = True
def progress(done, total):
    global first
    if done and first:
        first = False
        print("running", flush=True)
try:
    getattr(g, sys.argv[2])(x, n=10**11, progress=progress)
except KeyboardInterrupt as error:
    partial = smoothtopk.partial_of(error)
    print("interrupted", partial is error.partial, 0 < partial.n < 10**11, flush=True)
# The classifier is as good as before.
print(g.certify(x, n=1000).n)
"""


@pytest.mark.parametrize("method", ["certify", "predict", "sample"])
def test_ctrl_c_cancels_and_raises(method: str) -> None:
    command = [sys.executable, "-W", "error", "-c", INTERRUPTED, str(model("linear")), method]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "running\n"
            process.send_signal(signal.SIGINT)
            printed, errors = process.communicate(timeout=LIMIT)
        finally:
            process.kill()
    assert (printed, process.returncode) == ("interrupted True True\n1000\n", 0), errors


def test_ctrl_c_ends_a_run_without_progress_too() -> None:
    code = """
import os, signal, sys, threading, numpy as np, smoothtopk
g = smoothtopk.SmoothedClassifier(sys.argv[1], 0.5, batch=64)
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
g.certify(np.zeros(16), n=10**11)
"""
    command = [sys.executable, "-c", code, str(model("linear"))]
    done = subprocess.run(command, text=True, capture_output=True, timeout=LIMIT)
    # The status that a shell's loop ends for.
    assert "KeyboardInterrupt" in done.stderr and done.returncode == -signal.SIGINT, done.stderr


@pytest.mark.parametrize("error", [KeyboardInterrupt, StopIteration])
def test_what_a_batch_has_finished_is_kept(linear: SmoothedClassifier, error: type[BaseException]) -> None:
    """The first inputs end long before the last: there are both kinds when the first is seen to have ended."""
    batch = np.concatenate([X] * 300)

    def progress(done: int, _total: int) -> None:
        if done > 200_000:
            raise error

    kinds: list[tuple[Any, type[Any]]] = [
        (linear.certify, Certificates), (linear.predict, Predictions), (linear.certify_answer, Guarantees),
    ]  # fmt: skip
    for method, kind in kinds:
        with pytest.raises(error) as raised:
            method(batch, k=[1, 2], n=5000, seed=3, progress=progress)
        partial = partial_of(raised.value)
        assert isinstance(partial, kind) and partial.shape == (len(batch), 2)
        finished = partial.status == "OK"
        assert finished.any() and not finished.all() and set(partial.status[~finished]) == {"CANCELLED"}
        # They are what the whole run would have given.
        place = int(np.flatnonzero(finished[:, 0])[0])
        whole = method(batch[place], k=[1, 2], n=5000, seed=3, stream=place)
        assert whole.counts.tolist() == partial[place].counts.tolist()
        for cut in (partial[~finished].flat[0], partial[~finished].flat[-1]):
            assert cut.n < 5000
            if cut.n:
                with pytest.raises(InvalidDataError, match="cut short"):
                    cut.counts.predict()


def test_what_is_left_of_one_input(linear: SmoothedClassifier) -> None:
    def progress(done: int, _total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        linear.certify(X[0], n=ENDLESS, label=0, progress=progress)
    partial = partial_of(raised.value)
    assert isinstance(partial, Certificate) and (partial.status, partial.radius) == ("CANCELLED", 0.0)
    with pytest.raises(KeyboardInterrupt) as raised:
        linear.sample(X[0], ENDLESS, progress=progress)
    counts = partial_of(raised.value)
    assert isinstance(counts, Counts) and 0 < counts.n < ENDLESS


def test_ctrl_c_after_the_end_keeps_everything(linear: SmoothedClassifier) -> None:
    def progress(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        linear.predict(X, n=100, progress=progress)
    partial = partial_of(raised.value)
    assert isinstance(partial, Predictions) and set(partial.status) == {"OK"}
    with pytest.raises(KeyboardInterrupt) as raised:
        linear.sample(X[0], 100, progress=progress)
    counts = partial_of(raised.value)
    assert isinstance(counts, Counts) and counts.n == 100 and counts.predict().n == 100


@pytest.mark.parametrize("started", [True, False])
def test_ctrl_c_while_a_job_is_submitted(
    linear: SmoothedClassifier, monkeypatch: pytest.MonkeyPatch, started: bool
) -> None:
    submit = Opened._submit

    def interrupted(self: Opened, question: Any, job: Any) -> None:
        if started:
            submit(self, question, job)
        raise KeyboardInterrupt

    monkeypatch.setattr(Opened, "_submit", interrupted)
    with pytest.raises(KeyboardInterrupt) as raised:
        linear.certify(X[0], n=ENDLESS)
    partial = partial_of(raised.value)
    assert (isinstance(partial, Certificate) and partial.status == "CANCELLED") if started else partial is None


def test_nothing_was_begun(linear: SmoothedClassifier) -> None:
    assert partial_of(KeyboardInterrupt()) is None and partial_of(ValueError("no")) is None
    with pytest.raises(InvalidDataError) as raised:
        linear.certify(X[0] * np.nan, n=10)
    assert partial_of(raised.value) is None
