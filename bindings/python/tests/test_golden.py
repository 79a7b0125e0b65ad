"""The golden cases that every language runs: the same answers, bit for bit."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from smoothtopk import (
    Answers,
    Certificate,
    Counts,
    Guarantee,
    Prediction,
    SmoothedClassifier,
    SmoothTopKError,
)

from conftest import MODELS, ROOT

FILE = ROOT / "tests" / "golden" / "cases.txt"


def integers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def floats(text: str) -> list[float]:
    return [float.fromhex(part) for part in text.split(",")]


def names(text: str) -> list[str]:
    return text.split(",")


def lists_of(one: Any) -> Any:
    return lambda text: [one(part) for part in text.split(";")]


KEYS = {
    "task": str,
    "model": str,
    "threshold": float.fromhex,
    "classes": int,
    "sigma": float.fromhex,
    "noise": str,
    "k": integers,
    "n": int,
    "n0": int,
    "alpha": float.fromhex,
    "rule": str,
    "bound": str,
    "allocation": str,
    "randomized": lambda value: value == "1",
    "validity": str,
    "levels": int,
    "chacha12": bytes.fromhex,
    "seed": int,
    "key": int,
    "input_max": float.fromhex,
    "label": int,
    "input": floats,
    "counts": integers,
    "pilot": integers,
    "radius_cost": float.fromhex,
}
EXPECTED = {
    "status": str,
    "field": str,
    "counts": integers,
    "selection": integers,
    "label": int,
    "radius": floats,
    "labels": lists_of(integers),
    "abstain": integers,
    "p_value": floats,
    "decision": names,
    "rows": integers,
    "allocation": lists_of(str),
    "alpha_left": float.fromhex,
    "label_radii": lists_of(floats),
    "kept_radii": lists_of(floats),
    "first_radius": floats,
    "ranking_radius": floats,
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
    options = {name: given.pop(name) for name in ("threshold", "classes", "input_max", "exact_levels") if name in given}
    identity = (given["model"], given.get("sigma"), given.get("noise"), *sorted(options.items()))
    path, sigma, noise = MODELS / given.pop("model"), given.pop("sigma", None), given.pop("noise", None)
    if identity not in classifiers:
        # A batch that is not given is measured, which takes a while; counts do not depend on it.
        batch = None if "fixed" in path.name else 32
        classifiers[identity] = SmoothedClassifier(path, sigma, noise=noise, batch=batch, **options)
    return classifiers[identity]


# What the file's keys are called in Python.
PYTHON_NAMES = {
    "levels": "exact_levels",
    "chacha12": "chacha12_key",
    "key": "stream",
}
# Of the fields of errors, too.
PYTHON_FIELDS = PYTHON_NAMES | {"input": "x", "counts": "labels"}
# What is stated of bare numbers; the rest is asked of them.
STATED = ("n", "sigma", "noise", "radius_cost", "validity")


def answers(given: dict[str, Any]) -> list[Certificate] | list[Prediction] | list[Guarantee]:
    """The answers to a case, one for each k."""
    given = {PYTHON_NAMES.get(name, name): value for name, value in given.items()}
    task = given.pop("task")
    k = given.pop("k", [1])
    # Of the file's two ways to say it the later counts.
    if (bound := given.pop("bound", None)) is not None:
        given.setdefault("allocation", bound)
    if task.startswith("counts_"):
        # Counts must be of some noise, which a prediction does not depend on.
        stated = {name: given.pop(name) for name in STATED if name in given}
        if "noise" not in stated:
            stated.setdefault("sigma", 1.0)
        if stated.get("validity", "").startswith("randomized:"):
            given["randomized"] = float(stated.pop("validity").removeprefix("randomized:"))
        counts = Counts.assuming(given.pop("counts"), **stated)
        if stated.get("validity", "").startswith("anytime:"):
            # What a rule says of its last number no bare numbers can state, but their text.
            counts = Counts.from_json(counts.to_json().replace('"rule":null', '"rule":"steps:1"'))
        if "pilot" in given:
            noise = {name: stated[name] for name in ("sigma", "noise") if name in stated}
            given["pilot"] = Counts.assuming(given["pilot"], **noise)
        asked: dict[str, Any] = {
            "counts_certify": counts.certify,
            "counts_predict": counts.predict,
            "counts_guarantee": counts.guarantee,
        }
        return [asked[task](k=each, **given) for each in k]
    g = classifier(given)
    x = np.array(given.pop("input"), np.float32).reshape(g.element_shape)
    if task == "certify":
        label = given.pop("label", -1)
        given["label"] = None if label == -1 else label
    methods: dict[str, Any] = {"certify": g.certify, "predict": g.predict, "certify_answer": g.certify_answer}
    found = methods[task](x, k, **given)
    assert isinstance(found, Answers)
    return list(found)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    expected = dict(case.expected)
    status = expected.pop("status")
    if status != "OK":
        with pytest.raises(SmoothTopKError) as raised:
            answers(case.given)
        assert raised.value.status == status
        field = expected.pop("field", None)
        assert raised.value.field == PYTHON_FIELDS.get(field, field)
        assert not expected
        return
    found: Any = answers(case.given)
    # Floats compare exactly: the file has every bit of them.
    assert {name: GET[name](found) for name in expected} == expected


def each_of(*fields: str) -> Any:
    """For each k the first of these fields that its answer has."""
    return lambda found: [next(getattr(each, name) for name in fields if hasattr(each, name)) for each in found]


def each_list(*fields: str) -> Any:
    return lambda found: [list(values) for values in each_of(*fields)(found)]


GET: dict[str, Any] = {
    # Of the last look: several k may rest on earlier ones.
    "counts": lambda found: json.loads(found[0].to_json())["counts"]["labels"],
    "selection": lambda found: found[0].selection.labels.tolist(),
    "label": lambda found: found[0].label,
    "radius": each_of("radius", "set_radius"),
    # A prediction has the most frequent labels also when it abstains.
    "labels": each_list("top", "labels"),
    "abstain": each_of("abstain"),
    "p_value": each_of("p_value"),
    "decision": each_of("decision"),
    "rows": each_of("n_certified"),
    "allocation": each_of("allocation"),
    "alpha_left": lambda found: found[0].alpha_left,
    "label_radii": each_list("label_radii"),
    "kept_radii": each_list("kept_radii"),
    "first_radius": each_of("first_radius"),
    "ranking_radius": each_of("ranking_radius"),
}


def test_every_task_and_failures_are_there() -> None:
    with_a_model = {"certify", "predict", "certify_answer"}
    assert {case.given["task"] for case in ALL} == with_a_model | {
        "counts_certify",
        "counts_predict",
        "counts_guarantee",
    }
    # A key that the reader knows, and no case has, is tested nowhere.
    assert {key for case in ALL for key in case.given} == set(KEYS)
    assert {key for case in ALL for key in case.expected} == set(EXPECTED)
    assert any(case.expected["status"] != "OK" for case in ALL)


@pytest.mark.parametrize("text", ["case a\nsurprise 1\nend", "case a\nn 1\nn 2\nend", "case a\nn 1", "n 1"])
def test_the_reader_is_strict(text: str) -> None:
    with pytest.raises(AssertionError):
        read_cases(text)
