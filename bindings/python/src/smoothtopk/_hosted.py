"""The program `smoothtopk certify` under Python: what it is given, and what it says."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ._errors import BusyError, CancelledError, InvalidArgumentError, RunError, SmoothTopKError
from ._made import Data
from ._program import PROGRAM, environment

# Exit codes of the program (docs/cluster.md).
_USAGE, _BUSY = 2, 75
_REPEATED = ("constant", "provider_option")
# They are no options of a Python program.
_REFUSED = ("config", "data", "data_as", "dry_run", "host", "model", "out", "quiet")


def arguments(model: str, data: Data, out: str, options: Mapping[str, Any], folder: Path) -> list[str]:
    """What is typed for `smoothtopk certify`: the options have its names, with underscores; None is not given.

    A key goes into a file of `folder`, which is its owner's alone: other users of the machine see what is typed.
    """
    given = dict(options)
    if (key := given.get("key")) is not None and not str(key).startswith("@"):
        (folder / "key").write_text(str(key))
        given["key"] = f"@{folder / 'key'}"
    if wrong := next((name for name in given if name in _REFUSED), None):
        raise TypeError(f"{wrong} is not an option here")
    if data.classes_file is not None:
        given["classes_file"] = data.classes_file
    typed = ["certify", f"--model={model}", f"--data={data.path}", f"--out={out}", "--quiet"]
    if data.name is not None:
        typed.append(f"--data-as={data.name}")
    for name, value in given.items():
        typed += _typed(name, value)
    return typed


def _typed(name: str, value: Any) -> list[str]:
    option = "--" + name.replace("_", "-")
    if value is None or value is False:
        return []
    if value is True:
        return [option]
    if isinstance(value, Mapping):
        value = [f"{key}={_text(each)}" for key, each in value.items()]
    if isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str):
        if name in _REPEATED:
            return [f"{option}={_text(each)}" for each in value]
        return [f"{option}={_text(value)}"]
    return [f"{option}={_text(value)}"]


def _text(value: Any) -> str:
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value)
    if isinstance(value, (Sequence, np.ndarray)):
        return ",".join(_text(each) for each in value)
    # An f64 as it is, also of NumPy's.
    return repr(float(value)) if isinstance(value, (float, np.floating)) else str(value)


def model_file(model: Any, folder: Path) -> str:
    """The path of a model, which is made in `folder` where it is bytes or a ModelProto."""
    if isinstance(model, (str, os.PathLike)):
        return os.fspath(model)
    if hasattr(model, "SerializeToString"):
        model = model.SerializeToString()
    if not isinstance(model, (bytes, bytearray, memoryview)):
        raise TypeError(f"model must be a path, bytes or an onnx.ModelProto, not {type(model).__name__}")
    file = folder / "model.onnx"
    file.write_bytes(model)
    return str(file)


def failure(what: str) -> dict[str, Any]:
    """An example that failed, as a record."""
    index, name, error = what.split("\t", 2)
    return {"index": int(index), "status": "FAILED", "name": name, "error": error}


def record(word: str, what: str) -> dict[str, Any]:
    """The record that a line says."""
    return json.loads(what) if word == "record" else failure(what)


class Hosted:
    """The program while it runs. It ends, and keeps what is finished, when this process ends however it does."""

    def __init__(self, role: str, typed: list[str]) -> None:
        self._reading = threading.Lock()
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self.process = subprocess.Popen(
            [str(PROGRAM), *typed, f"--host={role}"],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            # Ctrl-C in a terminal is this process's: a second one of the same would end the program at once.
            start_new_session=True,
        )

        assert self.process.stdout is not None
        self._said = self.process.stdout

    def lines(self) -> Iterator[tuple[str, str]]:
        """What it says: a word, and the rest."""
        while True:
            with self._reading:
                line = "" if self._said.closed else self._said.readline()
            if not line:
                return
            word, what = line.rstrip("\n").split("\t", 1)
            yield word, what

    def say(self, line: str) -> None:
        """Gives it a line; one that has ended does not read it."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def stop(self) -> None:
        """Has it keep what is finished and end."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
        self.end()

    def close(self) -> None:
        """Says that there is nothing more."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()

    def end(self) -> None:
        """Says that there is nothing more, and waits for it to end."""
        self.close()
        try:
            # It ends once all that it says is taken.
            with self._reading:
                if not self._said.closed:
                    for _ in self._said:
                        pass
                    self._said.close()
            self.process.wait()
        except BaseException:
            # A second Ctrl-C: its records are whole all the same.
            self.process.kill()
            self.process.wait()
            raise

    def messages(self) -> list[str]:
        """What it wrote for people. To be called once, when it has ended."""
        with self._errors:
            self._errors.seek(0)
            return self._errors.read().splitlines()

    def error(self, messages: list[str]) -> SmoothTopKError | None:
        """Of a program that has ended: what it failed with."""
        code = self.process.returncode
        if code == 0:
            return None
        said = [line for line in messages if line.startswith("smoothtopk: ")]
        message = said[-1].removeprefix("smoothtopk: ") if said else f"{PROGRAM} ended with code {code}"
        kinds = {_USAGE: InvalidArgumentError, _BUSY: BusyError}
        kind = CancelledError if code > 128 else kinds.get(code, RunError)
        found = re.match(r"([a-z0-9_-]+): (.*)", message, re.S)
        return kind(found[2], found[1].replace("-", "_")) if found else kind(message)
