"""How a classifier is opened, what it says of itself, and how it ends."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from smoothtopk import (
    InvalidArgumentError,
    ModelError,
    NotFoundError,
    ProviderError,
    SmoothedClassifier,
    SmoothTopKError,
)

from conftest import labels, model, one, rows

X = rows("linear")


def test_a_provider_that_is_missing_falls_back_only_where_that_is_allowed() -> None:
    options: dict[str, Any] = {
        "provider": "cuda",
        "devices": [0, 1],
        "cuda_tf32": True,
        "batch": 8,
        "plan_cache": False,
    }
    try:
        SmoothedClassifier(model("linear"), 0.5, **options).close()
    except ProviderError as error:
        assert error.field == "provider"
    else:
        pytest.skip("this machine has CUDA")
    with SmoothedClassifier(model("linear"), 0.5, allow_fallback=True, **options) as fallen:
        assert (fallen.provider, fallen.arithmetic) == ("cpu", "float32")
        assert fallen.fallback is not None and "cuda" in fallen.fallback


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"devices": [0]}, "devices"),
        ({"devices": [1, 1]}, "devices"),
        ({"devices": [2**32]}, "devices"),
        ({"cuda_tf32": True}, "cuda_tf32"),
        ({"tensorrt_fp16": True}, "tensorrt"),
        ({"tensorrt_bf16": True}, "tensorrt"),
        ({"tensorrt_cache": Path("engines")}, "tensorrt"),
    ],
)
def test_options_of_devices_are_refused_by_the_processor(options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        SmoothedClassifier(model("linear"), 0.5, batch=8, **options)
    assert caught.value.field == field


def test_what_it_says_of_itself(linear: SmoothedClassifier) -> None:
    assert linear.element_shape == (16,)
    assert (linear.classes, linear.batch, linear.sigma, linear.input_max) == (3, 64, 0.5, 1.0)
    assert linear.threads >= 1
    assert linear.provider.startswith("cpu")
    assert (linear.arithmetic, linear.fallback) == ("float32", None)
    assert len(linear.sha256) == 64
    assert linear.signature
    assert "classes=3" in repr(linear)


@pytest.mark.parametrize("form", [str, Path, Path.read_bytes, lambda path: bytearray(path.read_bytes()), onnx.load])
def test_every_form_of_model_gives_the_same_counts(linear: SmoothedClassifier, form: Any) -> None:
    expected = one(linear.certify(X[0], n=500, seed=1))
    with SmoothedClassifier(form(model("linear")), 0.5, batch=32, threads=1) as g:
        found = one(g.certify(X[0], n=500, seed=1))
        assert g.element_shape == (16,)
    assert labels(found) == labels(expected)
    assert found.radius == expected.radius


def test_external_data_by_path() -> None:
    with SmoothedClassifier(model("external_data"), 0.5, batch=16) as g:
        assert one(g.certify(X[0], n=100)).n == 100


def test_images_and_preprocessing() -> None:
    images = rows("image_nchw")
    with SmoothedClassifier(model("image_nchw"), 0.25, batch=16) as plain:
        expected = one(plain.certify(images[0], n=400, seed=3))
    shifted = onnx.load(model("image_nchw"))
    with SmoothedClassifier(shifted, 0.25, batch=16, mean=[0, 0, 0], std=np.ones(3)) as g:
        assert g.element_shape == (3, 8, 8)
        assert labels(one(g.certify(images[0], n=400, seed=3))) == labels(expected)
    with SmoothedClassifier(shifted, 0.25, batch=16, mean=100.0) as g:
        assert labels(one(g.certify(images[0], n=400, seed=3))) != labels(expected)


def test_constants_and_shapes_that_the_model_leaves_open() -> None:
    with SmoothedClassifier(model("two_inputs"), 0.25, batch=16, constants={"reject": 1.375}) as g:
        assert g.classes == 5
    vector = np.array([-0.28125, 0.28125])
    with SmoothedClassifier(model("two_inputs_vector"), 0.25, batch=16, constants={"offsets": vector}) as g:
        assert g.element_shape == (3, 8, 8)
    with SmoothedClassifier(model("image_dynamic"), 0.25, batch=16, input_shape=[3, 8, 8]) as g:
        assert g.element_shape == (3, 8, 8)
    with SmoothedClassifier(model("label_int64"), 0.25, batch=16, classes=3) as g:
        assert g.classes == 3
    with SmoothedClassifier(model("binary_logit"), 0.25, batch=16, threshold=0.0) as g:
        assert g.classes == 2


@pytest.mark.parametrize(
    ("options", "error", "field"),
    [
        ({"sigma": 0.0}, InvalidArgumentError, "sigma"),
        ({"sigma": float("nan")}, InvalidArgumentError, "sigma"),
        ({"batch": 0}, InvalidArgumentError, "batch"),
        ({"threads": -1}, InvalidArgumentError, "threads"),
        ({"input": "a\0b"}, InvalidArgumentError, "input"),
        ({"mean": np.zeros((2, 2))}, InvalidArgumentError, "mean"),
        ({"mean": "a"}, TypeError, None),
        ({"provider": 3}, TypeError, None),
        ({"model": 3}, TypeError, None),
        ({"model": "absent.onnx"}, NotFoundError, None),
        ({"model": b"not a model"}, ModelError, None),
        ({"model": b""}, SmoothTopKError, None),
        ({"model": model("regression")}, ModelError, None),
        ({"model": model("batch_softmax")}, ModelError, None),
        ({"provider": "cuda"}, ProviderError, None),
    ],
)
def test_what_cannot_be_opened(options: dict[str, Any], error: type[Exception], field: str | None) -> None:
    with pytest.raises(error) as raised:
        SmoothedClassifier(**({"model": model("linear"), "sigma": 0.5} | options))
    if field is not None:
        assert isinstance(raised.value, SmoothTopKError) and raised.value.field == field


def test_natural_builtins() -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.onnx"):
        SmoothedClassifier("absent.onnx", 0.5)
    with pytest.raises(ValueError, match="sigma"):
        SmoothedClassifier(model("linear"), -1)


def test_closing() -> None:
    g = SmoothedClassifier(model("linear"), 0.5, batch=16)
    assert one(g.certify(X[0], n=10)).n == 10
    g.close()
    g.close()
    for call in (g.certify, g.predict):
        with pytest.raises(InvalidArgumentError, match="closed"):
            call(X[0], n=10)
    with pytest.raises(InvalidArgumentError, match="closed"):
        g.sample(X[0], 10)
    assert g.classes == 3 and "closed" in repr(g)


def test_a_classifier_that_is_dropped_is_freed() -> None:
    g = SmoothedClassifier(model("linear"), 0.5, batch=16)
    handle = weakref.ref(g._model)  # type: ignore[arg-type]
    del g
    assert handle() is None
