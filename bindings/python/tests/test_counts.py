"""A test for each row of the table of misuse in docs/counts.md, and what counts are in Python."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smoothtopk import (
    Certificate,
    Counts,
    DeadlineExceededError,
    Guarantee,
    InvalidArgumentError,
    InvalidDataError,
    Prediction,
    SmoothedClassifier,
)

from conftest import ENDLESS, given, model, rows

X = rows("linear")


@pytest.fixture(scope="module", params=[None, 8], ids=["float32 noise", "exact noise"])
def g(request: pytest.FixtureRequest) -> Iterator[SmoothedClassifier]:
    """With each kind of cost: of the radius, and of alpha."""
    with SmoothedClassifier(model("linear"), 0.5, batch=32, exact_levels=request.param) as classifier:
        yield classifier


def certified(g: SmoothedClassifier, **options: Any) -> Certificate:
    found = g.certify(X[0], seed=1, **options)
    assert isinstance(found, Certificate)
    return found


def refused(call: Callable[[], object], why: str) -> None:
    with pytest.raises(InvalidDataError, match=why):
        call()


# The table.


@pytest.mark.parametrize(("n", "alpha"), [(20, 0.4), (3_000, 0.001), (3_000, 1e-12)])
def test_row_1_samples_certify_as_a_run_does(g: SmoothedClassifier, n: int, alpha: float) -> None:
    whole = certified(g, n=n, label=2, alpha=alpha)
    assert whole.radius > 0 and (whole.radius_cost > 0) != (whole.alpha_left < alpha)
    found = g.sample(X[0], n, seed=1).certify(2, alpha=alpha)
    for name in ("radius", "p_lower", "p_upper", "alpha", "alpha_left", "radius_cost", "validity", "n"):
        assert getattr(found, name) == getattr(whole, name), name


def test_row_2_counts_that_a_rule_ended_take_bounds_of_all_looks(g: SmoothedClassifier) -> None:
    found = certified(g, n=50_000, rule="radius:0.5", label=2)
    again = found.counts.certify(2)
    assert (again.radius, again.validity) == (found.radius, "anytime") and found.n < 50_000
    # As the same numbers of a fixed n would not.
    cost = {"sigma": 0.5, "radius_cost": found.radius_cost}
    assert Counts.assuming(found.counts, **cost).certify(2).radius > again.radius


def test_row_3_what_was_cut_short_certifies_nothing(g: SmoothedClassifier) -> None:
    with pytest.raises(DeadlineExceededError) as raised:
        g.certify(X[0], n=ENDLESS, label=2, timeout=0.1)
    partial = raised.value.partial
    assert isinstance(partial, Certificate) and 0 < partial.counts.n < ENDLESS
    for counts in (partial.counts, pickle.loads(pickle.dumps(partial.counts))):
        refused(lambda counts=counts: counts.certify(2), "cut short")
        refused(lambda counts=counts: counts.predict(), "cut short")
    # A rule's last look is sound.
    late = certified(g, n=10**9, label=2, rule="tolerance:0", timeout=0.2)
    assert late.counts.certify(2).radius == late.radius > 0


def test_row_3_invalid_samples_are_kept() -> None:
    with SmoothedClassifier(model("nan_scores"), 0.5, batch=32) as g:
        x = np.full(g.element_shape, 0.5)
        found, counts = g.certify(x, n=1000, seed=2, label=0), g.sample(x, 1000, seed=2)
    assert isinstance(found, Certificate)
    assert counts.invalid == 1000 - counts.labels.sum() > 0
    assert (found.counts.n, found.counts.invalid) == (counts.n, counts.invalid) == (1000, found.counts.invalid)
    # Each counts for every rival.
    forgotten = Counts.assuming(counts, sigma=0.5, radius_cost=found.radius_cost).certify(0)
    assert forgotten.p_upper < found.p_upper == counts.certify(0).p_upper


def test_row_4_the_same_samples_do_not_count_twice(g: SmoothedClassifier) -> None:
    total = g.sample(X[0], 1000, seed=7)
    refused(lambda: total + g.sample(X[0], 1000, seed=7), "share samples")
    refused(lambda: total + g.sample(X[0], 1000, seed=7, first=999), "share samples")
    refused(lambda: total + Counts.from_json(total.to_json()), "share samples")
    assert total.n == 1000
    total += g.sample(X[0], 1000, seed=7, first=1000)
    assert total.n == 2000


def test_row_5_a_pilot_is_of_other_samples(g: SmoothedClassifier) -> None:
    counts = g.sample(X[0], 1000, seed=1)
    refused(lambda: counts.guarantee(pilot=g.sample(X[0], 10, seed=1)), "share samples")
    refused(lambda: counts.guarantee(pilot=copy.copy(counts)), "share samples")
    with pytest.raises(InvalidArgumentError):
        counts.guarantee(pilot=counts)
    assert counts.guarantee(pilot=g.sample(X[0], 10, seed=2)).certified


def test_row_6_bare_numbers_say_what_is_assumed() -> None:
    with pytest.raises(TypeError, match=r"Counts\.assuming"):
        Counts([5, 90, 5])  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="sigma"):
        Counts.assuming([5, 90, 5])
    counts = Counts.assuming([5, 90, 5], noise="uniform:0.5", n=110, radius_cost=0.125, validity="anytime")
    found = counts.certify(1)
    assert (found.assumed, found.radius_cost, found.validity, counts.assumed) == (True, 0.125, "anytime", True)
    for said in ("uniform:0.5", "looks", "10 of the samples", "0.125"):
        assert sum(said in line for line in counts.assumptions) == 1
    assert json.loads(found.to_json())["assumed"] is True


def test_row_7_samples_that_are_added_after_a_look(g: SmoothedClassifier) -> None:
    def parts() -> tuple[Counts, Counts]:
        return g.sample(X[0], 500, seed=1), g.sample(X[0], 500, seed=1, first=500)

    fresh = Counts.sum(parts())
    for look in (lambda c: c.certify(2), lambda c: c.predict(), lambda c: c.guarantee()):
        part, second = parts()
        look(part)
        # The sum that is built again after a look at it has been looked at, too.
        rebuilt = parts()
        look(Counts.sum(rebuilt))
        for seen, more in ((part, second), (pickle.loads(pickle.dumps(part)), second), rebuilt):
            if g.exact_levels:
                # No number of samples was fixed, so that what the noise costs has no bound.
                refused(lambda total=seen + more: total.guarantee(), "largest number")
                continue
            found = (seen + more).guarantee()
            assert (found.validity, found.n) == ("anytime", 1000)
    part, second = parts()
    if not g.exact_levels:
        part.certify(2)
        assert (part + second).certify(2).radius < fresh.certify(2).radius
    assert fresh.certify(2).validity == "fixed"


def test_row_7_said_before_the_first_look(g: SmoothedClassifier) -> None:
    first, second = g.sample(X[0], 500, seed=1), g.sample(X[0], 500, seed=1, first=500)
    for last in (499, 0, -1):
        with pytest.raises(InvalidArgumentError, match="last"):
            first.growing(last)
    looked = g.sample(X[0], 500, seed=1)
    looked.certify(2)
    refused(lambda: looked.growing(1000), "before the first statement")
    growing = first.growing(1000)
    look = growing.certify(2)
    assert (look.validity, (growing + second).certify(2).validity) == ("anytime", "anytime")
    # The most samples were fixed, so that exact noise has a cost.
    assert look.alpha_left == (growing + second).certify(2).alpha_left


def test_row_8_samples_that_chose_a_label_do_not_certify_it(g: SmoothedClassifier) -> None:
    chosen = certified(g, n=1000)
    predicted, answer = g.predict(X[0], n=1000, seed=1), g.certify_answer(X[0], n=1000, seed=1)
    assert isinstance(predicted, Prediction) and isinstance(answer, Guarantee)
    assert chosen.selection is not None and answer.selection is not None
    for counts in (chosen.selection, predicted.counts, answer.counts, answer.selection):
        refused(lambda counts=counts: counts.certify(2), "chose|predict|answer")
    # Whatever they were drawn for.
    for choose in (lambda c: c.predict(), lambda c: c.guarantee()):
        counts = g.sample(X[0], 1000, seed=1)
        assert counts.certify(2).k == 1
        choose(counts)
        refused(lambda counts=counts: counts.certify(2), "certify before you predict")
    # The guarantee for an answer pays for the choice, or has a pilot.
    assert answer.counts.guarantee(pilot=answer.selection).set_radius == answer.set_radius > 0
    assert answer.counts.guarantee().certified


def test_row_9_other_samples_than_of_one_classifier_and_input(g: SmoothedClassifier) -> None:
    counts = g.sample(X[0], 100, seed=1)
    refused(lambda: counts + g.sample(X[1], 100, seed=2), "input")
    refused(lambda: counts.guarantee(pilot=g.sample(X[1], 100, seed=2)), "input")
    with SmoothedClassifier(model("linear"), 0.25, batch=32, exact_levels=g.exact_levels) as other:
        refused(lambda: counts + other.sample(X[0], 100, seed=2), "gaussian:0.25.*gaussian:0.5")
    with SmoothedClassifier(model("external_data"), 0.5, batch=32, exact_levels=g.exact_levels) as other:
        refused(lambda: counts + other.sample(X[0], 100, seed=2), "model")
    foreign = g.sample(X[0], 100, seed=2).to_json().replace('"arithmetic":"float32"', '"arithmetic":"tf32"')
    refused(lambda: counts + Counts.from_json(foreign), "tf32")
    refused(lambda: counts + given(30, 40, 30), "bare numbers")


def test_row_10_damaged_text(g: SmoothedClassifier) -> None:
    text = (g.sample(X[0], 100, seed=1) + g.sample(X[0], 100, seed=1, first=200)).to_json()
    assert Counts.from_json(text).to_json() == text
    cost = "alpha_cost" if g.exact_levels else "radius_cost"
    value = json.loads(text)["perturbation"][cost]
    changes: dict[str, Callable[[dict[str, Any]], object]] = {
        "cost": lambda form: form["perturbation"].update({cost: value / 2}),
        "unknown field": lambda form: form.update(surprise=1),
        "shares samples": lambda form: form["draws"][0].update(samples=[[0, 150], [100, 150]]),
        "200 samples: the file is damaged": lambda form: form.update(n=300),
        "add to": lambda form: form["labels"].__setitem__(0, 10**6),
        "this version reads": lambda form: form.update(version="2.0"),
    }
    for why, change in changes.items():
        form = json.loads(text)
        change(form)
        refused(lambda form=form: Counts.from_json(json.dumps(form)), why)
    refused(lambda: Counts.from_json(text[:-1]), "JSON")


# What they are in Python.


def test_the_numbers() -> None:
    counts = given(5, 90, 5, n=104)
    for array in (counts.labels, np.asarray(counts), np.array(counts, np.uint64, copy=False)):
        assert array.tolist() == [5, 90, 5] and array.dtype == np.uint64 and not array.flags.writeable
    assert np.asarray(counts, np.float64).tolist() == [5.0, 90.0, 5.0]
    copied = np.array(counts)
    copied[0] = 7
    assert (counts.labels[0], counts.n, counts.invalid) == (5, 104, 4)
    assert repr(counts) == "<Counts of 104 samples, 3 labels, gaussian:0.5 by label: 1: 90, 0: 5, 2: 5, invalid: 4>"
    # Its sum with an array would be bare numbers that do not say so.
    with pytest.raises(TypeError):
        counts + counts.labels  # type: ignore[operator]
    with pytest.raises(TypeError):
        counts.labels + counts  # type: ignore[operator]


def test_a_sum_changes_neither_part() -> None:
    first, second = given(1, 2), given(3, 4)
    view = first.labels
    total = first + second
    assert total.labels.tolist() == [4, 6] and view.tolist() == first.labels.tolist() == [1, 2]
    assert second.n == 7 and (given(1, 2) + given(3, 4) + given(5, 6)).n == 21


def test_copies_remember_what_pickles_do_not_say(linear: SmoothedClassifier) -> None:
    counts = linear.sample(X[0], 100, seed=5)
    assert copy.deepcopy(counts).to_json_with_secret() == copy.copy(counts).to_json_with_secret()
    assert copy.copy(counts).to_json_with_secret() == counts.to_json_with_secret() != counts.to_json()
    again = pickle.loads(pickle.dumps(counts))
    assert again.to_json_with_secret() == again.to_json() == counts.to_json()
    assert again.certify(2).radius == counts.certify(2).radius
    assert (again + linear.sample(X[0], 100, seed=5, first=100)).n == 200


def test_counts_outlive_their_classifier() -> None:
    with SmoothedClassifier(model("linear"), 0.5, batch=32) as g:
        counts, found = g.sample(X[0], 100, seed=1), certified(g, n=100)
    assert counts.certify(2).radius == found.counts.certify(2).radius
    assert found.to_json() and found.selection is not None and found.selection.n == 100


# Between languages.


def test_parts_that_are_passed_as_text(tmp_path: Path) -> None:
    def run(*arguments: object) -> str:
        command = [sys.executable, Path(__file__).with_name("cross_language.py"), *map(str, arguments)]
        return subprocess.check_output(command, text=True).strip()

    parts = [tmp_path / name for name in ("a.json", "b.json", "sum.json")]
    for path, first, end in zip(parts, (0, 400), (400, 1000)):
        run("sample", model("linear"), 7, 3, first, end, path)
    run("merge", *parts)
    with SmoothedClassifier(model("linear"), 0.5, batch=32) as g:
        expected = g.certify(np.zeros(16), k=2, n=1000, alpha=0.01, label=1, seed=7, stream=3)
    assert isinstance(expected, Certificate) and expected.radius > 0
    assert run("certify", parts[2], 1, 2, 0.01) == repr(expected.radius)
