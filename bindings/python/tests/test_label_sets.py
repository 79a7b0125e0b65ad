"""Multi-label models: counts of sets of labels, and the radii of a set of true labels."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from smoothtopk import Counts, InvalidArgumentError, InvalidDataError, SmoothedClassifier

from conftest import model, rows

X = rows("exact_order")[0]


def test_counts_of_sets_certify_sets_of_labels_and_nothing_else() -> None:
    with SmoothedClassifier(model("exact_order"), 0.01, batch=64, base_k=2) as g:
        counts = g.sample(X, 1000, seed=3)
        with pytest.raises(InvalidArgumentError) as refused:
            g.certify(X, 1, 1000)
        assert refused.value.field == "base_k"
    with SmoothedClassifier(model("exact_order"), 0.01, batch=64) as g:
        tops = g.sample(X, 1000, seed=3)
    numbers = np.asarray(counts)
    assert numbers.sum() == 2000 and (numbers >= np.asarray(tops)).all(), "two labels a row, the top one among them"
    form = json.loads(counts.to_json())
    assert (form["base_k"], form["invalid"]) == (2, 0)
    order = np.argsort(-numbers, kind="stable")
    likely = sorted(int(label) for label in order[:2])
    radii = counts.certify_labels(likely, 2)
    assert len(radii) == 2 and radii[0] >= radii[1] >= 0 and radii[0] > 0
    # The same from their written form, and never more for a smaller alpha.
    assert Counts.from_json(counts.to_json()).certify_labels(likely, 2) == radii
    assert counts.certify_labels(likely, 2, alpha=1e-6)[0] <= radii[0]
    # Fewer than s = k - e + 1 others: whatever happens.
    assert counts.certify_labels(range(numbers.size - 1), 3)[0] == math.inf
    assert len(counts.certify_labels(likely, 1)) == 1
    for refused_by in (lambda: counts.certify(0), lambda: counts.predict(1), lambda: counts.guarantee(1)):
        with pytest.raises(InvalidDataError):
            refused_by()
    for labels, field in (([], "labels"), ([1, 0], "labels"), ([99], "labels")):
        with pytest.raises(InvalidArgumentError) as wrong:
            counts.certify_labels(labels, 2)
        assert wrong.value.field == field
    with pytest.raises(InvalidArgumentError) as wrong:
        counts.certify_labels(likely, 2, allocation="binocp")
    assert wrong.value.field == "allocation"


def test_a_set_that_no_model_can_give_is_refused() -> None:
    for base_k in (0, 7):
        with pytest.raises(InvalidArgumentError) as refused:
            SmoothedClassifier(model("exact_order"), 0.01, batch=64, base_k=base_k)
        assert refused.value.field == "base_k"
