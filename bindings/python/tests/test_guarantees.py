"""Guarantees for the labels that are returned."""

from __future__ import annotations

import copy
import json
import math
import pickle
from typing import Any

import numpy as np
import pytest

from smoothtopk import (
    DeadlineExceededError,
    Guarantee,
    Guarantees,
    InvalidArgumentError,
    InvalidDataError,
    SmoothedClassifier,
)

from conftest import ENDLESS, given, rows

X = rows("linear")


def one(answer: Guarantee | Guarantees) -> Guarantee:
    assert isinstance(answer, Guarantee)
    return answer


RADII = ("label_radii", "set_radius", "kept_radii", "first_radius", "ranking_radius")


def radii(found: Guarantee) -> list[Any]:
    return [getattr(found, name) for name in RADII]


@pytest.mark.parametrize("rule", ["radius:0.2", "tolerance:0.1sigma"])
def test_a_rule_ends_the_samples_of_an_answer(linear: SmoothedClassifier, rule: str) -> None:
    found = one(linear.certify_answer(X[0], k=2, n=200_000, rule=rule, seed=1))
    assert found.n < 200_000 and found.validity == "anytime"
    decisions = {"certified", "refuted"} if rule == "radius:0.2" else {"reached"}
    assert found.decision in decisions and (found.decision == "certified") == (
        rule == "radius:0.2" and found.set_radius >= 0.2
    )
    again = found.counts.guarantee(2, pilot=found.selection)
    assert radii(again) == radii(found) and again.validity == "anytime"
    late = one(linear.certify_answer(X[0], n=ENDLESS, rule="tolerance:0", timeout=0.2))
    assert (late.decision, late.early_stop, late.status) == ("undecided", "DEADLINE_EXCEEDED", "OK")
    with pytest.raises(InvalidArgumentError) as refused:
        linear.certify_answer(X[0], n=1000, n0=0, rule=rule)
    assert refused.value.field == "n0"
    with pytest.raises(InvalidArgumentError, match="steps"):
        linear.certify_answer(X[0], n=1000, rule="steps:0.1")


@pytest.mark.parametrize("n0", [0, 100])
@pytest.mark.parametrize("k", [1, 2])
def test_a_guarantee_follows_from_its_counts(linear: SmoothedClassifier, n0: int, k: int) -> None:
    found = one(linear.certify_answer(X[0], k=k, n=3_000, n0=n0, alpha=0.01, seed=1, stream=2))
    assert (found.k, found.n, found.n0, found.alpha, found.radius_cost > 0) == (k, 3_000, n0, 0.01, True)
    assert (found.decision, found.early_stop, found.status, found.stream) == ("complete", None, "OK", 2)
    assert found.counts.n == found.n == found.n_certified and (found.selection is None) == (n0 == 0)
    chosen = found.counts if found.selection is None else found.selection
    assert found.labels == tuple(np.argsort(-np.asarray(chosen, np.int64), kind="stable")[:k].tolist())
    again = found.counts.guarantee(k, alpha=0.01, pilot=found.selection)
    assert again.labels == found.labels and radii(again) == radii(found)
    assert (again.n, again.n0, again.alpha, again.radius_cost) == (found.n, found.n0, 0.01, found.radius_cost)
    # An answer is certified by samples of its own, which sample() does not give.
    from_samples = linear.sample(X[0], 3_000, seed=1, stream=2).guarantee(k, alpha=0.01, pilot=found.selection)
    assert from_samples.k == k and radii(from_samples) != radii(found)


def test_what_the_radii_are_to_each_other() -> None:
    counts = given(5_000, 2_500, 1_200, 600, 400, 300)
    found = counts.guarantee(3)
    assert found.labels == (0, 1, 2) and found.certified
    assert len(found.label_radii) == len(found.kept_radii) == 3
    # A likelier label stays longer, and one of three longer than all three.
    assert sorted(found.label_radii, reverse=True) == list(found.label_radii)
    assert found.kept_radii[0] > found.kept_radii[1] > found.kept_radii[2] > 0
    assert found.kept_radii[2] == found.set_radius
    assert 0 < found.ranking_radius <= found.first_radius
    # The labels for k = 1: all five are one statement.
    single = counts.guarantee(1)
    assert {single.set_radius, single.first_radius, single.ranking_radius} == set(single.label_radii)
    # Separate samples that chose the labels are not paid for out of alpha.
    pilot = counts.guarantee(3, pilot=given(50, 25, 12, 6, 4, 3))
    assert pilot.labels == found.labels and pilot.set_radius > found.set_radius
    assert pilot.n0 == 100 and pilot.selection is not None


def test_labels_that_stay_whatever_happens() -> None:
    # One label is outside: no perturbation can push out two of the two.
    found = given(900, 60, 40).guarantee(2)
    assert math.isinf(found.kept_radii[0]) and found.kept_radii[1] == found.set_radius
    assert json.loads(found.to_json())["kept_radii"][0] is None


def test_shapes(linear: SmoothedClassifier) -> None:
    found = linear.certify_answer(X[:3], k=[2, 1], n=1_000, seed=3)
    assert isinstance(found, Guarantees) and found.shape == (3, 2)
    assert found.labels.shape == found.label_radii.shape == found.kept_radii.shape == (3, 2, 2)
    assert (found.labels[:, 1, 1] == -1).all() and (found.label_radii[:, 1, 1] == 0).all()
    assert found.set_radius.shape == found.first_radius.shape == found.ranking_radius.shape == (3, 2)
    assert found.certified.tolist() == (found.set_radius > 0).tolist()
    assert found[1, 0].labels == tuple(found.labels[1, 0]) and found[1, 0].stream == 1
    assert found.kept_radii[0, 0].tolist() == list(found[0, 0].kept_radii)
    assert isinstance(linear.certify_answer(X[0], k=[1], n=100), Guarantees)
    empty = linear.certify_answer(X[:0], k=[1, 2])
    assert isinstance(empty, Guarantees) and empty.set_radius.shape == (0, 2)


def test_what_it_says_of_itself(linear: SmoothedClassifier) -> None:
    found = one(linear.certify_answer(X[0], k=2, n=500, seed=4))
    assert repr(found).startswith("Guarantee(labels=") and "counts" not in repr(found)
    record = json.loads(found.to_json())
    assert (record["task"], record["guarantees"][0]["labels"]) == ("certify_answer", list(found.labels))
    from_counts = json.loads(found.counts.guarantee(2, pilot=found.selection).to_json())
    for name in ("labels", *RADII):
        assert from_counts[name] == record["guarantees"][0][name]
    for name in ("counts", "selection"):
        assert from_counts[name]["draws"] == record[name]["draws"]
    for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert radii(again) == radii(found) and again.to_json() == found.to_json()


def test_a_timeout_is_no_answer(linear: SmoothedClassifier) -> None:
    with pytest.raises(DeadlineExceededError) as raised:
        linear.certify_answer(X[0], k=2, n=ENDLESS, timeout=0.2)
    partial = raised.value.partial
    assert isinstance(partial, Guarantee)
    assert (partial.status, partial.certified, partial.labels) == ("DEADLINE_EXCEEDED", False, ())
    assert (partial.label_radii, partial.kept_radii, partial.set_radius) == ((), (), 0.0)
    assert (partial.first_radius, partial.ranking_radius, partial.decision) == (0.0, 0.0, None)
    assert 0 < partial.n < ENDLESS and (partial.n_certified, partial.validity) == (0, None)


@pytest.mark.parametrize(
    ("options", "field"),
    [({"k": 3}, "k"), ({"k": 0}, "k"), ({"n": 0}, "n"), ({"alpha": 0.6}, "alpha"), ({"n0": -1}, "n0")],
)
def test_wrong_values(linear: SmoothedClassifier, options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        linear.certify_answer(X[0], **options)
    assert raised.value.field == field


def test_wrong_counts() -> None:
    counts = given(5, 90, 5)
    for k in (0, 3, 10**6):
        with pytest.raises(InvalidArgumentError) as raised:
            counts.guarantee(k)
        assert raised.value.field == "k"
    # Samples that chose the labels are other samples; these would make a radius that need not hold.
    with pytest.raises(InvalidArgumentError) as raised:
        counts.guarantee(1, pilot=counts)
    assert raised.value.field == "pilot"
    with pytest.raises(InvalidDataError) as failed:
        counts.guarantee(1, pilot=given(1, 2))
    assert failed.value.field == "pilot"
    with pytest.raises(TypeError, match=r"pilot must be Counts.*Counts\.assuming"):
        counts.guarantee(1, pilot=[5, 90, 5])  # type: ignore[arg-type]
