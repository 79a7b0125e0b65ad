"""What the noise costs: statements from counts take it off as those of a run do."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from smoothtopk import (
    Certificate,
    Counts,
    Guarantee,
    InvalidArgumentError,
    InvalidDataError,
    NoiseCost,
    Prediction,
    RowNoise,
    SmoothedClassifier,
    certify_answer_counts,
    certify_counts,
    predict_counts,
)
from smoothtopk._noise_cost import alpha_left

from conftest import model, rows

X = rows("linear")


@pytest.fixture(scope="module", params=[None, 8])
def g(request: pytest.FixtureRequest) -> Iterator[SmoothedClassifier]:
    """With each kind of noise."""
    with SmoothedClassifier(model("linear"), 0.5, batch=32, exact_levels=request.param) as classifier:
        yield classifier


def costly(n: int = 100) -> Counts:
    """Counts of exact noise whose cost shows."""
    return Counts(np.array([n - 5, 5, 0], np.uint64), n, noise=RowNoise(0.5, 0.0, 1e-5))


def refused(field: str, call: Any, error: type[Exception] = InvalidArgumentError) -> None:
    with pytest.raises(error) as raised:
        call()
    assert raised.value.field == field  # type: ignore[attr-defined]


@pytest.mark.parametrize(("n", "alpha"), [(20, 0.4), (3_000, 0.001), (3_000, 1e-12)])
def test_counts_certify_as_a_run_does(g: SmoothedClassifier, n: int, alpha: float) -> None:
    counts = g.sample(X[0], n, seed=1)
    # Also of a sum, of a copy that was saved, and of a view of it as an array with the cost asked for.
    parts = g.sample(X[0], n // 2, seed=1) + g.sample(X[0], n - n // 2, first=n // 2, seed=1)
    saved = pickle.loads(pickle.dumps(counts))
    label = int(counts.counts.argmax())
    whole = g.certify(X[0], n=n, seed=1, label=label, alpha=alpha)
    assert isinstance(whole, Certificate) and whole.radius > 0
    cost = g.noise_cost(n, alpha)
    assert cost == (whole.alpha_left, whole.radius_slack)
    bare = certify_counts(counts.counts, label, 1, 0.5, cost.alpha_left, radius_slack=cost.radius_slack)
    assert bare.radius == whole.radius
    for each in (counts, parts, saved):
        again = each.certify(label, alpha=alpha)
        assert (again.radius, again.p_lower, again.p_upper) == (whole.radius, whole.p_lower, whole.p_upper)
        assert (again.alpha, again.alpha_left, again.sigma) == (alpha, whole.alpha_left, 0.5)
        assert again.radius_slack == whole.radius_slack
        assert certify_counts(each, label, 1, 0.5, alpha).radius == whole.radius
        record = json.loads(again.to_json())
        assert (record["alpha"], record["alpha_left"]) == (alpha, whole.alpha_left)


def test_counts_guarantee_and_predict_as_a_run_does(g: SmoothedClassifier) -> None:
    whole = g.certify_answer(X[0], k=2, n=500, n0=0, seed=1)
    counts = g.sample(X[0], 500, seed=1)
    assert isinstance(whole, Guarantee) and any(whole.label_radii)
    again = Counts(whole.counts, whole.n, noise=counts.noise).certify_answer(2)
    assert (again.label_radii, again.kept_radii) == (whole.label_radii, whole.kept_radii)
    assert (again.alpha, again.alpha_left) == (whole.alpha, whole.alpha_left)
    assert json.loads(again.to_json())["alpha_left"] == whole.alpha_left
    chosen = g.certify_answer(X[0], k=2, n=500, n0=100, seed=1)
    assert isinstance(chosen, Guarantee) and chosen.selection is not None
    drawn = Counts(chosen.counts, chosen.n, noise=counts.noise)
    again = certify_answer_counts(drawn, 2, pilot=chosen.selection)
    assert (again.label_radii, again.alpha_left) == (chosen.label_radii, chosen.alpha_left)
    asked = g.noise_cost(500)
    predicted = predict_counts(counts)
    assert isinstance(predicted, Prediction)
    assert (predicted.alpha, predicted.alpha_left) == (0.001, asked.alpha_left)


@pytest.mark.parametrize("levels", [1, 8, 255, 2**12])
def test_what_is_left_is_the_librarys_to_the_last_bit(levels: int) -> None:
    sigma = 2.0 if levels == 1 else 0.5
    with SmoothedClassifier(model("linear"), sigma, batch=32, exact_levels=levels) as g:
        noise = g.sample(np.zeros(16), 1, seed=1).noise
        assert noise is not None and noise.row_alpha > 0
        for n in (1, 2, 3, 20, 100_000, 10**9, 10**12):
            for alpha in (0.5, 0.4, 0.001, 1e-9, 3 * n * noise.row_alpha, 2.1 * n * noise.row_alpha):
                if alpha <= 0.5 and alpha > 2.05 * n * noise.row_alpha:
                    assert alpha_left(alpha, n, noise.row_alpha) == g.noise_cost(n, alpha).alpha_left
        refused("alpha", lambda: alpha_left(1e-15, 10**6, noise.row_alpha))
        refused("alpha", lambda: g.noise_cost(10**6, 1e-15))


def test_noise_that_costs_alpha() -> None:
    found = costly().certify(0, alpha=0.01)
    assert found.alpha_left == pytest.approx(0.009, rel=1e-9) and found.alpha == 0.01
    assert found.radius < certify_counts(costly().counts, 0, 1, 0.5, 0.01).radius
    # The cost is by the rows that there might have been.
    assert costly().certify(0, alpha=0.01, most_rows=400).alpha_left == pytest.approx(0.006, rel=1e-9)
    refused("most_rows", lambda: costly().certify(0, most_rows=99))
    refused("alpha", lambda: costly().certify(0, alpha=1e-3))
    refused("most_rows", lambda: costly().certify(0, alpha=0.01, validity="anytime"))
    refused("most_rows", lambda: costly().certify_answer(1, alpha=0.01, validity="anytime"))
    known = costly().certify(0, alpha=0.01, validity="anytime", most_rows=400)
    assert known.alpha_left == costly().certify(0, alpha=0.01, validity="anytime:400").alpha_left
    assert costly().certify_answer(1, alpha=0.01, pilot=[200, 100, 0]).alpha_left == known.alpha_left
    # Where nothing is paid, nothing need be known.
    Counts(costly().counts, 100, noise=RowNoise(0.5, 0.0, 0.0)).certify(0, validity="anytime")
    for wrong in (-1e-9, math.nan):
        refused("row_alpha", lambda row=wrong: Counts(costly().counts, 100, noise=RowNoise(0.5, 0, row)).certify(0))


def test_the_larger_slack_counts() -> None:
    counts = Counts(np.array([990, 10], np.uint64), 1000, noise=RowNoise(0.5, 0.125, 0.0))
    assert counts.certify(0).radius_slack == counts.certify(0, radius_slack=0.0625).radius_slack == 0.125
    assert counts.certify(0, radius_slack=0.25).radius_slack == 0.25
    assert counts.certify_answer(1, radius_slack=0.25).radius_slack == 0.25
    for wrong in (-1.0, math.nan):
        refused("radius_slack", lambda slack=wrong: counts.certify(0, radius_slack=slack))


def test_noise_that_contradicts_the_counts(g: SmoothedClassifier) -> None:
    counts = g.sample(X[0], 20, seed=1)
    refused("sigma", lambda: counts.certify(0, sigma=0.25))
    refused("sigma", lambda: counts.certify_answer(1, sigma=0.25))
    refused("sigma", lambda: certify_counts(counts, 0, 1, 0.25))
    refused("sigma", lambda: certify_counts(counts.counts, 0, 1))
    with SmoothedClassifier(model("linear"), 0.25, batch=32) as other:
        foreign = other.sample(X[0], 20, seed=1)
    refused("counts", lambda: counts + foreign, InvalidDataError)
    refused("pilot", lambda: counts.certify_answer(1, pilot=foreign))
    # Bare counts take the noise of those they are added to.
    assert (Counts(counts.counts, 20) + counts).noise == (counts + Counts(counts.counts, 20)).noise == counts.noise


def test_rows_are_not_dropped() -> None:
    counts = Counts(np.array([9, 1], np.uint64), 20)
    refused("n", lambda: certify_counts(counts, 0, 1, 0.5, n=10))
    refused("n", lambda: predict_counts(counts, n=10))
    assert certify_counts(counts, 0, 1, 0.5, n=20).n == 20


def test_asking_for_the_cost(g: SmoothedClassifier) -> None:
    assert isinstance(g.noise_cost(10), NoiseCost)
    refused("n", lambda: g.noise_cost(0))
    refused("n", lambda: g.noise_cost(10**12 + 1))
    refused("alpha", lambda: g.noise_cost(10, 0.6))
    with SmoothedClassifier(model("linear"), 0.5, batch=32) as closed:
        pass
    refused("model", lambda: closed.noise_cost(10))
