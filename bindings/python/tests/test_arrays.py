"""Answers in arrays: indexing, fields, tables, and how they are shown."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas
import pyarrow
import pytest

from smoothtopk import Certificate, Certificates, Guarantees, Predictions, SmoothedClassifier

from conftest import given, many, rows

X = rows("linear")
SEED = 8_123_456_789_012_345_678
CHACHA12_KEY = bytes(range(200, 232))


@pytest.fixture(scope="module")
def grid(linear: SmoothedClassifier) -> Certificates:
    """Three inputs, two k."""
    return linear.certify(X[:3], k=[1, 2], n=50, seed=1)


def same(found: Any, expected: list[Any]) -> None:
    assert [id(each) for each in found.flat] == [id(each) for each in expected]


def test_it_is_indexed_as_numpy_indexes(grid: Certificates) -> None:
    flat = grid.flat
    assert grid[1, 0] is grid[np.int64(1), 0] is grid[-2][0] is grid[1:][0, 0] is grid[1][...][0] is flat[2]
    for index, shape in [
        ((slice(None), 0), (3,)),
        ((slice(None), [1, 0]), (3, 2)),
        ((0, slice(None)), (2,)),
        ((slice(0, 2), 1), (2,)),
        ((slice(None, None, -1),), (3, 2)),
        (np.array([True, False, True]), (2, 2)),
        ([2, 0, 0], (3, 2)),
        ((..., 1), (3,)),
        (np.zeros((3, 2), bool), (0,)),
        (grid.radius >= 0, (6,)),
        (slice(5, 9), (0, 2)),
    ]:
        places, found = np.arange(6).reshape(3, 2)[index], grid[index]
        assert isinstance(found, Certificates) and found.shape == places.shape == shape, index
        same(found, [flat[place] for place in places.ravel()])
        assert found.radius.tolist() == grid.radius[index].tolist()
    assert [each.shape for each in grid] == [(2,)] * 3 and [each.k for each in grid[1]] == [1, 2]
    for out in (3, -4, (3, 0), (0, 2), (0, 0, 0), "0", 0.0, np.array([True])):
        with pytest.raises(IndexError):
            grid[out]


def test_shapes_of_nothing(linear: SmoothedClassifier, grid: Certificates) -> None:
    """What is empty has the shapes, types and columns of what is not."""
    for ks, shape in ((1, (0,)), ([1, 2], (0, 2))):
        width = np.max(ks)
        certified = linear.certify(X[:0], k=ks)
        assert isinstance(certified, Certificates) and len(certified) == 0
        assert certified.shape == certified.radius.shape == shape and certified.counts.shape == (*shape, 3)
        predicted = linear.predict(X[:0], k=ks)
        assert isinstance(predicted, Predictions) and predicted.labels.shape == (*shape, width)
        answered = linear.certify_answer(X[:0], k=ks)
        assert isinstance(answered, Guarantees) and answered.kept_radii.shape == (*shape, width)
        assert certified.to_arrow().schema == grid.to_arrow().schema
        assert answered.to_arrow().schema == linear.certify_answer(X[:1], n=10).to_arrow().schema
        assert list(certified.to_pandas().dtypes) == list(grid.to_pandas().dtypes)
    none = grid[:, 1][:0]
    assert none.counts.shape == (0, 3) and none.largest_k == 2 and none.counts.dtype == np.uint64


def test_every_field_is_an_array(linear: SmoothedClassifier, grid: Certificates) -> None:
    answers: list[Any] = [grid, linear.predict(X[:3], k=[1, 2], n=50), linear.certify_answer(X[:3], k=[1, 2], n=50)]
    for each in answers:
        for name in each._columns():
            values = getattr(each, name)
            assert values.shape[:2] == (3, 2), name
            for index in np.ndindex(3, 2):
                single = getattr(each[index], name)
                if isinstance(single, tuple) or values.ndim == 3:
                    assert values[index][: len(single or ())].tolist() == list(single or ())
                    assert values.shape[2] == 2
                elif single is None:
                    assert values[index] in ("", -1) or np.isnan(values[index]), name
                else:
                    assert values[index] == single, name
        with pytest.raises(AttributeError):
            each.k = 3
    assert np.isnan(grid.uniform).all() and grid.early_stop.tolist() == [["", ""]] * 3


@pytest.mark.parametrize("options", [{"seed": SEED}, {"chacha12_key": CHACHA12_KEY}], ids=["seed", "key"])
def test_tables_have_every_field_and_no_secret(linear: SmoothedClassifier, options: dict[str, Any]) -> None:
    for answers in (
        linear.certify(X[:3], k=[1, 2], n=50, randomized=True, **options),
        linear.predict(X[:3], k=[1, 2], n=50, **options),
        linear.certify_answer(X[:3], k=[1, 2], n=50, **options),
    ):
        frame, table = answers.to_pandas(), answers.to_arrow()
        assert isinstance(frame, pandas.DataFrame) and isinstance(table, pyarrow.Table)
        assert list(frame) == table.column_names == list(answers._columns())
        assert len(frame) == len(table) == 6 and frame["k"].tolist() == [1, 2] * 3
        assert frame["stream"].tolist() == table["stream"].to_pylist() == [0, 0, 1, 1, 2, 2]
        if isinstance(answers, Predictions):
            assert table["top"].to_pylist() == [list(each.top) for each in answers.flat]
        # Neither, nor a digest by which a short seed could be guessed.
        written = [frame.to_csv(), str(table.to_pylist()), repr(answers), answers._repr_html_(), repr(answers.flat)]
        for text in map(str, written):
            assert str(SEED) not in text and f"{SEED:x}" not in text
            assert CHACHA12_KEY.hex() not in text and str(list(CHACHA12_KEY))[1:-1] not in text
            assert "digest" not in text and "sha256" not in text


def test_they_show_what_they_say(linear: SmoothedClassifier, grid: Certificates) -> None:
    lines = repr(grid).splitlines()
    assert lines[0] == "<Certificates of shape [3, 2]>" and len(lines) == 8
    assert lines[1].split() == ["k", "label", "radius", "p_lower", "n", "decision", "status"]
    assert lines[3].split()[:4] == ["0,", "1", "2", str(grid[0, 1].label)] and lines[3].endswith("OK")
    many_rows = repr(many(linear.certify(np.concatenate([X] * 3), n=10)))
    assert many_rows.endswith(f".. {3 * len(X) - 10} more")
    html = grid._repr_html_()
    assert html.count("<tr>") == 7 and "<th>radius</th>" in html and f"<td>{grid[0, 0].radius:.4g}</td>" in html
    assert repr(grid[:0]) == "<Certificates of shape [0, 2]>" and "<tbody></tbody>" in grid[:0]._repr_html_()
    single = grid[0, 0]
    assert isinstance(single, Certificate) and f"<td>{single.radius:.4g}</td>" in single._repr_html_()


def test_counts_show_themselves() -> None:
    shown = given(0, 7, 90, *[1] * 12, n=111)
    assert repr(shown) == (
        "<Counts of 111 samples, 15 labels, gaussian:0.5 by label: 2: 90, 1: 7, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, "
        "9: 1, 10: 1, others: 4, invalid: 2>"
    )
    assert repr(given(0, 9)) == "<Counts of 9 samples, 2 labels, gaussian:0.5 by label: 1: 9>"
    html = shown._repr_html_()
    assert "<td>2</td><td>90</td><td>0.8108</td>" in html and html.count("<tr>") == 11
    assert repr(given(2**62, 2**62 + 1)).endswith(f"1: {2**62 + 1}, 0: {2**62}>")


def test_copies_have_all_of_it(grid: Certificates) -> None:
    for again in (pickle.loads(pickle.dumps(grid)), copy.deepcopy(grid), pickle.loads(pickle.dumps(grid[:0]))):
        assert again.counts.shape == (len(again), 2, 3) and again.largest_k == 2
        assert again.radius.tolist() == grid.radius[: len(again)].tolist()


def test_they_are_no_numbers(grid: Certificates) -> None:
    truth = np.zeros((3, 2), np.int64)
    for compare in (lambda: grid == truth, lambda: truth == grid, lambda: grid[0] != [0, 0], lambda: grid == 0):
        with pytest.raises(TypeError, match=r"compare one of their fields"):
            compare()
    assert (grid == grid) and grid != grid[:] and hash(grid) == hash(grid)
    with pytest.raises(TypeError):
        grid + truth  # type: ignore[operator]
