"""The golden cases that every language runs: the same answers, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import smoothtopk
from smoothtopk import Certificate, Certificates, Prediction, Predictions, SmoothedClassifier, SmoothTopKError

from conftest import MODELS, ROOT

FILE = ROOT / "tests" / "golden" / "cases.txt"


def integers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def floats(text: str) -> list[float]:
    return [float.fromhex(part) for part in text.split(",")]


KEYS = {
    "task": str,
    "model": str,
    "threshold": float.fromhex,
    "classes": int,
    "sigma": float.fromhex,
    "k": integers,
    "n": int,
    "n0": int,
    "alpha": float.fromhex,
    "bound": str,
    "seed": int,
    "key": int,
    "input_max": float.fromhex,
    "label": int,
    "input": floats,
    "counts": integers,
    "radius_slack": float.fromhex,
}
EXPECTED = {
    "status": str,
    "field": str,
    "counts": integers,
    "selection": integers,
    "label": int,
    "radius": floats,
    "labels": lambda text: [integers(part) for part in text.split(";")],
    "abstain": integers,
    "p_value": floats,
}


@dataclass
class Case:
    """One block of the file."""

    name: str
    given: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)


def read_cases(text: str) -> list[Case]:
    """Reads the file; a key that is not known, or comes twice, is an error."""
    cases: list[Case] = []
    case: Case | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, _, value = line.strip().partition(" ")
        if key == "case":
            assert case is None, f"line {number}: a case inside a case"
            case = Case(value)
            continue
        assert case is not None, f"line {number}: outside a case"
        if key == "end":
            cases.append(case)
            case = None
            continue
        table, found = (KEYS, case.given)
        if key == "expect":
            table, found = EXPECTED, case.expected
            key, _, value = value.partition(" ")
        assert key in table and key not in found, f"line {number}: {key} is not known, or comes twice"
        found[key] = table[key](value)
    assert case is None, "the last case has no end"
    assert len({case.name for case in cases}) == len(cases), "two cases of one name"
    return cases


ALL = read_cases(FILE.read_text())
classifiers: dict[tuple[Any, ...], SmoothedClassifier] = {}


def classifier(given: dict[str, Any]) -> SmoothedClassifier:
    """A classifier for the case, opened once for all cases that agree on it."""
    options = {name: given.pop(name) for name in ("threshold", "classes", "input_max") if name in given}
    identity = (given["model"], given["sigma"], *sorted(options.items()))
    path, sigma = MODELS / given.pop("model"), given.pop("sigma")
    if identity not in classifiers:
        # A batch that is not given is measured, which takes a while; counts do not depend on it.
        batch = None if "fixed" in path.name else 32
        classifiers[identity] = SmoothedClassifier(path, sigma, batch=batch, **options)
    return classifiers[identity]


def answers(given: dict[str, Any]) -> list[Certificate] | list[Prediction]:
    """The answers to a case, one for each k."""
    given = dict(given)
    task = given.pop("task")
    k = given.pop("k", [1])
    if task == "counts_certify":
        return [smoothtopk.certify_counts(k=each, **given) for each in k]
    if task == "counts_predict":
        return [smoothtopk.predict_counts(k=each, **given) for each in k]
    g = classifier(given)
    x = np.array(given.pop("input"), np.float32).reshape(g.element_shape)
    if task == "certify":
        label = given.pop("label", -1)
        certified = g.certify(x, k, label=None if label == -1 else label, **given)
        assert isinstance(certified, Certificates)
        return list(certified)
    assert task == "predict"
    predicted = g.predict(x, k, **given)
    assert isinstance(predicted, Predictions)
    return list(predicted)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    expected = dict(case.expected)
    status = expected.pop("status")
    if status != "OK":
        with pytest.raises(SmoothTopKError) as raised:
            answers(case.given)
        assert raised.value.status == status
        assert raised.value.field == expected.pop("field", None)
        assert not expected
        return
    found = answers(case.given)
    get = {
        "counts": lambda: found[0].counts.tolist(),
        "selection": lambda: found[0].selection.tolist(),  # type: ignore[union-attr]
        "label": lambda: found[0].label,  # type: ignore[union-attr]
        "radius": lambda: [each.radius for each in found],  # type: ignore[union-attr]
        "labels": lambda: [list(each.top) for each in found],  # type: ignore[union-attr]
        "abstain": lambda: [int(each.abstain) for each in found],  # type: ignore[union-attr]
        "p_value": lambda: [each.p_value for each in found],  # type: ignore[union-attr]
    }
    # Floats compare exactly: the file has every bit of them.
    assert {name: get[name]() for name in expected} == expected


def test_every_task_and_failures_are_there() -> None:
    assert {case.given["task"] for case in ALL} == {"certify", "predict", "counts_certify", "counts_predict"}
    assert any(case.expected["status"] != "OK" for case in ALL)


@pytest.mark.parametrize("text", ["case a\nsurprise 1\nend", "case a\nn 1\nn 2\nend", "case a\nn 1", "n 1"])
def test_the_reader_is_strict(text: str) -> None:
    with pytest.raises(AssertionError):
        read_cases(text)
