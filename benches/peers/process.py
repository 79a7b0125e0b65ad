"""The parent's side of a worker process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from .workloads import ROOT


class Worker:
    """A peer in a process of its own (see worker.py), which ends with the `with` block.

    Args:
        name: of the peer, for tables and errors.
        command: the process.
        core: the one core to run on; None for all of ours.

    Raises:
        RuntimeError: it ended, or could not start; its own words are on the standard error.
    """

    def __init__(self, name: str, command: Sequence[str], *, core: int | None = None) -> None:
        self.name = name
        environment = os.environ | {"PYTHONPATH": str(ROOT / "benches")}
        pin = ["taskset", "--cpu-list", str(core)] if core is not None else []
        self._process = subprocess.Popen(
            [*pin, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment
        )
        self.about: str = self._answer()["about"]

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def ask(self, do: str, **arguments: Any) -> Any:
        """The answer to a request."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # That it ended is found below.
            print(json.dumps({"do": do} | arguments), file=self._process.stdin)
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: its process ended with status {self._process.wait()}")
        return json.loads(line)


def python_worker(name: str, module: str, *, core: int | None = None, **arguments: Any) -> Worker:
    """A worker whose peer is `peers.<module>`."""
    command = [sys.executable, "-m", "peers.worker", module, json.dumps(arguments)]
    return Worker(name, command, core=core)
