"""A RUN in chunks: objects that appear whole and never change, as object stores hold them."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ._errors import BusyError, InvalidArgumentError, NotFoundError

_MANIFEST, _RECORDS = "manifest.json", "records.jsonl"
# What the loss of the driver and of its disk may cost, in seconds.
_EVERY = 60.0


class Chunks:
    """A manifest, and numbered objects with the records that were finished since the last one."""

    def __init__(self, url: str) -> None:
        try:
            import fsspec
        except ImportError:
            raise ImportError("chunks need fsspec (pip install smoothtopk[ray])") from None
        self._url = url
        self._system, path = fsspec.core.url_to_fs(url)
        self._root = path.rstrip("/")
        self._lines: list[str] = []
        self._pushed = time.monotonic()
        self._number = 0
        self._held: set[int] = set()

    def fetch(self, out: Path) -> bool:
        """Makes the RUN folder of the chunks, in the order of the examples; False where there are none yet."""
        if not self._system.exists(f"{self._root}/{_MANIFEST}"):
            return False
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise InvalidArgumentError(f"{out} is not empty; give a new folder", "out")
        lines = {_index(line): line for line in self._records()}
        (out / _RECORDS).write_bytes("".join(f"{lines[index]}\n" for index in sorted(lines)).encode())
        # Last: from here on the folder is a RUN.
        (out / _MANIFEST).write_bytes(self._system.cat_file(f"{self._root}/{_MANIFEST}"))
        return True

    def begin(self, run: Path) -> None:
        """Goes on with the chunks of this RUN, or starts them."""
        ours = (run / _MANIFEST).read_bytes()
        self._system.makedirs(self._root, exist_ok=True)
        if not self._system.exists(f"{self._root}/{_MANIFEST}"):
            self._create(_MANIFEST, ours)
        elif json.loads(self._system.cat_file(f"{self._root}/{_MANIFEST}")) != json.loads(ours):
            raise InvalidArgumentError(f"{self._url} holds another RUN; give another place", "chunks")
        self._held = {_index(line) for line in self._records()}
        self._number = len(self._names())

    def add(self, line: str) -> None:
        """Takes a record, where it is not there already."""
        if (index := _index(line)) not in self._held:
            self._held.add(index)
            self._lines.append(line)
        if time.monotonic() - self._pushed >= _EVERY:
            self.push()

    def push(self) -> None:
        """Makes an object of the records since the last one."""
        self._pushed = time.monotonic()
        if self._lines:
            self._create(f"{self._number:08}.jsonl", "".join(f"{line}\n" for line in self._lines).encode())
            self._number += 1
            self._lines = []

    def _create(self, name: str, content: bytes) -> None:
        try:
            self._system.pipe_file(f"{self._root}/{name}", content, mode="create")
        except FileExistsError:
            raise BusyError(f"another process writes the chunks of {self._url}") from None

    def _names(self) -> list[str]:
        names = (os.path.basename(path) for path in self._system.ls(self._root, detail=False))
        return sorted(name for name in names if re.fullmatch(r"\d+\.jsonl", name))

    def _records(self) -> Iterator[str]:
        for name in self._names():
            content: Any = self._system.cat_file(f"{self._root}/{name}")
            yield from content.decode().splitlines()


def _index(line: str) -> int:
    found = re.search(r'"index":(\d+)', line)
    assert found is not None
    return int(found[1])


def fetch(chunks: str, out: str | os.PathLike[str]) -> None:
    """Makes a RUN folder of the chunks of one, for `report`, `merge` or `certify`, which goes on with it.

    It lacks the seed or key, which stayed with whoever certified.

    Args:
        chunks: where they are, as `certify` was given.
        out: the folder, which is missing or empty.

    Raises:
        NotFoundError: there are none.
        InvalidArgumentError: the folder holds something.
    """
    if not Chunks(chunks).fetch(Path(out)):
        raise NotFoundError(f"{chunks} holds no {_MANIFEST}, so it has no chunks of a RUN", "chunks")
