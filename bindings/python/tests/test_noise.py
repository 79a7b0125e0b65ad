"""Exact noise, and the generators."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from smoothtopk import (
    Certificate,
    Certificates,
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


# Exact noise.


def test_exact_noise() -> None:
    with SmoothedClassifier(model("linear"), 0.5, batch=32, exact_levels=8) as g:
        assert g.exact_levels == 8
        found = certified(g, seed=1)
        assert (found.exact_levels, found.grid, found.radius_slack) == (8, 0.125, 0.0)
        # What separates it from a Gaussian is paid for out of alpha.
        assert 0.5 * found.alpha <= found.alpha_left < found.alpha == 0.001
        record = json.loads(found.to_json())
        assert record["levels"] == 8 and "discrete-gaussian" in record["noise"]
        counted = g.sample(X[0], 500, seed=1)
        assert counted.counts.tolist() == found.counts.tolist()
        again = counted.certify(2, sigma=0.5)
        assert again.radius == found.radius
        for wrong in (X[0] + np.float32(0.01), np.full(16, 0.3)):
            with pytest.raises(InvalidDataError, match="grid"):
                g.certify(wrong, n=10)
        with pytest.raises(InvalidArgumentError) as raised:
            g.certify(X[0], n=10**12, alpha=1e-15, label=2)
        assert raised.value.field == "alpha"


def test_noise_that_is_not_exact(linear: SmoothedClassifier) -> None:
    assert linear.exact_levels is None
    found = certified(linear, seed=1)
    assert found.exact_levels is None and found.alpha_left == found.alpha and found.radius_slack > 0


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
    assert isinstance(found, Prediction) and (found.grid, found.exact_levels, found.n) == (1.0, 1, 50)


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
    assert (found.generator, found.seed, found.chacha12_key) == ("chacha12", None, KEY)
    assert json.loads(found.to_json())["chacha12_key"] == KEY.hex()
    # A secret is not for logs.
    assert KEY.hex() not in repr(found) and repr(KEY) not in repr(found)
    for key in (bytearray(KEY), memoryview(KEY)):
        assert certified(linear, chacha12_key=key).counts.tolist() == found.counts.tolist()
    other = certified(linear, chacha12_key=KEY[::-1])
    assert other.counts.tolist() != found.counts.tolist()
    philox = certified(linear, seed=1)
    assert (philox.generator, philox.seed, philox.chacha12_key) == ("philox", 1, None)


def test_keys_from_the_operating_system(linear: SmoothedClassifier) -> None:
    first, second = (certified(linear, generator="chacha12") for _ in range(2))
    assert first.chacha12_key is not None and first.chacha12_key != second.chacha12_key
    again = certified(linear, chacha12_key=first.chacha12_key)
    assert again.counts.tolist() == first.counts.tolist()


def test_inputs_of_one_key_have_noise_of_their_own(linear: SmoothedClassifier) -> None:
    same = np.stack([X[2]] * 2)
    found = linear.certify(same, n=2_000, label=1, chacha12_key=KEY)
    assert isinstance(found, Certificates)
    assert found.counts[0].tolist() != found.counts[1].tolist()
    second = linear.certify(X[2], n=2_000, label=1, chacha12_key=KEY, key=1)
    assert isinstance(second, Certificate) and second.counts.tolist() == found.counts[1].tolist()


def test_a_classifier_that_draws_by_chacha12() -> None:
    with SmoothedClassifier(model("linear"), 0.5, batch=32, generator="chacha12") as g:
        assert g.generator == "chacha12"
        predicted, answer = g.predict(X[0], n=100), g.certify_answer(X[0], n=100)
        assert isinstance(predicted, Prediction) and isinstance(answer, Guarantee)
        for found in (certified(g), predicted, answer):
            assert found.generator == "chacha12" and found.seed is None and found.chacha12_key is not None
        # A seed is of the other generator, which must be asked for by its name.
        with pytest.raises(InvalidArgumentError) as raised:
            certified(g, seed=1)
        assert raised.value.field == "seed"
        assert certified(g, generator="philox", seed=1).seed == 1
        assert certified(g, generator="philox").generator == "philox"


def test_samples_by_chacha12_add_up(linear: SmoothedClassifier) -> None:
    whole = certified(linear, chacha12_key=KEY, key=3)
    parts = [linear.sample(X[0], 250, first=first, chacha12_key=KEY, key=3) for first in (250, 0)]
    total = parts[0] + parts[1]
    assert total.counts.tolist() == whole.counts.tolist()
    assert (total.generator, total.chacha12_key, total.seed, total.key) == ("chacha12", KEY, None, 3)
    assert repr(KEY) not in repr(total)
    fresh = linear.sample(X[0], 10, generator="chacha12")
    assert fresh.chacha12_key is not None and len(fresh.chacha12_key) == 32
    mixed = fresh + parts[0]
    assert (mixed.generator, mixed.chacha12_key, mixed.key) == (None, None, None)


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
