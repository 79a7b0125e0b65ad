"""How much of the machine others took meanwhile: what a figure is worth depends on it."""

from __future__ import annotations

import os
import resource
from pathlib import Path


class Busy:
    """From its making to `said`. Worker processes that were started meanwhile must have ended by then."""

    def __init__(self) -> None:
        self._start = _seconds()

    def said(self) -> str:
        """A note on the share of the cores' time that other processes (or other guests of the host) took."""
        now = _seconds()
        if now is None or self._start is None:
            return "other load unknown"
        total, busy, ours = (after - before for after, before in zip(now, self._start))
        return f"others took {max(0.0, (busy - ours) / total):.0%} of the machine meanwhile"


def _seconds() -> tuple[float, float, float] | None:
    """All cores' seconds so far, the busy ones of these, and this process's and its ended workers'; on Linux alone."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    # user, nice, system, idle, iowait, irq, softirq, steal; guests are in user and nice already.
    fields = [int(field) / os.sysconf("SC_CLK_TCK") for field in stat.read_text().splitlines()[0].split()[1:9]]
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(fields), sum(fields) - fields[3] - fields[4], sum(each.ru_utime + each.ru_stime for each in usage)
