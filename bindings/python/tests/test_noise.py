"""Families of noise, exact noise, and the generators."""

from __future__ import annotations

import dataclasses
import json
import pickle
from typing import Any

import numpy as np
import pytest

from smoothtopk import (
    Certificate,
    Certificates,
    Counts,
    Guarantee,
    InvalidArgumentError,
    InvalidDataError,
    Prediction,
    SmoothedClassifier,
)

from conftest import model, rows

X = rows("linear")
KEY = bytes(range(32))


def certified(g: SmoothedClassifier, **options: Any) -> Certificate:
    found = g.certify(X[0], n=500, label=2, **options)
    assert isinstance(found, Certificate)
    return found


def secret(found: Certificate | Prediction | Guarantee | Counts) -> str:
    """The seed or key that samples were drawn from."""
    record = json.loads(found.to_json_with_secret())
    counts = record.get("counts", record)
    return str(counts["draws"][0]["secret"])


def labels(found: Certificate) -> list[int]:
    return found.counts.labels.tolist()  # type: ignore[no-any-return]


# Families.


def test_uniform_noise() -> None:
    """End to end: radii are in l1."""
    with SmoothedClassifier(model("linear"), noise="uniform:0.5", batch=32) as g:
        assert (g.noise, g.sigma) == ("uniform:0.5", None) and "uniform:0.5" in repr(g)
        found = certified(g, seed=1)
        assert found.certified and found.counts.noise == "uniform:0.5"
        record = json.loads(found.to_json())
        assert record["request"]["noise"] == record["counts"]["perturbation"]["noise"] == "uniform:0.5"
        # Theorem of Yang et al. (ICML 2020): lambda (p - q), less what rounding costs.
        expected = 0.5 * (found.p_lower - min(found.p_upper, 1 - found.p_lower)) - found.radius_cost
        assert found.radius == pytest.approx(expected, rel=1e-9)
        counts = g.sample(X[0], 500, seed=1)
        assert counts.certify(2).radius == found.radius == certified(g, seed=1).counts.certify(2).radius
        answer, predicted = g.certify_answer(X[0], n=500, seed=1), g.predict(X[0], n=500, seed=1)
        assert isinstance(answer, Guarantee) and answer.certified and answer.counts.noise == "uniform:0.5"
        assert isinstance(predicted, Prediction) and predicted.labels == (2,)
    stated = Counts.assuming(counts, noise="uniform:0.5", radius_cost=found.radius_cost).certify(2)
    assert stated.assumed and stated.radius == found.radius


def test_the_two_ways_to_say_a_noise(linear: SmoothedClassifier) -> None:
    with SmoothedClassifier(model("linear"), noise="gaussian:0.5", batch=64) as g:
        assert (g.noise, g.sigma, linear.noise, linear.sigma) == ("gaussian:0.5", None, "gaussian:0.5", 0.5)
        assert certified(g, seed=1).radius == certified(linear, seed=1).radius


# Exact noise.


def test_exact_noise() -> None:
    with SmoothedClassifier(model("linear"), 0.5, batch=32, exact_levels=8) as g:
        assert g.exact_levels == 8
        found = certified(g, seed=1)
        assert (found.grid, found.radius_cost) == (0.125, 0.0)
        # What separates it from a Gaussian is paid for out of alpha.
        assert 0.5 * found.alpha <= found.alpha_left < found.alpha == 0.001
        record = json.loads(found.to_json())
        assert "discrete-gaussian" in record["counts"]["perturbation"]["method"]
        counted = g.sample(X[0], 500, seed=1)
        assert counted.labels.tolist() == labels(found)
        again = counted.certify(2)
        assert (again.radius, again.alpha_left) == (found.radius, found.alpha_left)
        for wrong in (X[0] + np.float32(0.01), np.full(16, 0.3)):
            with pytest.raises(InvalidDataError, match="grid"):
                g.certify(wrong, n=10)
        with pytest.raises(InvalidArgumentError) as raised:
            g.certify(X[0], n=10**12, alpha=1e-15, label=2)
        assert raised.value.field == "alpha"


def test_noise_that_is_not_exact(linear: SmoothedClassifier) -> None:
    assert linear.exact_levels is None
    found = certified(linear, seed=1)
    assert found.alpha_left == found.alpha and found.radius_cost > 0


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_pixels_from_0_to_1(kind: type[np.floating[Any]]) -> None:
    with SmoothedClassifier(model("linear"), 0.5, batch=16, exact_levels=255) as g:
        for pixels in np.arange(256, dtype=np.uint8).reshape(16, 16):
            found = g.predict(pixels.astype(kind) / kind(255), n=2, seed=1)
            assert isinstance(found, Prediction) and found.grid == 1 / 255


def test_pixels_as_they_are() -> None:
    pixels = np.arange(16, dtype=np.uint8) * 17
    with SmoothedClassifier(model("linear"), 64.0, batch=16, input_max=255, exact_levels=1) as g:
        found = g.predict(pixels, n=50, seed=1)
    assert isinstance(found, Prediction) and (found.grid, found.n) == (1.0, 50)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"exact_levels": 0}, "exact_levels"),
        ({"exact_levels": -1}, "exact_levels"),
        ({"exact_levels": 2**20 + 1}, "exact_levels"),
        # Would wrap around to 8 in C.
        ({"exact_levels": 2**32 + 8}, "exact_levels"),
        ({"exact_levels": 1}, "sigma"),
        ({"generator": "mersenne"}, "generator"),
    ],
)
def test_noise_that_there_is_not(options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        SmoothedClassifier(model("linear"), 0.5, **options)
    assert raised.value.field == field


def test_levels_are_an_integer() -> None:
    with pytest.raises(TypeError, match="exact_levels"):
        SmoothedClassifier(model("linear"), 0.5, exact_levels=255.0)  # type: ignore[arg-type]


# Generators.


def test_chacha12_by_its_key(linear: SmoothedClassifier) -> None:
    found = certified(linear, chacha12_key=KEY)
    assert (found.generator, secret(found)) == ("chacha12", KEY.hex())
    for key in (bytearray(KEY), memoryview(KEY)):
        assert labels(certified(linear, chacha12_key=key)) == labels(found)
    assert labels(certified(linear, chacha12_key=KEY[::-1])) != labels(found)
    philox = certified(linear, seed=1)
    assert (philox.generator, secret(philox)) == ("philox", "1")


def test_keys_from_the_operating_system(linear: SmoothedClassifier) -> None:
    first, second = (certified(linear, generator="chacha12") for _ in range(2))
    assert secret(first) != secret(second)
    assert labels(certified(linear, chacha12_key=bytes.fromhex(secret(first)))) == labels(first)


def test_inputs_of_one_key_have_noise_of_their_own(linear: SmoothedClassifier) -> None:
    same = np.stack([X[2]] * 2)
    found = linear.certify(same, n=2_000, label=1, chacha12_key=KEY)
    assert isinstance(found, Certificates)
    assert found.counts[0].tolist() != found.counts[1].tolist()
    second = linear.certify(X[2], n=2_000, label=1, chacha12_key=KEY, stream=1)
    assert isinstance(second, Certificate) and labels(second) == found.counts[1].tolist()


def test_a_classifier_that_draws_by_chacha12() -> None:
    with SmoothedClassifier(model("linear"), 0.5, batch=32, generator="chacha12") as g:
        assert g.generator == "chacha12"
        predicted, answer = g.predict(X[0], n=100), g.certify_answer(X[0], n=100)
        assert isinstance(predicted, Prediction) and isinstance(answer, Guarantee)
        for found in (certified(g), predicted, answer):
            assert found.generator == "chacha12" and len(secret(found)) == 64
        # A seed is of the other generator, which must be asked for by its name.
        with pytest.raises(InvalidArgumentError) as raised:
            certified(g, seed=1)
        assert raised.value.field == "seed"
        assert secret(certified(g, generator="philox", seed=1)) == "1"
        assert certified(g, generator="philox").generator == "philox"


def test_samples_by_chacha12_add_up(linear: SmoothedClassifier) -> None:
    whole = certified(linear, chacha12_key=KEY, stream=3)
    parts = [linear.sample(X[0], 250, first=first, chacha12_key=KEY, stream=3) for first in (250, 0)]
    total = parts[0] + parts[1]
    assert total.labels.tolist() == labels(whole) and secret(total) == KEY.hex()
    mixed = linear.sample(X[0], 10, generator="chacha12") + parts[0]
    assert len(json.loads(mixed.to_json())["draws"]) == 2 and mixed.n == 260


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"seed": 1, "chacha12_key": KEY}, "seed"),
        ({"seed": 1, "generator": "chacha12"}, "seed"),
        ({"generator": "philox", "chacha12_key": KEY}, "chacha12_key"),
        ({"chacha12_key": KEY[:31]}, "chacha12_key"),
        ({"chacha12_key": KEY + b"0"}, "chacha12_key"),
        ({"generator": "aes"}, "generator"),
    ],
)
def test_seeds_and_keys_that_do_not_fit(linear: SmoothedClassifier, options: dict[str, Any], field: str) -> None:
    for method in (linear.certify, linear.predict, linear.certify_answer):
        with pytest.raises(InvalidArgumentError) as raised:
            method(X[0], n=10, **options)
        assert raised.value.field == field
    with pytest.raises(InvalidArgumentError):
        linear.sample(X[0], 10, **options)


def test_a_key_that_is_not_bytes_is_not_repeated(linear: SmoothedClassifier) -> None:
    with pytest.raises(TypeError, match="chacha12_key") as raised:
        linear.certify(X[0], n=10, chacha12_key=KEY.hex())  # type: ignore[arg-type]
    assert KEY.hex() not in str(raised.value)


# Secrets.


@pytest.mark.parametrize("source", [{"seed": 1234567890123456789}, {"chacha12_key": KEY}])
def test_only_the_form_with_the_secret_says_it(linear: SmoothedClassifier, source: dict[str, Any]) -> None:
    said = str(source.get("seed", KEY.hex()))
    predicted, answer = linear.predict(X[0], n=100, **source), linear.certify_answer(X[0], n=100, **source)
    certificate = certified(linear, **source)
    assert isinstance(predicted, Prediction) and isinstance(answer, Guarantee)
    for found in (certificate, predicted, answer, certificate.counts, certificate.counts.certify(2)):
        assert secret(found) == said
        shown = [repr(found), found.to_json(), repr(vars(found)) if hasattr(found, "__dict__") else ""]
        shown += [str(pickle.dumps(found)), pickle.loads(pickle.dumps(found)).to_json_with_secret()]
        if isinstance(found, (Certificate, Prediction, Guarantee)):
            # What a table of answers has.
            shown.append(repr(dataclasses.asdict(found)))
        assert not any(said in text or repr(KEY) in text for text in shown)
