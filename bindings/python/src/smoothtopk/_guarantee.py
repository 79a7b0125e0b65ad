"""What certify_answer answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ._answers import Answer, Answers, CountArray


@dataclass(frozen=True, eq=False, repr=False)
class Guarantee(Answer):
    """What holds around an input for the k labels that are returned for it.

    Each of set_radius, first_radius, ranking_radius and each entry of kept_radii is a statement of its own, and so are
    all label_radii together: each is true with probability at least 1 - alpha over the noise that was drawn. Several
    that are read together are all true with probability at least 1 minus the sum of their alphas. Every radius is an l2
    norm on the input's own scale, for perturbations of a norm below it; 0 is none.

    Attributes:
        labels: the k labels, the likeliest first; none where there is no answer.
        certified: whether set_radius > 0.
        label_radii: for each label, in their order, the radius within which it stays in the top k.
        set_radius: the radius within which the set of the k labels does not change.
        kept_radii: at index e - 1 the radius within which at least e of the labels stay in the top k; infinity where so
            many stay whatever happens, because too few labels are outside.
        first_radius: the radius within which the first label stays the likeliest.
        ranking_radius: the radius within which the k labels stay the likeliest, in their order.
        selection: as counts, of the rows of their own that chose the labels; None where they are those most frequent
            among the very rows that certify them, which is paid for out of alpha.
        n0: rows that were counted in `selection`.
        n_certified: rows that the guarantee rests on: n, or fewer, where one of several k had a larger set_radius at an
            earlier look.
        radius_slack: what rounding x took off every radius.
    """

    labels: tuple[int, ...]
    certified: bool
    label_radii: tuple[float, ...]
    set_radius: float
    kept_radii: tuple[float, ...]
    first_radius: float
    ranking_radius: float
    selection: CountArray | None = field(repr=False)
    n0: int
    n_certified: int
    sigma: float
    radius_slack: float

    @property
    def validity(self) -> str:
        """The kind of its bounds, as `certify_answer_counts` takes it: "fixed" or, under a rule, "anytime"; "" without
        an answer."""
        return str(json.loads(self._json)["validity"]) if self.labels else ""


class Guarantees(Answers[Guarantee]):
    """Guarantees in an array of shape [N], [K] or [N, K], with their fields as NumPy arrays of that shape."""

    __slots__ = ()

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The labels, the likeliest first, int64 [*shape, largest k]; -1 beyond each k and where there is no answer."""
        width = self._width()
        return self._array(np.int64, lambda each: [*each.labels, *[-1] * (width - len(each.labels))], (width,))

    @property
    def certified(self) -> npt.NDArray[np.bool_]:
        """Whether the whole set has a radius above 0, bool [*shape]."""
        return self._array(np.bool_, lambda each: each.certified)

    @property
    def label_radii(self) -> npt.NDArray[np.float64]:
        """Radii within which each label stays in the top k, float64 [*shape, largest k]; 0 beyond each k."""
        return self._radii(lambda each: each.label_radii)

    @property
    def set_radius(self) -> npt.NDArray[np.float64]:
        """Radii within which the whole set stays, float64 [*shape]."""
        return self._array(np.float64, lambda each: each.set_radius)

    @property
    def kept_radii(self) -> npt.NDArray[np.float64]:
        """Radii within which at least 1, 2, .. labels stay, float64 [*shape, largest k]; 0 beyond each k."""
        return self._radii(lambda each: each.kept_radii)

    @property
    def first_radius(self) -> npt.NDArray[np.float64]:
        """Radii within which the first label stays the likeliest, float64 [*shape]."""
        return self._array(np.float64, lambda each: each.first_radius)

    @property
    def ranking_radius(self) -> npt.NDArray[np.float64]:
        """Radii within which all labels stay the likeliest in their order, float64 [*shape]."""
        return self._array(np.float64, lambda each: each.ranking_radius)

    def _width(self) -> int:
        return max((each.k for each in self.flat), default=0)

    def _radii(self, get: Callable[[Guarantee], tuple[float, ...]]) -> npt.NDArray[np.float64]:
        width = self._width()
        return self._array(np.float64, lambda each: [*get(each), *[0.0] * (width - len(get(each)))], (width,))
