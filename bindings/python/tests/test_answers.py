"""What a classifier answers."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

from smoothtopk import (
    Certificate,
    Counts,
    InvalidArgumentError,
    NotFoundError,
    Prediction,
    Predictions,
    SameNoiseWarning,
    SmoothedClassifier,
)

from conftest import given, labels, many, model, one, rows

X = rows("linear")


def test_one_input_and_one_k(linear: SmoothedClassifier) -> None:
    found = one(linear.certify(X[0], k=2, n=2000, n0=50, alpha=0.01, seed=7, stream=5))
    assert (found.k, found.n, found.n0, found.counts.noise, found.alpha) == (2, 2000, 50, "gaussian:0.5", 0.01)
    assert (found.allocation, found.stream, found.status, found.assumed) == ("ranked", 5, "OK", False)
    counts = found.counts.labels
    assert counts.shape == (3,) and counts.dtype == np.uint64 and counts.sum() == 2000 == found.counts.n
    assert found.selection is not None and found.selection.n == 50
    assert found.label == int(found.selection.labels.argmax())
    assert found.certified == (found.radius > 0)
    assert found.grid > 0 and found.radius_cost > 0 and found.seconds > 0
    assert "counts" not in repr(found) and found.counts is found.counts


def test_shapes_of_answers(linear: SmoothedClassifier) -> None:
    options: dict[str, Any] = {"n": 300, "seed": 1}
    assert isinstance(linear.certify(X[0], **options), Certificate)
    assert isinstance(linear.predict(X[0], **options), Prediction)
    batch = many(linear.certify(X[:4], **options))
    assert batch.shape == (4,) and len(batch) == 4
    ks = many(linear.certify(X[0], k=[1, 2], **options))
    assert ks.shape == (2,) and ks.k.tolist() == [1, 2]
    both = many(linear.certify(X[:4], k=(1, 2), **options))
    assert both.shape == (4, 2) and both.radius.shape == (4, 2) and both.counts.shape == (4, 2, 3)
    assert both.label.dtype == np.int64 and both.certified.dtype == np.bool_ and both.p_lower.dtype == np.float64
    assert many(linear.certify(X[:1], **options)).shape == (1,)
    assert many(linear.certify(X[0], k=[1], **options)).shape == (1,)
    # Input i has stream i: a batch is its inputs one by one.
    for i, row in enumerate(both):
        for j, k in enumerate((1, 2)):
            single = one(linear.certify(X[i], k=k, stream=i, **options))
            assert labels(single) == labels(row[j]) == both.counts[i, j].tolist()
            assert single.radius == row[j].radius == both.radius[i, j]
    assert [each.radius for each in both.flat] == both.radius.ravel().tolist()
    assert both[-1][0].stream == 3 and both[1:3].shape == (2, 2) and both[1:3][0, 0].stream == 1
    with pytest.raises(IndexError):
        both[4]
    predicted = linear.predict(X[:4], k=[1, 2], **options)
    assert isinstance(predicted, Predictions) and predicted.shape == (4, 2)
    assert predicted.labels.shape == (4, 2, 2) and predicted.p_value.shape == (4, 2)
    for row in predicted:
        for each in row:
            assert each.abstain == (each.labels is None) and len(each.top) == each.k
    assert (predicted.labels[:, 0, 1] == -1).all()


def test_labels_given(linear: SmoothedClassifier) -> None:
    found = many(linear.certify(X[:3], n=300, seed=1, label=np.array([2, -1, 0])))
    assert found.label.tolist()[0] == 2 and found.label.tolist()[2] == 0
    assert found[0].selection is None and found[1].selection is not None
    assert many(linear.certify(X[:3], n=300, label=1)).label.tolist() == [1, 1, 1]
    with pytest.raises(InvalidArgumentError) as raised:
        linear.certify(X[:3], n=300, label=[1, 2])
    assert raised.value.field == "label"
    for wrong in (1.0, "a", [[1, 1, 1]], [1.5, 2, 3]):
        with pytest.raises(TypeError, match="label"):
            linear.certify(X[:3], n=300, label=wrong)  # type: ignore[arg-type]


def test_samples_add_up_to_what_certify_draws(linear: SmoothedClassifier) -> None:
    whole = one(linear.certify(X[0], n=1000, seed=9, stream=4, label=1))
    parts = [linear.sample(X[0], 250, first=first, seed=9, stream=4) for first in (500, 0, 750, 250)]
    for total in (parts[0] + parts[1] + parts[2] + parts[3], Counts.sum(iter(parts)), sum(parts)):
        assert total.n == 1000 and total.labels.tolist() == labels(whole)
        again = total.certify(1)
        assert (again.radius, again.p_lower, again.validity) == (whole.radius, whole.p_lower, "fixed")
    # Without a seed each call has one of its own.
    assert (linear.sample(X[0], 10) + linear.sample(X[0], 10)).n == 20
    with pytest.raises(TypeError):
        parts[0] + parts[1].labels
    with pytest.raises(InvalidArgumentError):
        linear.sample(X[:2], 10)


def test_samples_without_a_label_count_in_n() -> None:
    x = rows("nan_scores")
    with SmoothedClassifier(model("nan_scores"), 0.5, batch=32) as g:
        found = one(g.certify(np.full_like(x[0], 0.5), n=1000, seed=2, label=0))
    assert found.n == 1000 and found.counts.labels.sum() == 1000 - found.counts.invalid < 1000


def test_json(linear: SmoothedClassifier) -> None:
    found = one(linear.certify(X[0], n=300, seed=5))
    record = json.loads(found.to_json())
    assert record["model"]["model_sha256"] == linear.sha256 and record["counts"]["labels"] == labels(found)
    assert record["counts"] == json.loads(found.counts.to_json())
    prediction = linear.predict(X[0], n=300, seed=5)
    assert isinstance(prediction, Prediction) and linear.sha256 in prediction.to_json()
    from_counts = json.loads(given(5, 90, 5).certify(1).to_json())
    assert from_counts["counts"]["labels"] == [5, 90, 5] and from_counts["assumed"] is True
    assert json.loads(given(5, 90, 5).predict().to_json())["labels"] == [1]


def test_seeds(linear: SmoothedClassifier) -> None:
    first, second = (one(linear.certify(X[0], n=300)) for _ in range(2))
    drawn = [int(json.loads(each.to_json_with_secret())["counts"]["draws"][0]["secret"]) for each in (first, second)]
    assert drawn[0] != drawn[1]
    assert labels(one(linear.certify(X[0], n=300, seed=drawn[0]))) == labels(first)
    assert str(2**64 - 1) in one(linear.certify(X[0], n=10, seed=2**64 - 1)).to_json_with_secret()


def test_counts_are_views_that_outlive_all_else() -> None:
    g = SmoothedClassifier(model("linear"), 0.5, batch=16)
    found = one(g.certify(X[0], n=500, seed=4))
    counts, expected = found.counts.labels, labels(found)
    assert not counts.flags.owndata and not counts.flags.writeable
    g.close()
    del found, g
    gc.collect()
    for _ in range(50):
        given(1, 2, 3).certify(2)
    assert counts.tolist() == expected
    with pytest.raises(ValueError, match="read-only"):
        counts[0] = 1


def test_answers_can_be_pickled_and_copied(linear: SmoothedClassifier) -> None:
    found = many(linear.certify(X[:2], n=100, seed=1))
    for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert again.counts.tolist() == found.counts.tolist() and again[1].to_json() == found[1].to_json()
        assert again[0].counts.certify(0).radius == found[0].counts.certify(0).radius
    error = pickle.loads(pickle.dumps(NotFoundError("no", "path")))
    assert (str(error), error.field) == ("path: no", "path")
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(linear)


def test_one_seed_for_several_inputs_is_told_once() -> None:
    with SmoothedClassifier(model("linear"), 0.5, batch=16) as g, warnings.catch_warnings():
        warnings.simplefilter("error")
        g.certify(X[0], n=10, seed=7)
        # Not what has other noise, or is the same input, or another purpose.
        for x in X[1:3]:
            g.certify(x, n=10)
            g.certify(x, n=10, generator="chacha12")
        g.certify(X[1], n=10, seed=8)
        g.certify(X[0], n=10, seed=7)
        g.certify(X[0].astype(float), n=10, seed=7)
        g.certify(X[1], n=10, seed=7, stream=1)
        g.certify(X[0], n=10, seed=7)
        g.predict(X[1], n=10, seed=7)
        with pytest.warns(SameNoiseWarning, match=r"stream=i") as told:
            g.sample(X[1], 10, seed=7)
        assert told[0].filename == __file__
        g.certify(X[2], n=10, seed=7)
    with SmoothedClassifier(model("linear"), 0.5, batch=16) as g:
        with pytest.warns(SameNoiseWarning, match=r"by this key and stream 3") as told:
            for x in X[:2]:
                g.predict(x, n=10, stream=3, chacha12_key=bytes(32))
        assert len(told) == 1
