"""An alpha that many statements share."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from smoothtopk import AlphaBudget, Certificate, InvalidArgumentError, InvalidDataError, Share, SmoothedClassifier

from conftest import rows


def test_even_shares() -> None:
    budget = AlphaBudget(0.01, "even:4")
    shares = [budget.draw() for _ in range(4)]
    assert [share.statement for share in shares] == [1, 2, 3, 4]
    assert all(share.alpha == pytest.approx(0.0025, rel=1e-14) for share in shares)
    assert (budget.total, budget.drawn) == (0.01, 4)
    assert budget.spent == pytest.approx(0.01) and budget.spent <= 0.01 and 0 <= budget.left < 1e-15
    with pytest.raises(InvalidArgumentError):
        budget.draw()
    assert budget.drawn == 4


@pytest.mark.parametrize(
    ("schedule", "share"),
    [
        ("slow", lambda i: 1 / math.log2(i + 1) - 1 / math.log2(i + 2)),
        ("square", lambda i: 6 / (math.pi * i) ** 2),
    ],
)
def test_shares_of_any_number(schedule: str, share: Callable[[int], float]) -> None:
    budget = AlphaBudget(0.05, schedule)
    shares = budget.draw_many(1000)
    assert [each.statement for each in shares] == list(range(1, 1001))
    for each in shares:
        assert each.alpha == pytest.approx(0.05 * share(each.statement), rel=1e-9)
    assert math.fsum(each.alpha for each in shares) <= budget.spent <= 0.05
    assert budget.left <= 0.05 - math.fsum(each.alpha for each in shares)
    following = budget.draw()
    assert following == Share(following.alpha, 1001) and following.alpha < shares[-1].alpha


def test_shares_that_are_asked_for() -> None:
    budget = AlphaBudget(0.01, "asked")
    assert budget.draw_of(0.004) == Share(0.004, 1)
    assert budget.draw_of(0.005).statement == 2
    with pytest.raises(InvalidArgumentError):
        budget.draw_of(0.004)
    with pytest.raises(InvalidArgumentError):
        budget.draw()
    assert budget.drawn == 2 and budget.left == pytest.approx(0.001)
    with pytest.raises(InvalidArgumentError):
        AlphaBudget(0.01, "slow").draw_of(0.001)


def test_all_or_none() -> None:
    budget = AlphaBudget(0.01, "even:3")
    with pytest.raises(InvalidArgumentError):
        budget.draw_many(4)
    assert (budget.drawn, budget.spent) == (0, 0.0)
    assert len(budget.draw_many(3)) == 3


def test_saving_and_opening() -> None:
    budget = AlphaBudget(0.01, "slow")
    budget.draw_many(5)
    text = budget.save()
    assert json.loads(text)["drawn"] == 5 and "\n" not in text
    again = AlphaBudget.open(text)
    assert (again.total, again.spent, again.left, again.drawn) == (0.01, budget.spent, budget.left, 5)
    assert again.draw() == budget.draw()
    for wrong in ("", "{}", "no budget", text.replace("5", "-5")):
        with pytest.raises((InvalidDataError, InvalidArgumentError)):
            AlphaBudget.open(wrong)


def test_statements_at_their_shares(linear: SmoothedClassifier) -> None:
    budget, x = AlphaBudget(0.01, "square"), rows("linear")[0]
    first, second = (linear.certify(x, n=2_000, label=2, seed=1, alpha=budget.draw().alpha) for _ in range(2))
    assert isinstance(first, Certificate) and isinstance(second, Certificate)
    # The same samples at a smaller alpha.
    assert first.alpha + second.alpha <= budget.spent and first.radius > second.radius > 0


def test_threads_share_it() -> None:
    budget = AlphaBudget(0.5, "slow")
    with ThreadPoolExecutor(8) as pool:
        shares = list(pool.map(lambda _: budget.draw(), range(500)))
    assert sorted(share.statement for share in shares) == list(range(1, 501))
    assert budget.drawn == 500


@pytest.mark.parametrize(
    ("total", "schedule", "field"),
    [(0, "slow", "total"), (float("nan"), "slow", "total"), (0.01, "fast", "schedule"), (0.01, "even:0", "schedule")],
)
def test_budgets_that_there_are_not(total: float, schedule: str, field: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        AlphaBudget(total, schedule)
    assert raised.value.field == field


def test_wrong_arguments() -> None:
    budget = AlphaBudget(0.01, "slow")
    for number in (0, -1, 2**62, 2**64):
        with pytest.raises(InvalidArgumentError) as raised:
            budget.draw_many(number)
        assert raised.value.field == "number"
    wrong: list[Callable[[], Any]] = [
        lambda: AlphaBudget("a", "slow"),  # type: ignore[arg-type]
        lambda: AlphaBudget(0.01, 3),  # type: ignore[arg-type]
        lambda: AlphaBudget.open(3),  # type: ignore[arg-type]
        lambda: budget.draw_many(1.5),  # type: ignore[arg-type]
    ]
    for call in wrong:
        with pytest.raises(TypeError):
            call()
    assert budget.drawn == 0


def test_it_is_not_spent_twice(python: Callable[..., str]) -> None:
    budget = AlphaBudget(0.01, "slow")
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="twice"):
            copied(budget)
    code = """
import os, smoothtopk
budget = smoothtopk.AlphaBudget(0.01, "slow")
if not (child := os.fork()):
    told = 0
    for use in ("draw", "save", "total", "spent", "left", "drawn"):
        try:
            used = getattr(budget, use)
            used()
        except smoothtopk.ForkedError:
            told += 1
    os._exit(told if "forked" in repr(budget) else 0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), budget.drawn)
"""
    assert python(code).split() == ["6", "0"]


def test_repr() -> None:
    assert repr(AlphaBudget(0.01, "slow")) == "<AlphaBudget total=0.01, left=0.01, drawn=0>"
