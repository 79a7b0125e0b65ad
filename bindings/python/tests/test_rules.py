"""Stopping rules, and how alpha is split."""

from __future__ import annotations

import inspect
import json
import threading
from typing import Any

import numpy as np
import pytest

from smoothtopk import (
    Cancel,
    CancelledError,
    Certificate,
    Certificates,
    Counts,
    InvalidArgumentError,
    Prediction,
    Predictions,
    SmoothedClassifier,
)

from conftest import ENDLESS, given, rows

X = rows("linear")


def certified(g: SmoothedClassifier, **options: Any) -> Certificate:
    found = g.certify(X[0], **options)
    assert isinstance(found, Certificate)
    return found


def again(found: Certificate) -> Certificate:
    """The certificate from its own counts, by its own account of how it was made."""
    assert found.label is not None and found.allocation is not None
    options: dict[str, Any] = {
        "alpha": found.alpha,
        "allocation": found.allocation,
        "randomized": found.uniform or False,
    }
    return found.counts.certify(found.label, found.k, **options)


# Interim answers.


def test_interim_answers_come_in_order_and_the_final_one_last(linear: SmoothedClassifier) -> None:
    options: dict[str, Any] = {"k": [1, 2], "n": 200_000, "rule": "tolerance:0.001", "seed": 5}
    found = list(linear.certify_stream(X[0], **options))
    assert len(found) > 3 and all(isinstance(each, Certificates) and each.shape == (2,) for each in found)
    samples = [partial[0].n for partial in found]
    assert samples == sorted(samples)
    for partial in found:
        for each in partial:
            assert each.validity == "anytime" and each.status == "OK" and each.early_stop is None
            assert again(each).radius == each.radius
        assert ("open" in [each.decision for each in partial]) == (partial is not found[-1])
    final = linear.certify(X[0], **options)
    assert [each.radius for each in found[-1]] == [each.radius for each in final]


def test_closing_a_stream_cancels_the_rest(linear: SmoothedClassifier) -> None:
    before = linear.stats().jobs_cancelled
    stream = linear.certify_stream(X[0], n=ENDLESS, rule="tolerance:0", seed=5)
    assert next(stream).decision == "open"
    stream.close()
    assert linear.stats().jobs_cancelled == before + 1
    # One that was never begun takes nothing, and a loop that is left is closed with its generator.
    linear.certify_stream(X[0], n=ENDLESS, rule="tolerance:0").close()
    for partial in linear.certify_stream(X[0], n=ENDLESS, rule="tolerance:0", seed=5):
        if partial.n > 100:
            break
    assert linear.stats().jobs_cancelled == before + 2


def test_streams_of_every_question_end_as_their_calls_do(linear: SmoothedClassifier) -> None:
    *_, last = linear.predict_stream(X[0], n=20_000, seed=5)
    assert isinstance(last, Prediction) and last.top == linear.predict(X[0], n=20_000, rule="predict", seed=5).top
    *_, answer = linear.certify_answer_stream(X[0], n=20_000, rule="radius:0.1", seed=5)
    same = linear.certify_answer(X[0], n=20_000, rule="radius:0.1", seed=5)
    assert answer.set_radius == same.set_radius and answer.decision == same.decision
    cancel = Cancel()
    stream = linear.certify_stream(X[0], n=ENDLESS, rule="tolerance:0", cancel=cancel)
    next(stream)
    cancel.set()
    with pytest.raises(CancelledError):
        for _ in stream:
            pass
    *_, late = linear.certify_stream(X[0], n=ENDLESS, rule="tolerance:0", timeout=2)
    assert (late.early_stop, late.decision, late.status) == ("DEADLINE_EXCEEDED", "undecided", "OK")


def test_what_has_no_interim_answer_says_why(linear: SmoothedClassifier) -> None:
    with pytest.raises(InvalidArgumentError, match="for all n samples and for no fewer") as refused:
        next(linear.certify_stream(X[0], n=500, rule="fixed"))
    assert refused.value.field == "rule"
    with pytest.raises(InvalidArgumentError, match="a stream takes no batch"):
        linear.certify_stream(X[:2], rule="tolerance:0")


def test_both_ways_to_ask_have_the_same_defaults() -> None:
    for method, question in [("certify", "_certifying"), ("predict", "_predicting"), ("certify_answer", "_answering")]:
        asked = inspect.signature(getattr(SmoothedClassifier, method)).parameters
        for name, parameter in inspect.signature(getattr(SmoothedClassifier, question)).parameters.items():
            assert parameter.default in (asked[name].default, parameter.empty), (method, name)


# Rules of certify.


def test_a_radius_is_decided_with_few_samples(linear: SmoothedClassifier) -> None:
    found = certified(linear, n=1_000_000, rule="radius:0.5", seed=1)
    assert (found.decision, found.early_stop, found.status) == ("certified", None, "OK")
    assert found.radius >= 0.5 and found.certified
    assert found.n == found.n_certified == found.counts.n < 10_000
    assert found.n <= found.samples_drawn <= 1_000_000
    assert found.validity == "anytime"
    record = json.loads(found.to_json())
    assert (record["request"]["rule"], record["samples_drawn"]) == ("radius:0.5", found.samples_drawn)


def test_a_radius_is_refuted_or_left_undecided(linear: SmoothedClassifier) -> None:
    refuted = certified(linear, n=1_000_000, rule="radius:1.25", seed=1)
    assert refuted.decision == "refuted" and refuted.n < 100_000
    # What is certified below the radius asked for is a certificate all the same.
    assert 0 < refuted.radius < 1.25 and refuted.certified
    undecided = certified(linear, n=60, rule="radius:0.75", seed=1)
    # 60 samples cannot certify that: it is known at the first look.
    assert (undecided.decision, undecided.early_stop) == ("undecided", None) and undecided.samples_drawn < 60


@pytest.mark.parametrize(("rule", "tolerance"), [("tolerance:0.05", 0.05), ("tolerance:0.1sigma", 0.05)])
def test_a_tolerance_is_reached(linear: SmoothedClassifier, rule: str, tolerance: float) -> None:
    found = certified(linear, n=100_000, rule=rule, seed=2)
    whole = certified(linear, n=100_000, seed=2)
    assert found.decision == "reached" and whole.decision == "complete"
    assert found.n < 20_000 and (whole.n, whole.samples_drawn) == (100_000, 100_000)
    # The frequencies move a little between the two: the tolerance is about what is expected.
    assert found.radius > whole.radius - 2 * tolerance
    assert (found.validity, whole.validity) == ("anytime", "fixed")


def test_steps_end_between_two_of_them(linear: SmoothedClassifier) -> None:
    found = certified(linear, n=100_000, rule="steps:0.25", seed=2)
    whole = certified(linear, n=100_000, seed=2)
    assert found.decision == "reached" and found.n < 20_000 and found.certified
    assert found.radius // 0.25 == whole.radius // 0.25
    assert found.validity == "anytime:100000" and again(found).radius == found.radius


def test_randomized_bounds_are_made_again_from_their_uniform(linear: SmoothedClassifier) -> None:
    plain = certified(linear, n=2000, label=2, seed=1)
    found = certified(linear, n=2000, label=2, seed=1, randomized=True)
    assert plain.uniform is None and plain.validity == "fixed"
    assert found.uniform is not None and 0 < found.uniform <= 1 and found.radius >= plain.radius
    assert found.counts.labels.tolist() == plain.counts.labels.tolist()
    assert (again(found).radius, again(found).uniform) == (found.radius, found.uniform)
    assert found.validity == f"randomized:{found.uniform!r}"
    own = plain.counts.certify(2, randomized=True)
    assert (own.radius, own.uniform) == (found.radius, found.uniform)
    with pytest.raises(InvalidArgumentError) as refused:
        certified(linear, n=2000, rule="radius:0.5", randomized=True)
    assert refused.value.field == "randomized"


def test_each_k_is_decided_for_itself(linear: SmoothedClassifier) -> None:
    found = linear.certify(X[:2], k=[1, 2], n=50_000, rule="radius:0.7", seed=3)
    assert isinstance(found, Certificates) and found.shape == (2, 2)
    assert found.decision.tolist() == [[each.decision for each in row] for row in found]
    assert found.samples_drawn[0, 0] == found.samples_drawn[0, 1] == found[0, 0].samples_drawn
    for each in found.flat:
        assert each.decision in ("certified", "refuted", "undecided") and each.n_certified <= each.n
        assert (each.radius >= 0.7) == (each.decision == "certified")


@pytest.mark.parametrize("rule", ["fixed", "radius:0.5", "steps:0.1", "tolerance:0.05"])
@pytest.mark.parametrize("choice", [{}, {"allocation": "simuem"}, {"allocation": "auto"}, {"allocation": "pooled:0.7"}])
@pytest.mark.parametrize("k", [1, 2])
def test_a_certificate_follows_from_what_it_says(
    linear: SmoothedClassifier, rule: str, choice: dict[str, Any], k: int
) -> None:
    found = certified(linear, k=k, n=5_000, rule=rule, seed=4, **choice)
    assert found.n_certified == found.n
    assert (again(found).radius, again(found).p_lower) == (found.radius, found.p_lower)


# Rules of predict.


def test_a_set_is_settled_with_few_samples(linear: SmoothedClassifier) -> None:
    found = linear.predict(X[0], n=1_000_000, rule="predict", seed=1)
    assert isinstance(found, Prediction)
    assert (found.decision, found.early_stop, found.abstain) == ("settled", None, False)
    assert found.n < 1_000 and found.p_value <= found.alpha and found.labels == found.top == (2,)
    few = linear.predict(X[0], k=[1, 2], n=8, rule="predict", seed=1)
    assert isinstance(few, Predictions)
    assert few.decision.tolist() == ["undecided", "undecided"] and few.abstain.all()


# Rules and time.


def test_a_late_answer_is_an_answer(linear: SmoothedClassifier) -> None:
    found = certified(linear, n=ENDLESS, label=2, rule="tolerance:0", timeout=0.3, seed=1)
    assert (found.status, found.early_stop, found.decision) == ("OK", "DEADLINE_EXCEEDED", "undecided")
    assert found.certified and found.n <= found.samples_drawn < ENDLESS
    assert again(found).radius == found.radius
    assert json.loads(found.to_json())["early_stop"] == "DEADLINE_EXCEEDED"
    # Several inputs: those that were decided in time have no early stop.
    batch = linear.certify(X[:2], n=ENDLESS, label=[2, 0], rule="tolerance:0", timeout=0.3, seed=1)
    assert isinstance(batch, Certificates)
    assert [each.early_stop for each in batch] == ["DEADLINE_EXCEEDED", None]
    assert batch.decision.tolist() == ["undecided", "refuted"] and set(batch.status) == {"OK"}


def test_a_late_prediction_is_a_prediction_or_abstains(linear: SmoothedClassifier) -> None:
    # The labels 0 and 2 are as likely here, and less so than 1: samples settle the top 1, and never the top 2 (but with
    # probability alpha over seeds).
    tie = np.zeros(16, np.float32)
    tie[1] = 0.5
    found = linear.predict(tie, k=[1, 2], n=ENDLESS, rule="predict", timeout=0.3, seed=1)
    assert isinstance(found, Predictions)
    assert found.decision.tolist() == ["settled", "undecided"] and found.abstain.tolist() == [False, True]
    assert [each.early_stop for each in found] == ["DEADLINE_EXCEEDED"] * 2 and set(found.status) == {"OK"}
    assert found[0].labels == (1,) and 0 < found[1].n < ENDLESS


def test_a_cancel_is_no_answer(linear: SmoothedClassifier) -> None:
    cancel = Cancel()
    timer = threading.Timer(0.2, cancel.set)
    timer.start()
    with pytest.raises(CancelledError) as raised:
        linear.certify(X[0], n=ENDLESS, label=2, rule="tolerance:0", cancel=cancel)
    timer.join()
    partial = raised.value.partial
    assert isinstance(partial, Certificate)
    assert (partial.status, partial.early_stop, partial.radius) == ("CANCELLED", "CANCELLED", 0.0)
    assert (partial.decision, partial.allocation, partial.n_certified) == (None, None, 0)


# How alpha is split.


def test_auto_is_replaced_by_what_it_chose(linear: SmoothedClassifier) -> None:
    found = linear.certify(X[0], k=[1, 2], n=2_000, n0=200, allocation="auto", label=2, seed=5)
    assert isinstance(found, Certificates)
    for each in found:
        assert each.selection is not None and each.n0 == 200
        assert each.allocation not in (None, "auto")


def test_an_allocation_is_named_in_the_certificate(linear: SmoothedClassifier) -> None:
    found = certified(linear, n=1_000, seed=6, allocation="ranked:0.9")
    assert found.allocation == "ranked:0.9"
    assert certified(linear, n=1_000, seed=6, allocation="binocp").allocation == "binocp"
    assert certified(linear, n=1_000, seed=6).allocation == "ranked"
    assert given(900, 60, 40).certify(0, 2, allocation="pooled:0.5:1").allocation == "pooled:0.5:1"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"rule": "radius"}, "rule"),
        ({"rule": "radius:0"}, "rule"),
        ({"rule": "predict"}, "rule"),
        ({"rule": "a\0b"}, "rule"),
        ({"allocation": "pooled"}, "allocation"),
        ({"allocation": "ranked:2"}, "allocation"),
        ({"allocation": "hoeffding"}, "allocation"),
        ({"allocation": "auto", "n0": 0, "label": 1}, "n0"),
    ],
)
def test_wrong_rules_and_allocations(linear: SmoothedClassifier, options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        linear.certify(X[0], n=10, **options)
    assert raised.value.field == field


@pytest.mark.parametrize("options", [{"rule": 3}, {"rule": None}, {"allocation": 0.5}])
def test_wrong_types_of_rules_and_allocations(linear: SmoothedClassifier, options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(options))):
        linear.certify(X[0], n=10, **options)


# From counts.


def test_validity_of_counts() -> None:
    counts = [20, 950, 30]
    fixed, anytime, last = (
        Counts.assuming(counts, sigma=0.5, validity=validity).certify(1)
        for validity in ("fixed", "anytime", "anytime:1001")
    )
    # Bounds for all numbers of samples are wider than for one.
    assert 0 < anytime.radius == last.radius < fixed.radius
    assert (fixed.validity, anytime.validity, last.validity) == ("fixed", "anytime", "anytime")
    # A randomized bound is never wider.
    found = {uniform: given(*counts).certify(1, randomized=uniform) for uniform in (0.001, 0.999)}
    for uniform, each in found.items():
        assert each.radius >= fixed.radius and each.uniform == pytest.approx(uniform, rel=1e-12)
        assert each.validity == f"randomized:{each.uniform!r}"
    assert found[0.001].radius != found[0.999].radius
