"""Counts, and what follows from them: certificates, predictions and guarantees. Each names the other, so they are here
together."""

from __future__ import annotations

import ctypes
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import Field, InitVar, asdict, dataclass, fields
from functools import cached_property
from typing import Any, Literal, NamedTuple, SupportsFloat, SupportsIndex, TypeVar

from . import _abi, _convert
from ._convert import Generator
from ._counts_base import CountsBase
from ._errors import fields_called
from ._library import call, lib
from ._partial import Partial
from ._shown import html_table
from ._structs import values

Decision = Literal["complete", "certified", "refuted", "reached", "settled", "undecided", "open"]


class Origin(NamedTuple):
    """What an answer was made of, for when it is asked for."""

    counts: Callable[[], Counts]
    selection: Callable[[], Counts | None]
    # Of an answer from counts there is no record.
    record: Callable[[bool], str] | None


@dataclass(frozen=True, eq=False, repr=False)
class Answer(Partial):
    """What a `Certificate`, a `Prediction` and a `Guarantee` have in common. No field holds a seed or key.

    Attributes:
        k: the k of top-k.
        n: samples that were counted; under a rule those of its last look.
        n_certified: samples that this k's answer rests on: n, or fewer, where one of several k was decided, or had a
            larger radius, at an earlier look. 0 where there is no answer.
        samples_drawn: samples that were drawn, those after the last look too, but not those that select; 0 where the
            counts were given.
        decision: what the rule decided. "complete": the n fixed samples were drawn. "certified": the radius asked for
            is certified; "refuted": no number of samples could certify it (under steps or a tolerance: any); "reached":
            more samples are not expected to add more than the tolerance, or none up to n reach the next step;
            "settled": the top-k set is settled; "undecided": the samples or the time ended before, or what was left of
            n could decide nothing; "open": an interim answer, more samples are drawn. None where there is no answer, or
            the counts were given.
        early_stop: why the samples ended before the rule was done with them, such as "DEADLINE_EXCEEDED"; None where
            they did not. With status "OK" the answer is that of the last look, and sound.
        alpha: the probability that the statement is false, all in all.
        alpha_left: what is left of alpha for the bounds after what exact noise costs; it is taken already.
        validity: for which samples the bounds hold: "fixed", "anytime", "anytime:N", "randomized:U", "exact"; None
            where there is no answer.
        assumed: whether it rests on what was stated of bare numbers (`counts.assumptions`).
        generator: "philox" or "chacha12"; None where the counts were given.
        stream: which noise under its seed or key the input got; 0 where the counts were given.
        grid: step of the grid that x and noise are on; 0 where it is not known.
        seconds: from the first sample to the last.
        status: "OK", or why there is no answer: "CANCELLED", "DEADLINE_EXCEEDED", "RUN".
    """

    origin: InitVar[Origin]
    k: int
    n: int
    n_certified: int
    samples_drawn: int
    decision: Decision | None
    early_stop: str | None
    alpha: float
    alpha_left: float
    validity: str | None
    assumed: bool
    generator: Generator | None
    stream: int
    grid: float
    seconds: float
    status: str

    def __post_init__(self, origin: Origin) -> None:
        # No field: tables of answers have numbers and names alone.
        self.__dict__["_origin"] = origin

    @cached_property
    def counts(self) -> Counts:
        """The samples that this answer rests on; where there is none, those that were drawn."""
        return self._from.counts()

    @cached_property
    def selection(self) -> Counts | None:
        """The n0 samples that chose the label, the labels, or how alpha is split; None where none did."""
        return self._from.selection()

    def to_json(self) -> str:
        """The record of a run's answer (docs/record.md), all that is needed to check it again; of an answer from counts
        its fields, with the counts. A digest is in the place of the seed or key."""
        return self._json(secret=False)

    def to_json_with_secret(self) -> str:
        """As `to_json`, with the seed or key, where it is known: whoever reads it knows the noise."""
        return self._json(secret=True)

    def _json(self, secret: bool) -> str:
        if self._from.record is not None:
            return self._from.record(secret)
        # null, as in records: JSON has no infinity.
        found = asdict(self, dict_factory=lambda items: {name: _finite(value) for name, value in items})
        for name in ("counts", "selection"):
            if (counts := getattr(self, name)) is not None:
                found[name] = json.loads(counts.to_json_with_secret() if secret else counts.to_json())
        return json.dumps(found)

    @property
    def _from(self) -> Origin:
        origin: Origin = self.__dict__["_origin"]
        return origin

    def __reduce__(self) -> tuple[Any, ...]:
        record = None if self._from.record is None else self.to_json()
        return _kept, (type(self), asdict(self), self.counts, self.selection, record)

    def __deepcopy__(self, _memo: dict[int, Any]) -> Answer:
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self._names())})"

    def _repr_html_(self) -> str:
        return html_table(type(self).__name__, ("", ""), ((name, getattr(self, name)) for name in self._names()))

    def _names(self) -> list[str]:
        return own_first(fields(self))


_COMMON = frozenset(each.name for each in fields(Answer))
A = TypeVar("A", bound=Answer)


def own_first(of: Iterable[Field[Any]]) -> list[str]:
    """The names of an answer's fields: what it says comes before what all answers have."""
    return sorted((each.name for each in of), key=_COMMON.__contains__)


@dataclass(frozen=True, eq=False, repr=False)
class Certificate(Answer):
    """A statement on one label: it stays among the smoothed classifier's top k for every perturbation smaller than
    radius.

    True with probability at least 1 - alpha over the noise that was drawn.

    Attributes:
        label: the label certified; None where a run was cut short before it was chosen.
        radius: certified radius in the units of the input, in l2 for Gaussian and l1 for uniform noise; 0 for none.
        certified: whether radius > 0.
        p_lower: lower confidence bound of the label's probability under noise.
        p_upper: upper bound of the summed probability of the rivals that limit the radius.
        n0: samples that were counted in `selection`.
        allocation: how alpha was split, as `certify` takes it, and for "auto" what it chose; None where there is no
            certificate.
        radius_cost: what rounding took off the radius.
        uniform: of randomized bounds, above 0 and at most 1; None where they are not randomized.
    """

    label: int | None
    radius: float
    certified: bool
    p_lower: float
    p_upper: float
    n0: int
    allocation: str | None
    radius_cost: float
    uniform: float | None


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


@dataclass(frozen=True, eq=False, repr=False)
class Guarantee(Answer):
    """What holds around an input for the k labels that are returned for it.

    Each of set_radius, first_radius, ranking_radius and each entry of kept_radii is a statement of its own, and so are
    all label_radii together: each is true with probability at least 1 - alpha over the noise that was drawn. Several
    that are read together are all true with probability at least 1 minus the sum of their alphas. Every radius is in
    the units of the input, in l2 for Gaussian and l1 for uniform noise, for perturbations smaller than it; 0 is none.

    Attributes:
        labels: the k labels, the likeliest first; none where there is no answer. The n0 samples of `selection` chose
            them or, where that is None, the very samples that certify them, which is paid for out of alpha.
        certified: whether set_radius > 0.
        label_radii: for each label, in their order, the radius within which it stays in the top k.
        set_radius: the radius within which the set of the k labels does not change.
        kept_radii: at index e - 1 the radius within which at least e of the labels stay in the top k; infinity where so
            many stay whatever happens, because too few labels are outside.
        first_radius: the radius within which the first label stays the likeliest.
        ranking_radius: the radius within which the k labels stay the likeliest, in their order.
        n0: samples that were counted in `selection`.
        radius_cost: what rounding took off every radius.
    """

    labels: tuple[int, ...]
    certified: bool
    label_radii: tuple[float, ...]
    set_radius: float
    kept_radii: tuple[float, ...]
    first_radius: float
    ranking_radius: float
    n0: int
    radius_cost: float


class Counts(CountsBase):
    """How many of n noisy samples of one input gave each label, with all that decides what they prove.

    They know their noise and what its rounding costs, why they ended, which samples they are, and of which model and
    input. So what follows from them takes the costs, and the bounds that hold, by itself; and `a + b` (or `Counts.sum`)
    refuses samples that are counted already, or of another model, input or noise. Once something was said of counts, a
    sum with them takes bounds that hold at all looks: whoever adds samples then may do so for what they saw.

    `sample` makes them, each answer has them, `Counts.assuming` takes bare numbers, `Counts.from_json` reads them.
    `numpy.asarray(counts)` gives the numbers. They are pickled as `to_json` writes them: without the seed or key.
    """

    __slots__ = ()

    def certify(
        self,
        label: SupportsIndex,
        k: SupportsIndex = 1,
        *,
        alpha: SupportsFloat = 0.001,
        allocation: str = "ranked",
        randomized: bool | float = False,
    ) -> Certificate:
        """The certified radius of a label.

        The label, and how alpha is split, must have been fixed before these samples were drawn (by other samples, or
        because it is the true label): what was chosen by looking at them gets a certificate that need not hold.

        Args:
            label: the label to certify.
            k: the k of top-k, from 1 to classes - 1.
            alpha: probability, from 1e-100 to 0.5, that the statement is false.
            allocation: how alpha is split, as for `SmoothedClassifier.certify`, but not "auto".
            randomized: whether the bounds are randomized, a little larger on average: True by a number from the
                samples' own seed or key; or such a number, above 0 and at most 1, that was drawn once, independently of
                the samples.

        Raises:
            InvalidDataError: the samples were cut short, or chose, predicted or answered labels.
            InvalidArgumentError: with the field.
        """
        query, summary = _abi.stk_query(), _abi.stk_summary()
        query.struct_size = ctypes.sizeof(query)
        query.label, query.k = _convert.uint("label", label), _convert.uint("k", k)
        query.alpha, query.allocation = _convert.real("alpha", alpha), _convert.string("allocation", allocation)
        if isinstance(randomized, bool):
            query.randomized = _abi.STK_RANDOMIZED_FROM_SEED if randomized else _abi.STK_RANDOMIZED_NO
        else:
            query.randomized, query.uniform = _abi.STK_RANDOMIZED_BY, _convert.real("randomized", randomized)
        to = ctypes.byref(summary), ctypes.sizeof(summary)
        with fields_called({"uniform": "randomized"}):
            call(lib.stk_counts_certify, self._handle.pointer, ctypes.byref(query), *to)
        return answer(Certificate, _of(self), **values(summary), allocation=allocation)

    def certify_labels(
        self,
        labels: Sequence[SupportsIndex],
        k: SupportsIndex = 1,
        *,
        alpha: SupportsFloat = 0.001,
        allocation: str = "ranked",
    ) -> tuple[float, ...]:
        """For e = 1, 2, .. the radius within which at least e of a set of true labels are among the top k.

        All of them are true at once with probability 1 - alpha. 0 where nothing is certified, inf where so many labels
        stay under any perturbation. The only statement about counts of a multi-label model (`base_k`).

        Args:
            labels: the true labels of the input, ascending, fixed before these samples were drawn.
            k: the k of top-k, from 1 to classes - 1.
            alpha: probability, from 1e-100 to 0.5, that the statement is false.
            allocation: how alpha is split: "ranked" or "simuem".

        Raises:
            InvalidDataError: the samples were cut short, or chose, predicted or answered labels.
            InvalidArgumentError: with the field.
        """
        given = [_convert.uint("labels", label) for label in labels]
        size, radii = _convert.uint("k", k), (ctypes.c_double * len(given))()
        named = _convert.real("alpha", alpha), _convert.string("allocation", allocation)
        array = (ctypes.c_int64 * len(given))(*given)
        call(lib.stk_counts_certify_labels, self._handle.pointer, array, len(given), size, *named, radii)
        return tuple(radii[: min(size, len(given))])

    def predict(self, k: SupportsIndex = 1, *, alpha: SupportsFloat = 0.001) -> Prediction:
        """The top k labels of the smoothed classifier; abstains where the counts do not settle them.

        Args:
            k: the k of top-k, from 1 to classes - 1.
            alpha: probability, from 1e-100 to 0.5, that labels that are returned are wrong.

        Raises:
            InvalidDataError: the samples were cut short, or looks ended them.
            InvalidArgumentError: with the field.
        """
        summary, size = _abi.stk_summary(), _convert.uint("k", k)
        labels = (ctypes.c_int64 * min(size, self.labels.size))()
        to = labels, ctypes.byref(summary), ctypes.sizeof(summary)
        call(lib.stk_counts_predict, self._handle.pointer, size, _convert.real("alpha", alpha), *to)
        return answer(Prediction, _of(self), **values(summary), top=tuple(labels))

    def guarantee(
        self, k: SupportsIndex = 1, *, alpha: SupportsFloat = 0.001, pilot: Counts | None = None
    ) -> Guarantee:
        """What holds for the k labels that are returned.

        Args:
            k: the number of labels, from 1 to classes - 1.
            alpha: probability, from 1e-100 to 0.5, that a statement is false: each of the `Guarantee`'s.
            pilot: counts of other samples of the same model and input, whose k most frequent labels are returned. None:
                those of these counts are, which is paid for out of alpha; where looks ended them, what has to be paid
                for is not certified.

        Raises:
            InvalidDataError: the samples were cut short, or the pilot has some of them or is of another model or input.
            InvalidArgumentError: with the field.
        """
        if not (pilot is None or isinstance(pilot, Counts)):
            raise TypeError(f"pilot must be Counts, not {type(pilot).__name__}: see Counts.assuming")
        found, size = _abi.stk_guarantee(), _convert.uint("k", k)
        room = min(size, self.labels.size)
        labels, each, kept = (ctypes.c_int64 * room)(), (ctypes.c_double * room)(), (ctypes.c_double * room)()
        given = None if pilot is None else pilot._handle.pointer
        to = labels, each, kept, ctypes.byref(found), ctypes.sizeof(found)
        call(lib.stk_counts_guarantee, self._handle.pointer, given, size, _convert.real("alpha", alpha), *to)
        # What a run would say besides: nothing.
        more = values(_abi.stk_summary()) | values(found) | {"n_certified": found.n}
        radii = {"label_radii": tuple(each), "kept_radii": tuple(kept)}
        return answer(Guarantee, _of(self, pilot), **more, **radii, labels=tuple(labels))


def answer(kind: type[A], origin: Origin, **given: Any) -> A:
    """An answer from values that have its fields among them, or say them in another way."""
    if kind is Prediction:
        given["labels"] = None if given["abstain"] else given["top"]
    elif kind is Guarantee:
        given["certified"] = given["set_radius"] > 0
    return kind(origin, **{each.name: given[each.name] for each in fields(kind)})


def _of(counts: Counts, pilot: Counts | None = None) -> Origin:
    return Origin(lambda: counts, lambda: pilot, None)


def _kept(kind: type[A], given: dict[str, Any], counts: Counts, pilot: Counts | None, record: str | None) -> A:
    """An answer that was pickled."""
    origin = Origin(lambda: counts, lambda: pilot, None if record is None else lambda _secret: record)
    return kind(origin, **given)


def _finite(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and math.isinf(value) else value
