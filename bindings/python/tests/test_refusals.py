"""Arguments that a classifier refuses."""

from __future__ import annotations

from typing import Any

import pytest

from smoothtopk import (
    InvalidArgumentError,
    SmoothedClassifier,
    SmoothTopKError,
)

from conftest import model, rows

X = rows("linear")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"k": 0}, "k"),
        ({"k": 3}, "k"),
        ({"k": -1}, "k"),
        ({"k": []}, "k"),
        ({"n": 0}, "n"),
        ({"n": -5}, "n"),
        ({"n": 2**64}, "n"),
        ({"n0": 0}, "n0"),
        ({"alpha": 0}, "alpha"),
        ({"alpha": 1.0}, "alpha"),
        ({"alpha": float("nan")}, "alpha"),
        ({"label": 3}, "label"),
        ({"label": 2**63}, "label"),
        ({"allocation": "hoeffding"}, "allocation"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"stream": -1}, "stream"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": -1}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
    ],
)
def test_wrong_values_name_their_field(linear: SmoothedClassifier, options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        linear.certify(X[0], **options)
    assert raised.value.field == field
    assert str(raised.value).startswith(f"{field}: ")
    assert isinstance(raised.value, ValueError) and isinstance(raised.value, SmoothTopKError)
    assert raised.value.partial is None


@pytest.mark.parametrize(
    "options",
    [
        {"k": 1.5},
        {"n": 1e5},
        {"n": "9"},
        {"timeout": "1"},
        {"alpha": "0.1"},
        {"seed": 1.0},
        {"alpha": "a"},
        {"progress": 3},
    ],
)
def test_wrong_types(linear: SmoothedClassifier, options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(options))):
        linear.certify(X[0], **options)


# Cohen's order of arguments, and whatever else a method does not take by position or name.
@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda g: SmoothedClassifier(model("linear"), 3, 0.5),
            r"SmoothedClassifier\(model, sigma\), which reads the number",
        ),
        (
            lambda g: SmoothedClassifier(model("linear"), num_classes=3, sigma=0.5),
            "num_classes.*perhaps classes is meant",
        ),
        (
            lambda g: g.certify(X[0], 100, 1000, 0.001, 400),
            r"certify\(x, n0=n0, n=n, alpha=alpha\), with batch=batch_size",
        ),
        (lambda g: g.certify(X[0], n0=100, n=1000, alpha=0.001, batch_size=400), r"batch_size.*with batch=batch_size"),
        (lambda g: g.predict(X[0], 1000, 0.001, 400), r"predict\(x, n=n, alpha=alpha\)"),
        (lambda g: g.certify_answer(X[0], 1, 2, 3), "only x, k and n are given without a name"),
        (lambda g: g.sample(X[0], 10, 3), "only x and n are given without a name"),
        (lambda g: g.certify(X[0], N=10), "'N'.*perhaps n is meant"),
        (lambda g: g.certify(X[0], labels=[1]), "'labels'.*perhaps label is meant"),
        (lambda g: g.sample(), "only x and n are given without a name"),
    ],
)
def test_another_order_of_arguments_is_told_how_it_is_here(linear: SmoothedClassifier, call: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        call(linear)


def test_what_goes_wrong_within_is_told_alone(linear: SmoothedClassifier) -> None:
    def progress(_done: int, _total: int) -> None:
        raise TypeError("mine")

    with pytest.raises(TypeError, match=r"^mine$"):
        linear.predict(X[0], n=10, progress=progress)
