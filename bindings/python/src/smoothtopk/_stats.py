"""What a classifier has done and has under way, in numbers."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, fields
from typing import Any

from . import _abi
from ._library import call, lib


@dataclass(frozen=True)
class Stats:
    """What a classifier has done since it was opened, and has under way. A job is one input of a call.

    Attributes:
        seconds: since the classifier was opened, on the monotonic clock.
        samples: samples counted. The rate between two readings is the difference of `samples` by that of `seconds`.
        invalid_samples: those of them whose scores were not finite.
        samples_waiting: samples that could be drawn now and wait for a thread: the depth of the queue.
        jobs_waiting: jobs under way of which no sample was begun.
        jobs_running: jobs under way that have begun.
        jobs_ended: jobs that have ended, however that came; the next three are among them.
        jobs_cancelled: jobs that were cancelled.
        jobs_late: jobs whose timeout passed; under a rule they may have an answer all the same.
        jobs_failed: jobs that a failed run of the model ended.
        jobs_refused: jobs that were refused with `BusyError`; they are in no other number.
        answers: statements handed out, one for each input and k: predictions that do not abstain, radii above 0.
        abstentions: statements handed out that abstain.
    """

    seconds: float
    samples: int
    invalid_samples: int
    samples_waiting: int
    jobs_waiting: int
    jobs_running: int
    jobs_ended: int
    jobs_cancelled: int
    jobs_late: int
    jobs_failed: int
    jobs_refused: int
    answers: int
    abstentions: int


def read_stats(model: Any) -> Stats:
    """The numbers of an open model."""
    found = _abi.stk_stats()
    call(lib.stk_model_stats, model, ctypes.byref(found), ctypes.sizeof(found))
    return Stats(**{field.name: getattr(found, field.name) for field in fields(Stats)})
