"""An error's field is the argument of Python, and its message says what Python calls things."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smoothtopk import AlphaBudget, Counts, SmoothedClassifier, SmoothTopKError

from conftest import given, model

X = np.zeros(16)
NAN = np.full(16, math.nan)


def opening(**options: Any) -> Callable[[SmoothedClassifier], object]:
    return lambda _: SmoothedClassifier(model("linear"), 0.5, **options)


def drawn_out(g: SmoothedClassifier) -> object:
    budget = AlphaBudget(0.01, "even:1")
    budget.draw()
    return budget.draw()


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("x", lambda g: g.certify(NAN, n=10)),
        ("x", lambda g: g.predict(np.stack([X, NAN]), n=10)),
        ("x", lambda g: g.certify_answer(NAN, n=10)),
        ("x", lambda g: g.sample(NAN, 10)),
        ("label", lambda g: g.certify(X, n=10, label=-2)),
        ("label", lambda g: g.certify(X, n=10, label=3)),
        ("n", lambda g: g.sample(X, 0)),
        ("n", lambda g: g.sample(X, 10**13)),
        ("std", opening(std=0)),
        ("constants", opening(constants={"a": []})),
        ("constants", opening(constants={"": 1})),
        ("constants", opening(constants={"a": 1})),
        ("provider_options", opening(provider_options={"": "a"})),
        ("provider_options", opening(provider_options={"a": "b"})),
        ("provider_library", opening(provider_library="")),
        ("tensorrt_cache", opening(tensorrt_cache="")),
        ("cuda_tf32", opening(cuda_tf32=True)),
        # The option of that name, and not x.
        ("input", opening(input="absent")),
        ("labels", lambda _: given(2**63, 2**63)),
        ("labels", lambda _: Counts.assuming([5.0, 5.0], sigma=0.5)),
        ("labels", lambda _: Counts.assuming([[5, 5]], sigma=0.5)),
        ("labels", lambda _: given(5, -5)),
        ("labels", lambda _: Counts.assuming([], sigma=0.5)),
        ("n", lambda _: given(5, 5, n=3)),
        ("n", lambda _: given(5, 5, n=0)),
        ("sigma", lambda _: Counts.assuming([5, 5])),
        ("sigma", lambda _: Counts.assuming([5, 5], sigma=0.5, noise="uniform:0.5")),
        ("sigma", lambda _: Counts.assuming([5, 5], sigma=0)),
        ("noise", lambda _: Counts.assuming([5, 5], noise="gaussian:0")),
        ("noise", lambda _: Counts.assuming([5, 5], noise="uniform:-1")),
        ("noise", lambda _: Counts.assuming([5, 5], noise="laplace:1")),
        ("noise", lambda _: SmoothedClassifier(model("linear"), noise="uniform:0")),
        ("sigma", lambda _: SmoothedClassifier(model("linear"))),
        ("radius_cost", lambda _: Counts.assuming([5, 5], sigma=0.5, radius_cost=-1)),
        ("validity", lambda _: Counts.assuming([5, 5], sigma=0.5, validity="often")),
        ("label", lambda _: given(5, 5).certify(2)),
        ("k", lambda _: given(5, 5).certify(0, 2)),
        ("alpha", lambda _: given(5, 5).certify(0, alpha=0.6)),
        ("allocation", lambda _: given(5, 5).certify(0, allocation="auto")),
        ("randomized", lambda _: given(5, 5).certify(0, randomized=True)),
        ("randomized", lambda _: given(5, 5).certify(0, randomized=0.0)),
        ("k", lambda _: given(5, 5).predict(2)),
        ("pilot", lambda _: given(5, 5).guarantee(pilot=given(5, 5, 5))),
        ("parts", lambda _: Counts.sum([])),
        ("json", lambda _: Counts.from_json("\0")),
        ("counts", lambda _: Counts.from_json("{}")),
        ("total", lambda _: AlphaBudget(0.6, "even:1")),
        ("saved", lambda _: AlphaBudget.open("{}")),
        ("number", drawn_out),
        ("alpha", lambda _: AlphaBudget(0.01, "asked").draw_of(0.1)),
    ],
)
def test_the_field_is_the_argument(
    linear: SmoothedClassifier, field: str, call: Callable[[SmoothedClassifier], object]
) -> None:
    with pytest.raises(SmoothTopKError) as raised:
        call(linear)
    assert raised.value.field == field and str(raised.value).startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("said", "call"),
    [
        ("neither a label nor -1", lambda g: g.certify(X, n=10, label=-2)),
        ("None keeps nothing", opening(tensorrt_cache="")),
        ("AlphaBudget.save", lambda _: AlphaBudget.open("{}")),
        ('input="NAME"', lambda _: SmoothedClassifier(model("two_inputs"), 0.5)),
    ],
)
def test_messages_are_of_python(
    linear: SmoothedClassifier, said: str, call: Callable[[SmoothedClassifier], object]
) -> None:
    with pytest.raises(SmoothTopKError) as raised:
        call(linear)
    assert said in raised.value.message
    assert not any(word in str(raised.value) for word in ("STK_", "stk_", "--"))
