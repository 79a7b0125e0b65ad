"""What the tests share: the models, the data, and running Python in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import smoothtopk
from smoothtopk import Certificate, Certificates, Counts, SmoothedClassifier

# Where the tests run in a shell's background, Ctrl-C is ignored, and it would be by every program that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[3]
BINDING = ROOT / "bindings" / "python"
MODELS = ROOT / "tests" / "models"
CASES: dict[str, Any] = json.loads((MODELS / "cases.json").read_text())
# Far more samples than any test waits for: what draws them must be cut short.
ENDLESS = 10**11
# A process that hangs is killed and reported.
LIMIT = 60


def model(name: str) -> Path:
    """A test model."""
    return MODELS / f"{name}.onnx"


def rows(name: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A test model's rows, [N, *element_shape]."""
    case = CASES[f"{name}.onnx"]
    return np.array(case["rows"], np.float32).reshape((-1, *case["element_shape"]))


def given(*labels: int, n: int | None = None) -> Counts:
    """Bare numbers, taken for samples of Gaussian noise of sigma 0.5."""
    return Counts.assuming(labels, sigma=0.5, n=n)


def one(answer: Certificate | Certificates) -> Certificate:
    """The answer to one input and one k."""
    assert isinstance(answer, Certificate)
    return answer


def many(answer: Certificate | Certificates) -> Certificates:
    """The answers to several."""
    assert isinstance(answer, Certificates)
    return answer


def labels(found: Certificate) -> list[int]:
    """The counts of an answer, as plain numbers."""
    return found.counts.labels.tolist()  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def linear() -> Iterator[SmoothedClassifier]:
    """Three labels, 16 elements, quick."""
    with SmoothedClassifier(model("linear"), sigma=0.5, batch=64) as classifier:
        yield classifier


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., str]:
    """Runs code in a process of its own that finds the same smoothtopk, and gives what it printed."""

    def run(code: str, *arguments: object, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
            env=clean_environment() | environment,
            cwd=tmp_path,
            text=True,
            capture_output=True,
            timeout=LIMIT,
        )
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


def clean_environment() -> dict[str, str]:
    """The environment with no place of ONNX Runtime named in it."""
    return {
        name: value for name, value in os.environ.items() if name not in ("SMOOTHTOPK_ONNXRUNTIME", "ORT_DYLIB_PATH")
    }


def pytest_report_header() -> str:
    """Says what is tested."""
    return f"smoothtopk: {smoothtopk.build_info()} from {Path(smoothtopk.__file__).parent}"
