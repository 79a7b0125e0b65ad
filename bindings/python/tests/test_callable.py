"""A Python function as base classifier."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smoothtopk import (
    CancelledError,
    DeadlineExceededError,
    InvalidArgumentError,
    InvalidDataError,
    ModelError,
    RunError,
    SmoothedClassifier,
)

from conftest import ENDLESS, labels, model, one, rows

Array = np.ndarray[Any, np.dtype[Any]]


def sums(x: Array) -> Array:
    """The arithmetic of exact_order.onnx."""
    return np.rint(x * np.float32(64)).reshape(len(x), 6, 4).sum(axis=2, dtype=np.float32)


def of(f: Callable[[Array], Any], **options: Any) -> SmoothedClassifier:
    return SmoothedClassifier.from_callable(f, 6, 24, sigma=0.25, **({"batch": 32} | options))


@pytest.mark.parametrize(
    ("f", "threads"),
    [
        (sums, 1),
        (lambda x: sums(x).astype(np.float64), 2),
        (lambda x: sums(x).argmax(axis=1), 1),
        (lambda x: sums(x).argmax(axis=1).astype(np.uint8), 3),
        (lambda x: sums(x).tolist(), 1),
    ],
)
def test_a_function_gives_what_the_file_of_its_arithmetic_gives(f: Callable[[Array], Any], threads: int) -> None:
    x = rows("exact_order")[0]
    with SmoothedClassifier(model("exact_order"), sigma=0.25, batch=16) as file, of(f, threads=threads) as g:
        want, got = one(file.certify(x, n=2000, seed=7)), one(g.certify(x, n=2000, seed=7))
        assert (got.label, got.radius, labels(got)) == (want.label, want.radius, labels(want))
        assert (g.sha256, g.classes, g.element_shape, g.threads, g.fallback) == ("", 6, (24,), threads, None)


def test_records_say_what_was_stated_and_that_no_file_was_hashed() -> None:
    with of(sums) as g:
        record = json.loads(one(g.certify(rows("exact_order")[0], n=100)).to_json())
        assert g.signature["name"] == "sums" and g.signature["digest"] is None
    assert record["model"]["model_sha256"] is None and record["model"]["stated"]["name"] == "sums"
    assert record["counts"]["subject"]["stated"] == record["model"]["stated"]


def test_what_it_raises_is_the_cause_and_keeps_what_was_counted() -> None:
    raised = ZeroDivisionError("no engine: ü" + "x" * 2000)
    does: list[BaseException | None] = [None]

    def f(x: Array) -> Array:
        if does[0] is not None:
            raise does[0]
        return sums(x)

    with of(f) as g:
        for kind in (raised, KeyError(), SystemExit(3), KeyboardInterrupt()):
            does[0] = kind
            with pytest.raises(RunError, match=type(kind).__name__) as caught:
                g.certify(rows("exact_order")[0], n=100)
            assert caught.value.__cause__ is kind
            assert caught.value.partial is not None
            with pytest.raises(RunError) as caught:
                g.sample(rows("exact_order")[0], 100)
            assert caught.value.__cause__ is kind
        does[0] = None
        assert one(g.certify(rows("exact_order")[0], n=100)).n == 100


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (lambda x: sums(x)[:, :5], r"\[1, 5\]"),
        (lambda x: sums(x)[:0], r"\[0, 6\]"),
        (lambda x: sums(x).argmax(axis=1).astype(float), "float64"),
        (lambda x: None, "object"),
    ],
)
def test_what_is_neither_scores_nor_labels_is_a_type_error(f: Callable[[Array], Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        of(f)


def test_functions_that_are_refused() -> None:
    random = np.random.default_rng(0)
    with pytest.raises(ModelError, match="something else"):
        of(lambda x: sums(x) + 1000 * random.random((len(x), 6)))
    with pytest.raises(ModelError, match="something else"):
        of(lambda x: sums(x) - sums(x).mean(axis=0))
    with pytest.raises(ModelError, match="NaN"):
        of(lambda x: sums(x) * np.nan)
    with pytest.raises(ModelError, match=r"label 6 outside 0\.\.6"):
        of(lambda x: np.full(len(x), 6))
    with pytest.raises(ModelError, match="ValueError: only one row") as caught:
        of(lambda x: sums(x) if len(x) == 1 else raise_value_error())
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(TypeError, match="callable"):
        of("a.onnx")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="classes"):
        SmoothedClassifier.from_callable(lambda x: np.zeros((len(x), 1)), 1, 4, sigma=0.25)
    with pytest.raises(InvalidArgumentError, match="sigma"):
        SmoothedClassifier.from_callable(sums, 6, 24, sigma=-1)


def raise_value_error() -> Array:
    raise ValueError("only one row")


def test_rows_are_the_functions_own() -> None:
    kept: list[Array] = []

    def f(x: Array) -> Array:
        scores = sums(x)
        kept.append(x)
        x[...] = len(kept)
        return scores

    with of(f) as g:
        g.certify(rows("exact_order")[0], n=500, seed=7)
    assert len(kept) > 10 and all((x == i + 1).all() for i, x in enumerate(kept))


def test_counts_are_added_where_the_digest_is_the_same() -> None:
    def sample(first: int, digest: str | None) -> Any:
        with of(sums, digest=digest) as g:
            return g.sample(rows("exact_order")[0], 100, first=first, seed=7)

    assert (sample(0, "a") + sample(100, "a")).n == 200
    for other in (None, "b"):
        with pytest.raises(InvalidDataError, match="another classifier"):
            sample(0, other) + sample(100, None if other is None else "a")


def test_its_own_function_neither_asks_nor_closes_it() -> None:
    does: list[Callable[[SmoothedClassifier], Any]] = []

    def f(x: Array) -> Array:
        if does:
            does[0](g)
        return sums(x)

    with of(f) as g:
        for action in (SmoothedClassifier.close, lambda g: g.predict(rows("exact_order")[0], n=10)):
            does[:] = [action]
            with pytest.raises(RunError, match="its own function"):
                g.predict(rows("exact_order")[0], n=10)
        does.clear()
        g.predict(rows("exact_order")[0], n=10)


def test_a_slow_function_ends_late_closed_and_cancelled_runs() -> None:
    begun, go = threading.Event(), threading.Event()

    def f(x: Array) -> Array:
        if len(x) == 32 and not go.is_set():
            begun.set()
            go.wait(0.05)
        return sums(x)

    g = of(f)
    with pytest.raises(DeadlineExceededError):
        g.certify(rows("exact_order")[0], n=ENDLESS, timeout=0.2)
    begun.clear()
    caught: list[BaseException] = []

    def run() -> None:
        try:
            g.certify(rows("exact_order")[0], n=ENDLESS)
        except CancelledError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(30)
    g.close()
    thread.join(30)
    assert len(caught) == 1


SLOW = """
import os, signal, sys, threading, time
import numpy as np
from smoothtopk import ForkedError, SmoothedClassifier, partial_of
begun = threading.Event()
def f(x):
    if len(x) == 8:
        begun.set()
        time.sleep(0.01)
    return x
g = SmoothedClassifier.from_callable(f, 4, 4, sigma=0.25, batch=8)
begun.clear()  # the probe called it, too
"""


def test_ctrl_c_ends_a_run_and_keeps_what_was_counted(python: Callable[..., str]) -> None:
    said = python(
        SLOW
        + """
threading.Thread(target=lambda: begun.wait() and os.kill(os.getpid(), signal.SIGINT), daemon=True).start()
try:
    g.certify([0.5] * 4, n=10**9)
except KeyboardInterrupt as error:
    print("interrupted", partial_of(error) is not None)
"""
    )
    assert said == "interrupted True\n"


def test_the_process_ends_while_its_function_runs(python: Callable[..., str]) -> None:
    said = python(
        SLOW
        + """
def run():
    try:
        g.certify([0.5] * 4, n=10**9)
    except Exception:
        pass
threading.Thread(target=run, daemon=True).start()
begun.wait()
print("ended")
"""
    )
    assert said == "ended\n"


def test_a_forked_child_is_refused(python: Callable[..., str]) -> None:
    said = python(
        SLOW
        + """
import warnings
warnings.simplefilter("ignore")
child = os.fork()
if not child:
    try:
        g.predict([0.5] * 4, n=10)
    except ForkedError:
        g.close()
        sys.exit(0)
    os._exit(1)
print(os.waitpid(child, 0)[1], g.predict([0.5] * 4, n=10).n)
"""
    )
    assert said == "0 10\n"


def test_a_torch_module() -> None:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("SKIPPED: torch is not installed, as it is large (pip install torch)")
    import torch  # type: ignore[import-not-found, unused-ignore]

    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(24, 6), torch.nn.Dropout(0.5))
    module = net.eval()

    @torch.inference_mode()
    def f(x: Array) -> Any:
        return module(torch.from_numpy(x))

    with of(f, threads=2) as g:
        assert one(g.certify(rows("exact_order")[0], n=1000)).n == 1000
    net.train()
    with pytest.raises(ModelError, match="evaluation mode"):
        of(f)


def test_no_onnx_runtime_is_needed(python: Callable[..., str]) -> None:
    said = python(
        """
import smoothtopk, numpy as np
g = smoothtopk.SmoothedClassifier.from_callable(lambda x: x.reshape(-1, 4), 4, (2, 2), sigma=0.25, batch=8)
print(g.element_shape, g.certify(np.eye(2), n=100).n)
""",
        SMOOTHTOPK_ONNXRUNTIME="/nowhere",
    )
    assert said == "(2, 2) 100\n"
