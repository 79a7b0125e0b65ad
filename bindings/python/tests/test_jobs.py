"""Runs that are submitted: each input's answer as it comes, waiting, awaiting, cancelling."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from typing import Any

import numpy as np
import pytest

from smoothtopk import (
    CancelledError,
    Certificate,
    Certificates,
    DeadlineExceededError,
    InvalidArgumentError,
    InvalidDataError,
    SmoothedClassifier,
)

from conftest import ENDLESS, LIMIT, labels, model

X = np.linspace(-1, 1, 4 * 16, dtype=np.float32).reshape(4, 16)


def same(one: Certificate, other: Certificate) -> bool:
    return labels(one) == labels(other) and (one.label, one.k, one.radius) == (other.label, other.k, other.radius)


@pytest.mark.parametrize("k", [1, [1, 2]])
@pytest.mark.parametrize("x", [X[0], X])
def test_what_is_submitted_gives_what_the_call_gives(linear: SmoothedClassifier, x: Any, k: Any) -> None:
    expected = linear.certify(x, k, n=500, seed=3)
    job = linear.submit_certify(x, k, n=500, seed=3)
    found = job.result(LIMIT)
    flat = [expected] if isinstance(expected, Certificate) else expected.flat
    again = [found] if isinstance(found, Certificate) else found.flat
    assert type(found) is type(expected) and all(map(same, flat, again)) and len(flat) == len(again)
    assert job.done() and job.result() is found and len(job) == (1 if x.ndim == 1 else 4)
    assert job.samples_done == job.samples_total > 0 and "done" in repr(job)
    # After that, items are those of the result.
    item = job.item(0)
    assert item is found if x.ndim == 1 else type(item) is (Certificate if k == 1 else Certificates)


def test_other_questions(linear: SmoothedClassifier) -> None:
    predicted = linear.predict(X, 2, n=500, seed=4, rule="predict")
    job = linear.submit_predict(X, 2, n=500, seed=4, rule="predict")
    assert [each.labels for each in job.result()] == [each.labels for each in predicted]
    answered = linear.certify_answer(X[0], 2, n=500, seed=4)
    assert linear.submit_certify_answer(X[0], 2, n=500, seed=4).result().set_radius == answered.set_radius
    assert len(linear.submit_certify(X[:0]).result()) == 0
    with pytest.raises(InvalidArgumentError) as caught:
        linear.submit_certify(X, 9)
    assert caught.value.field == "k"
    with pytest.raises(InvalidDataError):
        linear.submit_certify(X * np.nan)


@pytest.mark.parametrize("k", [1, [1]])
def test_each_input_is_read_as_it_ends(k: Any) -> None:
    # Inputs that the rule decides at once, and between them one whose two labels are tied.
    x = np.array([[10.0, 10.0], [0.0, 0.0], [10.0, 10.0]])

    def label(batch: Any) -> Any:
        return np.where(batch.mean(axis=1) > 5, 0, batch[:, 0] > 0)

    with SmoothedClassifier.from_callable(label, 3, 2, sigma=0.25, batch=64, input_max=16) as g:
        job = g.submit_predict(x, k, n=10**12, alpha=1e-9, rule="predict", seed=7)
        found = job.as_completed()
        first, second = next(found), next(found)
        assert sorted([first[0], second[0]]) == [0, 2] and not job.done() and job.item(1) is None
        before = job.counts(1)
        assert 0 < before.n < 10**12
        with pytest.raises(InvalidDataError, match="cut short"):
            before.predict(1)
        with pytest.raises(TimeoutError):
            job.result(timeout=0.02)
        assert not job.done()
        job.cancel()
        [(index, last)] = found
        answers = [last] if k == 1 else list(last)
        assert index == 1 and all(each.status == "CANCELLED" and not each.labels for each in answers)
        with pytest.raises(CancelledError) as caught:
            job.result()
        assert caught.value.partial is not None
        statuses = caught.value.partial.status  # type: ignore[attr-defined]
        assert np.array(statuses).reshape(3, -1)[:, 0].tolist() == ["OK", "CANCELLED", "OK"]
        with pytest.raises(IndexError):
            job.item(3)


def test_jobs_are_awaited(linear: SmoothedClassifier) -> None:
    async def ask() -> None:
        jobs = [linear.submit_certify(x, n=300, seed=5, stream=i) for i, x in enumerate(X)]
        found = await asyncio.gather(*jobs)
        assert all(map(same, found, linear.certify(X, n=300, seed=5)))
        # The loop goes on meanwhile.
        endless, beats = linear.submit_certify(X[0], n=ENDLESS), 0
        waits = asyncio.ensure_future(wait_for(endless))
        while beats < 5:
            await asyncio.sleep(0.01)
            beats += 1
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        with pytest.raises(CancelledError):
            endless.result(LIMIT)
        late = linear.submit_certify(X[0], n=ENDLESS, timeout=0.05)
        with pytest.raises(DeadlineExceededError):
            await late
        # One that has ended, and twice.
        assert (await jobs[0]) is found[0] and (await jobs[0]) is found[0]

    async def wait_for(job: Any) -> Any:
        return await job

    asyncio.run(asyncio.wait_for(ask(), LIMIT))


def test_what_nobody_holds_is_cancelled() -> None:
    with SmoothedClassifier(model("linear"), sigma=0.5, batch=64) as g:
        job = g.submit_certify(X, n=ENDLESS)
        assert g.stats().jobs_running + g.stats().jobs_waiting == 4
        del job
        gc.collect()
        end = time.monotonic() + LIMIT
        while g.stats().jobs_cancelled < 4:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_closing_ends_jobs_that_threads_wait_for() -> None:
    g = SmoothedClassifier(model("linear"), sigma=0.5, batch=64)
    job = g.submit_certify(X[0], n=ENDLESS)
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            job.result()
        except CancelledError as error:
            caught.append(error)

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    g.close()
    for thread in threads:
        thread.join(LIMIT)
    assert len(caught) == 3 and all(error is caught[0] for error in caught)


def test_the_process_ends_while_jobs_run(python: Any) -> None:
    code = """
import sys, numpy as np, smoothtopk
g = smoothtopk.SmoothedClassifier(sys.argv[1], 0.5, batch=64)
jobs = [g.submit_certify(np.zeros(16), n=10**11) for _ in range(20)]
print("ends")
"""
    assert python(code, model("linear")) == "ends\n"
