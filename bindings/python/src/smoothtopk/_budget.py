"""An alpha that many statements share."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple, SupportsFloat, SupportsIndex

from . import _abi, _convert
from ._errors import InvalidArgumentError, fields_called
from ._library import Handle, call, lib, text


class Share(NamedTuple):
    """One statement's share of an `AlphaBudget`.

    Attributes:
        alpha: the failure probability that the statement may be made at.
        statement: which of the budget's statements it is, from 1.
    """

    alpha: float
    statement: int


class AlphaBudget:
    """An alpha that many statements share: those about a data set, or about a day's requests.

    With every statement made at the alpha of a share of its own, drawn before the samples it rests on, the probability
    that any of them is wrong is at most `total` (the family-wise reading), and the expected number of wrong ones is at
    most `spent` (the expected reading). Neither needs the statements to be independent. A share is spent when it is
    drawn, whether or not a statement comes of it. One call with several inputs or several k makes as many statements at
    its alpha, a `Guarantee` is several too, and so are, under a stopping rule, a certificate and its refutation: draw a
    share for each, and ask at the alpha of the least of them.

        budget = AlphaBudget(0.01, "even:500")
        for i, x in enumerate(images):
            certificate = g.certify(x, alpha=budget.draw().alpha, seed=7, stream=i)

    It may be used from any number of threads. In a child of a fork methods and attributes raise ForkedError, and a
    budget cannot be copied or pickled: two copies would spend the same alpha twice.

    Args:
        total: the alpha that all statements share, above 0. From 1 up it bounds the expected number of wrong
            statements, and says nothing of their being all right.
        schedule: how they share it. "even:M": a known number M of statements, total/M each. For any number of
            statements: "slow", shares that fall little faster than 1/i; "square", 6/(pi^2 i^2) of the total for the
            i-th; "asked", each what it asks `draw_of` for, while there is enough.

    Raises:
        InvalidArgumentError: with the field.
    """

    def __init__(self, total: SupportsFloat, schedule: str) -> None:
        values = _convert.real("total", total), _convert.string("schedule", schedule)
        self._handle = Handle(_abi.stk_budget, lib.stk_budget_free)
        with fields_called({"statements": "schedule", "alpha": "total"}):
            call(lib.stk_budget_new, *values, self._handle.out())

    @classmethod
    def open(cls, saved: str) -> AlphaBudget:
        """The budget as it stood when `save` gave this text.

        Raises:
            InvalidArgumentError, InvalidDataError: it is not the text of a budget.
        """
        value = _convert.string("saved", saved)
        budget = cls.__new__(cls)
        budget._handle = Handle(_abi.stk_budget, lib.stk_budget_free)
        with fields_called({"text": "saved"}):
            call(lib.stk_budget_open, value, budget._handle.out())
        return budget

    def save(self) -> str:
        """The budget as it stands, a line of JSON.

        A server that may stop at any moment draws a number of shares ahead, saves the budget, and only then uses them:
        what it had not used when it stopped is lost, never spent twice.
        """
        line = ctypes.create_string_buffer(_abi.STK_BUDGET_TEXT_SIZE)
        call(lib.stk_budget_save, self._ours(), line, len(line))
        return text(line.value)

    def draw(self) -> Share:
        """Draws the share of the next statement, as `draw_many`."""
        return self.draw_many(1)[0]

    def draw_many(self, number: SupportsIndex) -> tuple[Share, ...]:
        """Draws the shares of the next statements, all or none. Draw them before the statements' samples.

        Args:
            number: how many, at least 1.

        Raises:
            InvalidArgumentError: the budget is exhausted, and nothing was spent; or it is an "asked" one.
        """
        budget = self._ours()
        count = _convert.uint("number", number)
        try:
            alphas = (ctypes.c_double * count)()
        except (MemoryError, OverflowError):
            raise InvalidArgumentError(f"is more than there is memory for: {count}", "number") from None
        first = ctypes.c_uint64()
        with fields_called({"budget": "number"}):
            call(lib.stk_budget_draw, budget, count, alphas, ctypes.byref(first))
        return tuple(Share(alpha, statement) for statement, alpha in enumerate(alphas, first.value))

    def draw_of(self, alpha: SupportsFloat) -> Share:
        """Draws this alpha for one statement, from an "asked" budget. It must not depend on the statement's samples.

        Raises:
            InvalidArgumentError: less is left, and nothing was spent; or the budget is not an "asked" one.
        """
        budget = self._ours()
        value, statement = _convert.real("alpha", alpha), ctypes.c_uint64()
        with fields_called({"budget": "alpha"}):
            call(lib.stk_budget_draw_of, budget, value, ctypes.byref(statement))
        return Share(value, statement.value)

    @property
    def total(self) -> float:
        """The alpha that all statements share."""
        return float(lib.stk_budget_total(self._ours()))

    @property
    def spent(self) -> float:
        """What the shares that were drawn add to, rounded up."""
        return float(lib.stk_budget_spent(self._ours()))

    @property
    def left(self) -> float:
        """What is not spent, rounded down."""
        return float(lib.stk_budget_left(self._ours()))

    @property
    def drawn(self) -> int:
        """How many shares were drawn."""
        return int(lib.stk_budget_drawn(self._ours()))

    def __reduce__(self) -> Any:
        raise TypeError(
            "an AlphaBudget cannot be pickled or copied, which would spend its alpha twice: draw shares for others"
        )

    def _ours(self) -> Any:
        """The library's budget; a child of a fork might wait for ever for a lock that a thread of its parent held."""
        self._handle.check_process()
        return self._handle.pointer

    def __repr__(self) -> str:
        if not self._handle.is_ours():
            return "<AlphaBudget of the process that this one was forked from>"
        return f"<AlphaBudget total={self.total:g}, left={self.left:g}, drawn={self.drawn}>"
