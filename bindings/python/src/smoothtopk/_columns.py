"""A field of many answers as one NumPy array."""

from __future__ import annotations

import math
from typing import Any, Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

S = TypeVar("S", bound=np.generic)
C = TypeVar("C", bound="Column[Any]")


class Column(Generic[S]):
    """A field as an array of the answers' shape, with `none` where it is None."""

    def __init__(self, kind: type[S], doc: str, none: object = None) -> None:
        self.kind, self._none = kind, none
        self.__doc__ = f"{self.form}: {doc}."

    @property
    def form(self) -> str:
        """Type and shape, for the docs."""
        return f"{self.kind.__name__.rstrip('_')} [*shape]"

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self: C, answers: None, owner: type) -> C: ...
    @overload
    def __get__(self, answers: Any, owner: type) -> npt.NDArray[S]: ...
    def __get__(self, answers: Any, owner: type) -> Any:
        return self if answers is None else np.array(self.values(answers), self.kind).reshape(self._shape(answers))

    def __set__(self, _answers: Any, _value: object) -> None:
        raise AttributeError(f"{self._name} cannot be set")

    def values(self, answers: Any) -> list[Any]:
        """The field of each answer, in row-major order."""
        found = (getattr(each, self._name) for each in answers.flat)
        return [self._none if value is None else value for value in found]

    def _shape(self, answers: Any) -> tuple[int, ...]:
        shape: tuple[int, ...] = answers.shape
        return shape


class PaddedColumn(Column[S]):
    """A field with an entry for each of the k labels, as an array [*shape, largest k] with `pad` beyond them."""

    def __init__(self, kind: type[S], doc: str, pad: object) -> None:
        super().__init__(kind, doc)
        self._pad = pad

    @property
    def form(self) -> str:
        """Type and shape, for the docs."""
        return f"{self.kind.__name__} [*shape, largest k]"

    @overload
    def __get__(self: C, answers: None, owner: type) -> C: ...
    @overload
    def __get__(self, answers: Any, owner: type) -> npt.NDArray[S]: ...
    def __get__(self, answers: Any, owner: type) -> Any:
        if answers is None:
            return self
        shape = self._shape(answers)
        array = np.full((math.prod(shape[:-1]), shape[-1]), self._pad, self.kind)
        for row, value in zip(array, self.values(answers)):
            row[: len(value)] = value
        return array.reshape(shape)

    def values(self, answers: Any) -> list[Any]:
        """The entries of each answer, in row-major order."""
        return [getattr(each, self._name) or () for each in answers.flat]

    def _shape(self, answers: Any) -> tuple[int, ...]:
        return (*answers.shape, answers.largest_k)
