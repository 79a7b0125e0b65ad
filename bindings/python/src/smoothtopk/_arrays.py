"""Answers to several inputs or several k, in arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, overload

import numpy as np

from ._columns import Column, PaddedColumn
from ._counts_base import CountArray
from ._partial import Partial
from ._shown import ROWS, html_table, text_table
from ._statements import A, Answer, Certificate, Guarantee, Prediction, own_first

S = TypeVar("S", bound="Answers[Any]")


class Layout(NamedTuple):
    """How the answers of a call lie in an array; the rest is what an empty one cannot say itself."""

    shape: tuple[int, ...]
    classes: int
    largest_k: int
    # Whether the call was about one input, and not a batch.
    single: bool = False

    def of(self, kind: type[Answers[A]], flat: tuple[A, ...]) -> Any:
        """The array; of shape () the one answer itself."""
        return kind(flat, self) if self.shape else flat[0]


class Answers(Partial, Generic[A]):
    """Answers in an array of shape [N] (inputs), [K] (several k of one input) or [N, K].

    It is indexed as a NumPy array is: `answers[i]`, `answers[i, j]`, `answers[:, 0]`, slices, masks and arrays of
    integers. One answer comes out as itself, several as an array of them. len and iteration are those of the first
    axis; `flat` has every single answer in row-major order. Each field of an answer is an array here.

    Attributes:
        flat: the answers, in row-major order.
        shape: of the array.
        largest_k: the largest k that was asked for, the length of the last axis of fields with an entry for each label.
    """

    __slots__ = ("_classes", "_places", "flat", "largest_k")
    # NumPy would compare an array of labels with each answer, and find none alike.
    __array_ufunc__ = None
    __hash__ = object.__hash__
    _kind: ClassVar[type[Answer]] = Answer
    # What is shown of each.
    _shown: ClassVar[tuple[str, ...]] = ("k", "n", "status")

    k = Column(np.int64, "the k of top-k")
    n = Column(np.uint64, "samples counted")
    n_certified = Column(np.uint64, "samples that each answer rests on")
    samples_drawn = Column(np.uint64, "samples drawn, those of one input for each of its k")
    decision = Column(np.str_, 'what the rule decided, "" where there is no answer', none="")
    early_stop = Column(np.str_, 'why the samples ended before the rule was done, "" where they did not', none="")
    alpha = Column(np.float64, "the probability that each statement is false")
    alpha_left = Column(np.float64, "what is left of alpha for the bounds")
    validity = Column(np.str_, 'for which samples the bounds hold, "" where there is no answer', none="")
    assumed = Column(np.bool_, "whether it rests on what was stated of bare numbers")
    generator = Column(np.str_, 'the generator of the noise, "" where the counts were given', none="")
    stream = Column(np.uint64, "which noise under its seed or key each input got")
    grid = Column(np.float64, "step of the grid that x and noise are on")
    seconds = Column(np.float64, "from the first sample to the last")
    status = Column(np.str_, '"OK", or why there is no answer')

    def __init__(self, flat: tuple[A, ...], layout: Layout) -> None:
        self.flat: tuple[A, ...] = flat
        self.largest_k = max((each.k for each in flat), default=layout.largest_k)
        self._classes = layout.classes
        # Where each answer is in `flat`: NumPy's indexing of it is that of the answers.
        self._places = np.arange(len(flat)).reshape(layout.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array: [N], [K] or [N, K], or what an index has made of it."""
        return self._places.shape

    def __len__(self) -> int:
        return self.shape[0]

    # An array of one axis gives an answer, one of two axes a row of them.
    @overload
    def __getitem__(self, index: int | np.integer[Any]) -> Any: ...
    @overload
    def __getitem__(self, index: tuple[int | np.integer[Any], int | np.integer[Any]]) -> A: ...
    @overload
    def __getitem__(self: S, index: Any) -> S: ...
    def __getitem__(self, index: Any) -> Any:
        return self._at(self._places[index])

    def __iter__(self) -> Iterator[Any]:
        return map(self._at, self._places)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (np.ndarray, list, int)):
            raise TypeError(f"{type(self).__name__} are no numbers: compare one of their fields, such as answers.k")
        return self is other

    def _at(self, places: Any) -> Any:
        if not np.ndim(places):
            return self.flat[places]
        flat = tuple(self.flat[place] for place in places.ravel())
        return type(self)(flat, Layout(places.shape, self._classes, self.largest_k))

    @property
    def counts(self) -> CountArray:
        """Samples that gave each label, uint64 [*shape, classes]; a copy."""
        rows = [each.counts.labels for each in self.flat]
        return np.array(rows, np.uint64).reshape((*self.shape, self._classes))

    # Tables.

    def columns(self) -> dict[str, Any]:
        """Every field, as a table of one row for each answer, in row-major order.

        The values are those of the array properties, but fields with an entry for each label are lists of tuples.
        `polars.DataFrame(answers.columns())` and the like take them. No seed or key is among them.
        """
        return {
            name: column.values(self) if isinstance(column, PaddedColumn) else column.__get__(self, type(self)).ravel()
            for name, column in self._columns().items()
        }

    def to_pandas(self) -> Any:
        """The `columns` as a `pandas.DataFrame`."""
        import pandas

        return pandas.DataFrame(self.columns())

    def to_arrow(self) -> Any:
        """The `columns` as a `pyarrow.Table`."""
        import pyarrow

        def array(name: str, values: Any) -> Any:
            column = self._columns()[name]
            kind = pyarrow.string() if column.kind is np.str_ else pyarrow.from_numpy_dtype(column.kind)
            return pyarrow.array(values, pyarrow.list_(kind) if isinstance(column, PaddedColumn) else kind)

        return pyarrow.table({name: array(name, values) for name, values in self.columns().items()})

    @classmethod
    def _columns(cls) -> dict[str, Column[Any]]:
        return {name: getattr(cls, name) for name in own_first(fields(cls._kind))}

    # What a person sees.

    def __repr__(self) -> str:
        more = f"\n.. {rest} more" if (rest := len(self.flat) - ROWS) > 0 else ""
        return f"<{self._title()}>" + ("\n" + text_table(*self._table()) + more if self.flat else "")

    def _repr_html_(self) -> str:
        shown = f", the first {ROWS}" if len(self.flat) > ROWS else ""
        return html_table(self._title() + shown, *self._table())

    def _title(self) -> str:
        return f"{type(self).__name__} of shape {list(self.shape)}"

    def _table(self) -> tuple[list[str], list[list[object]]]:
        places = [", ".join(map(str, place)) for place, _ in zip(np.ndindex(self.shape), range(ROWS))]
        rows = [[place, *(getattr(each, name) for name in self._shown)] for place, each in zip(places, self.flat)]
        return ["", *self._shown], rows


class Certificates(Answers[Certificate]):
    """Certificates in an array of shape [N], [K] or [N, K], with their fields as NumPy arrays of that shape."""

    __slots__ = ()
    _kind = Certificate
    _shown = ("k", "label", "radius", "p_lower", "n", "decision", "status")

    label = Column(np.int64, "the labels certified, -1 where there is none", none=-1)
    radius = Column(np.float64, "certified radii, 0 where there is none")
    certified = Column(np.bool_, "whether the radius is above 0")
    p_lower = Column(np.float64, "lower confidence bounds of the labels' probabilities")
    p_upper = Column(np.float64, "upper bounds of the rivals' summed probabilities")
    n0 = Column(np.uint64, "samples counted in the selection")
    allocation = Column(np.str_, 'how alpha was split, "" where there is no certificate', none="")
    radius_cost = Column(np.float64, "what rounding took off the radii")
    uniform = Column(np.float64, "the numbers that randomized the bounds, NaN where none did", none=np.nan)


class Predictions(Answers[Prediction]):
    """Predictions in an array of shape [N], [K] or [N, K], with their fields as NumPy arrays of that shape."""

    __slots__ = ()
    _kind = Prediction
    _shown = ("k", "labels", "abstain", "p_value", "n", "decision", "status")

    labels = PaddedColumn(np.int64, "the labels, the most frequent first; -1 beyond each k and where it abstains", -1)
    top = PaddedColumn(np.int64, "the labels with the largest counts, also where it abstains; -1 beyond each k", -1)
    abstain = Column(np.bool_, "whether it abstains")
    p_value = Column(np.float64, "the tests' p-values")


class Guarantees(Answers[Guarantee]):
    """Guarantees in an array of shape [N], [K] or [N, K], with their fields as NumPy arrays of that shape."""

    __slots__ = ()
    _kind = Guarantee
    _shown = ("k", "labels", "label_radii", "set_radius", "ranking_radius", "n", "status")

    labels = PaddedColumn(
        np.int64, "the labels, the likeliest first; -1 beyond each k and where there is no answer", -1
    )
    certified = Column(np.bool_, "whether the whole set has a radius above 0")
    label_radii = PaddedColumn(np.float64, "radii within which each label stays in the top k; 0 beyond each k", 0)
    set_radius = Column(np.float64, "radii within which the whole set stays")
    kept_radii = PaddedColumn(np.float64, "radii within which at least 1, 2, .. labels stay; 0 beyond each k", 0)
    first_radius = Column(np.float64, "radii within which the first label stays the likeliest")
    ranking_radius = Column(np.float64, "radii within which all labels stay the likeliest in their order")
    n0 = Column(np.uint64, "samples counted in the selection")
    radius_cost = Column(np.float64, "what rounding took off the radii")
