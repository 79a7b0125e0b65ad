"""Which inputs a classifier takes, and what it does with their memory."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pandas
import pytest
import scipy.sparse

from smoothtopk import (
    Counts,
    InvalidDataError,
    SmoothedClassifier,
)

from conftest import labels, many, model, one, rows

X = rows("linear")


# Of each type that the library reads: bfloat16 comes with onnx.
TYPES = [np.float32, np.uint8, np.float16, ml_dtypes.bfloat16, np.float64]


@pytest.mark.parametrize("dtype", TYPES)
def test_a_contiguous_array_of_a_type_of_the_library_is_not_copied(
    monkeypatch: pytest.MonkeyPatch, linear: SmoothedClassifier, dtype: Any
) -> None:
    from smoothtopk import _opened

    seen: list[int] = []
    submit = _opened.Opened._submit

    def spy(self: Any, question: Any, job: Any) -> None:
        seen.append(question.rows.ctypes.data)
        submit(self, question, job)

    monkeypatch.setattr(_opened.Opened, "_submit", spy)
    batch = np.ascontiguousarray(np.tile([0, 1], (4, 8)).astype(dtype))
    batch.setflags(write=False)
    found = linear.certify(batch, n=200, seed=33)
    alone = linear.certify(batch[2], n=200, seed=33, stream=2)
    assert seen == [batch.ctypes.data, batch[2].ctypes.data]
    assert labels(alone) == labels(found[2])
    # And read as the numbers that it holds.
    expected = linear.certify(batch.astype(np.float32), n=200, seed=33)
    assert [labels(each) for each in found] == [labels(each) for each in expected]
    drawn = linear.sample(batch[0], 200, seed=33)
    assert drawn.labels.tolist() == labels(expected[0])


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


class Exchanged:
    """A tensor that has DLPack and nothing else."""

    def __init__(self, array: np.ndarray[Any, Any], *, elsewhere: bool = False) -> None:
        self._array, self._elsewhere = array, elsewhere

    def __dlpack__(self, **options: Any) -> Any:
        if self._elsewhere:
            raise BufferError("the tensor is on cuda:0")
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()


class Arrayed:
    """A tensor that has `__array__` and nothing else."""

    def __init__(self, array: np.ndarray[Any, Any] | None) -> None:
        self._array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self._array is None:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.\nUse tensor.detach().numpy() instead.")
        return self._array


@pytest.mark.parametrize("tensor", [Exchanged, Arrayed, pandas.DataFrame])
def test_tensors_of_other_libraries(linear: SmoothedClassifier, tensor: Any) -> None:
    expected = many(linear.certify(X, n=50, seed=3))
    assert many(linear.certify(tensor(X), n=50, seed=3)).counts.tolist() == expected.counts.tolist()
    if tensor is not pandas.DataFrame:
        assert labels(one(linear.certify(tensor(X[0]), n=50, seed=3))) == labels(expected[0])
        assert linear.sample(tensor(X[0]), 50, seed=3).labels.tolist() == labels(expected[0])


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.zeros(16, bool), "not bool: give it as float32 if 0 and 1 are meant"),
        (np.array([None] * 16), r"not objects \(NoneType\): give an array of one numeric type"),
        (np.array([0.5] * 15 + [None]), r"not objects \(NoneType, float\): "),
        (scipy.sparse.csr_matrix(X), r"not a sparse matrix: give x\.toarray\(\)"),
        ([[0.0] * 16, [0.0] * 15], "cannot be read as an array: .*inhomogeneous"),
        (Arrayed(None), r"requires grad\. Use tensor\.detach\(\)"),
        (Exchanged(X, elsewhere=True), "the tensor is on cuda:0"),
        (object(), r"not objects \(object\)"),
        (np.zeros(16, np.complex64), "not complex64: give it as float32"),
        (np.zeros(16, "M8[s]"), "not datetime64"),
    ],
)
def test_what_holds_no_numbers_is_told_what_it_is(linear: SmoothedClassifier, x: Any, says: str) -> None:
    for call in (lambda: linear.certify(x, n=10), lambda: linear.sample(x, 10)):
        with pytest.raises(InvalidDataError, match=f"^x: .*{says}"):
            call()
