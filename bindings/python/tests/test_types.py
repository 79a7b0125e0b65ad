"""The package's types and public names."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import pytest

import smoothtopk
from smoothtopk import Answer, Certificates, Guarantees, Predictions, SmoothedClassifier, _calls

from conftest import BINDING


def test_mypy_is_strict_and_clean() -> None:
    command = [sys.executable, "-m", "mypy", "src", "hatch_build.py", "make_abi.py", "tests/typed_use.py"]
    done = subprocess.run(command, cwd=BINDING, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_public_names() -> None:
    assert sorted(smoothtopk.__all__) == smoothtopk.__all__ or set(smoothtopk.__all__) <= set(dir(smoothtopk))
    for name in smoothtopk.__all__:
        assert getattr(smoothtopk, name) is not None


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (SmoothedClassifier.certify, _calls.CertifyOptions),
        (SmoothedClassifier.predict, _calls.PredictOptions),
        (SmoothedClassifier.certify_answer, _calls.AnswerOptions),
    ],
)
def test_type_checkers_know_every_option(method: Any, options: Any) -> None:
    named = {
        name: each.annotation
        for name, each in inspect.signature(method).parameters.items()
        if each.kind is each.KEYWORD_ONLY
    }
    known = {name: kind for each in options.__mro__ for name, kind in vars(each).get("__annotations__", {}).items()}
    assert {name: getattr(kind, "__forward_arg__", kind) for name, kind in known.items()} == named


@pytest.mark.parametrize("kind", [Certificates, Predictions, Guarantees])
def test_every_field_of_an_answer_is_an_array_of_answers(kind: Any) -> None:
    fields = set(kind._kind.__dataclass_fields__) - {"origin"}
    assert fields == set(kind._columns()) and fields > set(Answer.__dataclass_fields__) - {"origin"}
    assert all(each.__doc__.endswith(".") for each in kind._columns().values())
