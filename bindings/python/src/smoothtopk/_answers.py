"""What certify and predict answer."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Generic, Literal, TypeVar, overload

import numpy as np
import numpy.typing as npt

from ._convert import Generator, SpentBound

CountArray = npt.NDArray[np.uint64]
Decision = Literal["complete", "certified", "refuted", "reached", "settled", "undecided"]


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """What a `Certificate`, a `Prediction` and a `Guarantee` have in common.

    Attributes:
        k: the k of top-k.
        counts: rows that gave each label, uint64 [classes], read-only. Rows with no label (NaN) are
            counted in n alone, and in bounds as rows of every rival.
        n: rows that were counted; under a rule those of its last look.
        samples_drawn: rows that were drawn, those after the last look too, but not those that select; 0 where the counts
            were given.
        decision: what the rule decided. "complete": the n fixed rows were drawn. "certified": the radius asked for is
            certified; "refuted": no number of rows could certify it (under steps or a tolerance: any); "reached": more
            rows are not expected to add more than the tolerance, or none up to n reach the next step; "settled": the
            top-k set is settled; "undecided": the rows or the time ended before, or what was left of the n rows could
            decide nothing. None where there is no answer, or no run.
        cut: why the rows ended before the rule was done with them, such as "DEADLINE_EXCEEDED"; None where they did
            not. With status "OK" the answer is that of the last look, and sound.
        sigma, alpha: as they were asked for; sigma is None for a prediction from counts.
        alpha_left: what is left of alpha for the bounds after what exact noise costs; alpha without it.
        generator: "philox" or "chacha12"; None where the counts were given.
        seed, key: what the noise was drawn from, and for which input; None where the counts were given. The seed is
            None for ChaCha12, whose key is `chacha12_key`.
        grid: step of the grid that x and noise are on; 0 where the counts were given.
        exact_levels: points a unit of the grid of exact noise; None where the noise is not exact.
        seconds: from the first row to the last.
        status: "OK", or why there is no answer: "CANCELLED", "DEADLINE_EXCEEDED", "RUN".
    """

    k: int
    counts: CountArray = field(repr=False)
    n: int
    samples_drawn: int
    decision: Decision | None
    cut: str | None
    sigma: float | None
    alpha: float
    alpha_left: float
    generator: Generator | None
    seed: int | None
    key: int | None
    grid: float
    exact_levels: int | None
    seconds: float
    status: str
    _json: str = field(repr=False)

    @property
    def chacha12_key(self) -> bytes | None:
        """The key that the noise was drawn from, a secret; None where it was not drawn by ChaCha12."""
        key = json.loads(self._json).get("chacha12_key")
        return None if key is None else bytes.fromhex(key)

    def to_json(self) -> str:
        """All that is needed to check it again: counts, seed, bounds, versions, and the model's hash if there is one.

        It has the seed, or the key of ChaCha12: whoever reads it knows the noise.
        """
        return self._json

    def __repr__(self) -> str:
        shown = [each.name for each in fields(self) if each.repr]
        # What it says comes first.
        shown.sort(key=_COMMON.__contains__)
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


_COMMON = frozenset(each.name for each in fields(Answer))


@dataclass(frozen=True, eq=False, repr=False)
class Certificate(Answer):
    """A statement on one label: it stays among the smoothed classifier's top k for every perturbation of l2 norm <
    radius.

    True with probability at least 1 - alpha over the noise that was drawn.

    Attributes:
        label: the label certified; None where a run was cut short before it was chosen.
        radius: certified l2 radius on the input's own scale; 0 where there is none.
        certified: whether radius > 0.
        p_lower: lower confidence bound of the label's probability under noise.
        p_upper: upper bound of the summed probability of the rivals that limit the radius.
        selection: as counts, of the rows that chose the label, or how alpha is spent; None where none did.
        n0: rows that were counted in `selection`.
        n_certified: rows that the certificate rests on: n, or fewer, where one of several k had a larger radius at an
            earlier look of its rule.
        bound: how label probabilities were bounded: "ranked", "simuem", "binocp"; "allocation" where alpha was spent in
            another way; "auto" where it was asked for and there is no certificate.
        allocation: how alpha was spent, as `certify_counts` takes it; None where there is no certificate.
        radius_slack: what rounding x took off the radius.
        uniform: of randomized bounds, above 0 and at most 1; None where they are not randomized.
    """

    label: int | None
    radius: float
    certified: bool
    p_lower: float
    p_upper: float
    selection: CountArray | None = field(repr=False)
    n0: int
    n_certified: int
    sigma: float
    bound: SpentBound
    allocation: str | None
    radius_slack: float
    uniform: float | None

    @property
    def validity(self) -> str:
        """The kind of its bounds, as `certify_counts` takes it: "fixed", "randomized:U", or, under a rule, "anytime" or
        "anytime:N"."""
        if self.uniform is not None:
            return f"randomized:{self.uniform!r}"
        return str(json.loads(self._json)["validity"])


@dataclass(frozen=True, eq=False, repr=False)
class Prediction(Answer):
    """The smoothed classifier's top k labels, or none: it abstains where the counts do not settle them.

    Wrong with probability at most alpha over the noise that was drawn.

    Attributes:
        labels: the k labels, the most frequent first; None when abstaining.
        top: the k labels with the largest counts, also when abstaining.
        abstain: whether labels is None.
        p_value: of the test between the k-th count and the next; under a rule one that holds at all looks at once.
    """

    labels: tuple[int, ...] | None
    top: tuple[int, ...]
    abstain: bool
    p_value: float


A = TypeVar("A", bound=Answer)


def _is_index(index: object) -> bool:
    """Whether it is an integer; a truth value is a mask to NumPy."""
    return hasattr(index, "__index__") and not isinstance(index, (bool, np.bool_, np.ndarray))


class Answers(Generic[A]):
    """Answers in an array of shape [N] (inputs), [K] (several k of one input) or [N, K].

    `answers[i]` and `answers[i, j]` are single answers, or rows of them; len, iteration and slices are those of the
    first axis, and nothing else is an index; `flat` has every single answer in row-major order.
    """

    __slots__ = ("flat", "shape")

    def __init__(self, flat: tuple[A, ...], shape: tuple[int, ...]) -> None:
        self.flat: tuple[A, ...] = flat
        self.shape = shape

    def __len__(self) -> int:
        return self.shape[0]

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Answers[A]: ...
    @overload
    def __getitem__(self, index: tuple[int, int]) -> A: ...
    def __getitem__(self, index: int | slice | tuple[int, int]) -> Any:
        width = math.prod(self.shape[1:])
        if isinstance(index, tuple):
            # A slice here would be one of rows, twice: another input's answers.
            if len(index) != len(self.shape) or not all(map(_is_index, index)):
                raise self._no_index(index)
            row, *rest = index
            return self[row][rest[0]] if rest else self[row]
        if isinstance(index, slice):
            rows = range(len(self))[index]
            flat = tuple(each for row in rows for each in self.flat[row * width : (row + 1) * width])
            return type(self)(flat, (len(rows), *self.shape[1:]))
        if not _is_index(index):
            raise self._no_index(index)
        try:
            row = range(len(self))[index]
        except IndexError:
            raise IndexError(f"index {index} is out of range for {len(self)} answers") from None
        if len(self.shape) == 1:
            return self.flat[row]
        return type(self)(self.flat[row * width : (row + 1) * width], self.shape[1:])

    def _no_index(self, index: object) -> TypeError:
        column = "" if len(self.shape) == 1 else "; for a column [each[j] for each in answers]"
        pair = "" if len(self.shape) == 1 else ", answers[i, j]"
        name = type(self).__name__
        return TypeError(f"{name} take answers[i]{pair} or answers[i:j], with integers, not {index!r}{column}")

    def __iter__(self) -> Iterator[Any]:
        return (self[row] for row in range(len(self)))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of shape {list(self.shape)}>"

    def _array(self, dtype: Any, get: Callable[[A], Any], tail: tuple[int, ...] = ()) -> npt.NDArray[Any]:
        return np.array([get(each) for each in self.flat], dtype).reshape(self.shape + tail)

    @property
    def k(self) -> npt.NDArray[np.int64]:
        """The k of top-k, int64 [*shape]."""
        return self._array(np.int64, lambda each: each.k)

    @property
    def n(self) -> CountArray:
        """Rows counted, uint64 [*shape]."""
        return self._array(np.uint64, lambda each: each.n)

    @property
    def samples_drawn(self) -> CountArray:
        """Rows drawn, uint64 [*shape]; those of one input are given for each of its k."""
        return self._array(np.uint64, lambda each: each.samples_drawn)

    @property
    def decision(self) -> npt.NDArray[np.str_]:
        """What the rule decided, str [*shape]; "" where there is no answer."""
        return self._array(np.str_, lambda each: each.decision or "")

    @property
    def counts(self) -> CountArray:
        """Rows that gave each label, uint64 [*shape, classes]; a copy."""
        classes = self.flat[0].counts.shape[0] if self.flat else 0
        return self._array(np.uint64, lambda each: each.counts, (classes,))

    @property
    def status(self) -> npt.NDArray[np.str_]:
        """ "OK", or why there is no answer, str [*shape]."""
        return self._array(np.str_, lambda each: each.status)


class Certificates(Answers[Certificate]):
    """Certificates in an array of shape [N], [K] or [N, K], with their fields as NumPy arrays of that shape."""

    __slots__ = ()

    @property
    def label(self) -> npt.NDArray[np.int64]:
        """The labels certified, int64 [*shape]; -1 where there is none."""
        return self._array(np.int64, lambda each: -1 if each.label is None else each.label)

    @property
    def radius(self) -> npt.NDArray[np.float64]:
        """Certified l2 radii, float64 [*shape]; 0 where there is none."""
        return self._array(np.float64, lambda each: each.radius)

    @property
    def certified(self) -> npt.NDArray[np.bool_]:
        """Whether the radius is above 0, bool [*shape]."""
        return self._array(np.bool_, lambda each: each.certified)

    @property
    def p_lower(self) -> npt.NDArray[np.float64]:
        """Lower confidence bounds of the labels' probabilities, float64 [*shape]."""
        return self._array(np.float64, lambda each: each.p_lower)


class Predictions(Answers[Prediction]):
    """Predictions in an array of shape [N], [K] or [N, K], with their fields as NumPy arrays of that shape."""

    __slots__ = ()

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The labels, the most frequent first, int64 [*shape, largest k]; -1 where it abstains and beyond each k."""
        width = max((each.k for each in self.flat), default=0)
        return self._array(
            np.int64, lambda each: [*(each.labels or ()), *[-1] * (width - len(each.labels or ()))], (width,)
        )

    @property
    def abstain(self) -> npt.NDArray[np.bool_]:
        """Whether it abstains, bool [*shape]."""
        return self._array(np.bool_, lambda each: each.abstain)

    @property
    def p_value(self) -> npt.NDArray[np.float64]:
        """The tests' p-values, float64 [*shape]."""
        return self._array(np.float64, lambda each: each.p_value)
