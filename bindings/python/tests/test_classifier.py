"""What SmoothedClassifier takes, gives and refuses."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import smoothtopk
from smoothtopk import (
    Certificate,
    Certificates,
    Counts,
    InvalidArgumentError,
    InvalidDataError,
    ModelError,
    NotFoundError,
    Prediction,
    Predictions,
    ProviderError,
    SmoothedClassifier,
    SmoothTopKError,
)

from conftest import ROOT, given, model, rows

X = rows("linear")


def one(answer: Certificate | Certificates) -> Certificate:
    assert isinstance(answer, Certificate)
    return answer


def labels(found: Certificate) -> list[int]:
    return found.counts.labels.tolist()  # type: ignore[no-any-return]


def many(answer: Certificate | Certificates) -> Certificates:
    assert isinstance(answer, Certificates)
    return answer


# What it is.


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


# What it answers.


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


def test_no_inputs_have_no_answers(linear: SmoothedClassifier) -> None:
    empty = many(linear.certify(X[:0], k=[1, 2]))
    assert empty.shape == (0, 2) and empty.radius.shape == (0, 2) and len(empty) == 0
    assert len(linear.predict(X[:0])) == 0  # type: ignore[arg-type]


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
    for total in (parts[0] + parts[1] + parts[2] + parts[3], Counts.sum(iter(parts))):
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


# What it does with memory.


def test_a_contiguous_float32_array_is_not_copied(monkeypatch: pytest.MonkeyPatch, linear: SmoothedClassifier) -> None:
    from smoothtopk import _classifier

    seen: list[int] = []
    pointer = _classifier._pointer

    def spy(array: Any) -> Any:
        seen.append(array.ctypes.data)
        return pointer(array)

    monkeypatch.setattr(_classifier, "_pointer", spy)
    batch = np.ascontiguousarray(X)
    batch.setflags(write=False)
    linear.certify(batch, n=10)
    linear.certify(batch[2], n=10)
    linear.sample(batch[3], 10)
    assert seen == [batch.ctypes.data, batch[2].ctypes.data, batch[3].ctypes.data]


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.astype(np.float64),
        lambda x: x[:, ::-1].copy()[:, ::-1],
        np.asfortranarray,
        lambda x: x.tolist(),
        lambda x: x.astype(">f4"),
        lambda x: memoryview(np.ascontiguousarray(x)),
    ],
)
def test_other_layouts_give_the_same(linear: SmoothedClassifier, change: Any) -> None:
    expected = many(linear.certify(X, n=200, seed=3)).counts
    assert many(linear.certify(change(X), n=200, seed=3)).counts.tolist() == expected.tolist()


def test_inputs_beyond_input_max_are_refused(linear: SmoothedClassifier) -> None:
    pixels = np.full(16, 255, np.uint8)
    with pytest.raises(InvalidDataError, match="255, above input_max"):
        linear.certify(pixels, n=10)
    with pytest.raises(InvalidDataError, match="input_max"):
        linear.sample(np.full(16, -1.5), 10)
    with SmoothedClassifier(model("linear"), 64.0, batch=16, input_max=255) as g:
        assert one(g.certify(pixels, n=10)).n == 10


def test_integers_are_taken_as_they_are(linear: SmoothedClassifier) -> None:
    x = np.zeros(16, np.uint8)
    assert labels(one(linear.certify(x, n=100, seed=1))) == labels(one(linear.certify(x * 1.0, n=100, seed=1)))


def test_a_model_of_bytes_takes_either_scale() -> None:
    pixels = (np.arange(16) * 89 + 17) % 256
    with SmoothedClassifier(model("input_uint8"), 64.0, batch=16, input_max=255) as g:
        wide = one(g.certify(pixels, n=2000, seed=3))
        with pytest.raises(InvalidDataError, match="std 1/255"):
            g.certify(pixels / 255, n=10)
    with SmoothedClassifier(model("input_uint8"), 64.0 / 255, batch=16, std=1 / 255) as g:
        narrow = one(g.certify(pixels / 255, n=2000, seed=3))
    assert wide.radius > 1 and wide.label == narrow.label
    # Noise on another grid rounds a few samples in a thousand otherwise.
    assert narrow.radius == pytest.approx(wide.radius / 255, abs=0.002)


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


# What it refuses.


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"k": 0}, "k"),
        ({"k": 3}, "k"),
        ({"k": -1}, "k"),
        ({"k": []}, "k"),
        ({"n": 0}, "n"),
        ({"n": -5}, "n"),
        ({"n": 2**64}, "n"),
        ({"n0": 0}, "n0"),
        ({"alpha": 0}, "alpha"),
        ({"alpha": 1.0}, "alpha"),
        ({"alpha": float("nan")}, "alpha"),
        ({"label": 3}, "label"),
        ({"label": 2**63}, "label"),
        ({"allocation": "hoeffding"}, "allocation"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"stream": -1}, "stream"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": -1}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
    ],
)
def test_wrong_values_name_their_field(linear: SmoothedClassifier, options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        linear.certify(X[0], **options)
    assert raised.value.field == field
    assert str(raised.value).startswith(f"{field}: ")
    assert isinstance(raised.value, ValueError) and isinstance(raised.value, SmoothTopKError)
    assert raised.value.partial is None


@pytest.mark.parametrize(
    "options", [{"k": 1.5}, {"n": 1e5}, {"n": "9"}, {"seed": 1.0}, {"alpha": "a"}, {"progress": 3}]
)
def test_wrong_types(linear: SmoothedClassifier, options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(options))):
        linear.certify(X[0], **options)


@pytest.mark.parametrize(
    "x",
    [
        np.zeros(15, np.float32),
        np.zeros((2, 2, 16), np.float32),
        np.zeros((), np.float32),
        np.zeros(16, np.complex64),
        np.array(["a"] * 16),
        np.full(16, np.nan, np.float32),
        np.full(16, 1e300),
    ],
)
def test_wrong_inputs(linear: SmoothedClassifier, x: Any) -> None:
    with pytest.raises(InvalidDataError) as raised:
        linear.certify(x, n=10)
    assert isinstance(raised.value, ValueError)


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


# How it ends.


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


@pytest.mark.parametrize("name", ["certify", "decide"])
def test_the_examples(python: Any, name: str) -> None:
    example = ROOT / "examples" / "python" / f"{name}.py"
    assert len(example.read_text().splitlines()) <= 15
    code = "import os, runpy, sys; os.chdir(sys.argv[1]); runpy.run_path(sys.argv[2], run_name='__main__')"
    printed = python(code, ROOT, example)
    assert len(printed.splitlines()) == 5 and "radius" in printed


def test_the_public_names() -> None:
    assert sorted(smoothtopk.__all__) == smoothtopk.__all__ or set(smoothtopk.__all__) <= set(dir(smoothtopk))
    for name in smoothtopk.__all__:
        assert getattr(smoothtopk, name) is not None


def test_what_is_no_index_is_refused(linear: SmoothedClassifier) -> None:
    grid = linear.certify(X[:2], k=[1, 2], n=50, seed=1)
    assert isinstance(grid, Certificates)
    assert grid[1, 0] is grid[np.int64(1), 0] is grid[-1][0] is grid[1:][0, 0] is grid.flat[2]
    mask: Any = np.array([True, False])
    for wrong in (
        (slice(None), 0), (0, slice(None)), (slice(0, 2), 1), (0,), (0, 0, 0), (), True, (True, 0), mask, [0, 1], None,
        ..., "0", 0.0, (np.array([0, 1]), 0), (..., 0),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=r"answers\[i, j\].*for each in answers"):
            grid[wrong]
    row = grid[0]
    assert row[1,] is grid.flat[1]
    for wrong in ((0, 0), (slice(None),)):
        with pytest.raises(TypeError, match=r"answers\[i\] or"):
            row[wrong]
    for out in (2, -3, (2, 0), (0, 2)):
        with pytest.raises(IndexError):
            grid[out]


def unaligned(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    shifted = np.frombuffer(b"\0" + array.tobytes(), np.uint8)[1:].view(array.dtype).reshape(array.shape)
    assert not shifted.flags.aligned
    return shifted


def test_unaligned_arrays_are_copied(linear: SmoothedClassifier) -> None:
    whole = one(linear.certify(X[0], n=100, seed=1, label=2))
    again = one(linear.certify(unaligned(X[0]), n=100, seed=1, label=2))
    assert labels(again) == labels(whole)
    counts = unaligned(np.array([5, 3, 900], np.uint64))
    assert Counts.assuming(counts, sigma=0.5).labels.tolist() == [5, 3, 900]
    assert linear.sample(unaligned(X[0]), 100, seed=1).labels.tolist() == labels(whole)
    chosen = unaligned(np.array([2], np.int64))
    assert labels(linear.certify(X[:1], n=100, seed=1, label=chosen)[0]) == labels(whole)


@pytest.mark.parametrize("largest", [0.3, 0.7, 1.0, 1 / 3, 1e-3])
def test_an_input_at_input_max(largest: float) -> None:
    with SmoothedClassifier(model("linear"), 0.5, batch=16, input_max=largest) as g:
        for kind in (np.float32, np.float64):
            for sign in (1, -1):
                assert one(g.certify(np.full(16, sign * largest, kind), n=10, label=0)).n == 10
        up = (
            np.float32(largest)
            if float(np.float32(largest)) >= largest
            else np.nextafter(np.float32(largest), np.float32(2))
        )
        above = np.nextafter(up, np.float32(2))
        with pytest.raises(InvalidDataError, match="above input_max"):
            g.certify(np.full(16, above, np.float32), n=10)
        with pytest.raises(InvalidDataError, match="above input_max"):
            g.certify(np.full(16, -above, np.float32), n=10)


def test_masked_arrays_are_refused(linear: SmoothedClassifier) -> None:
    x = np.ma.masked_array(X[0], np.arange(16) == 3)
    for wrong in (x, [x, x]):
        with pytest.raises(TypeError, match=r"x must not be a masked array.*x\.filled"):
            linear.certify(wrong, n=10)
    counts = np.ma.masked_array([900, 100], [False, True])
    with pytest.raises(TypeError, match="labels must not be a masked array"):
        Counts.assuming(counts, sigma=0.5)
    with pytest.raises(TypeError, match="label must not be a masked array"):
        linear.certify(X[:2], n=10, label=np.ma.masked_array([0, 1], [False, True]))
    with pytest.raises(TypeError, match="mean must"):
        SmoothedClassifier(model("linear"), 0.5, mean=np.ma.masked_array([0.5], [True]))
