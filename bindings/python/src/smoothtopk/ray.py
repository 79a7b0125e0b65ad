"""Certifying a data set on a Ray cluster (`pip install smoothtopk[ray]`)."""

from __future__ import annotations

import json
import os
import queue
import re
import secrets
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple, SupportsFloat, SupportsIndex

import numpy as np

try:
    import ray
    from ray.exceptions import RayError
except ImportError:
    raise ImportError("smoothtopk.ray needs Ray (pip install smoothtopk[ray])") from None

from ._chunks import Chunks, fetch
from ._dataset import Out
from ._errors import InvalidArgumentError, RunError, SmoothTopKError
from ._hosted import Hosted, arguments, model_file, record
from ._made import Data, place
from ._model import Model
from ._progress import Progress, Reporter

__all__ = ["certify", "fetch"]

# Tries of an example, before it is a record that says so; and of an actor to begin.
_TRIES = 3
# Between two looks at actors that nothing comes from, in seconds.
_WAIT = 1.0
_ENUMERATED = ("band", "block", "split")


def certify(
    data: Any,
    model: Model,
    *,
    out: Out,
    sigma: SupportsFloat | None = None,
    actors: int | None = None,
    cpus: int = 1,
    gpus: float = 0,
    in_flight: int = 8,
    split: int = 1,
    chunks: str | None = None,
    k: SupportsIndex | Sequence[SupportsIndex] | None = None,
    n: SupportsIndex | None = None,
    alpha: SupportsFloat | None = None,
    rule: str | None = None,
    seed: SupportsIndex | None = None,
    key: str | None = None,
    progress: Progress = False,
    **options: Any,
) -> Iterator[dict[str, Any]]:
    """Certifies every example of a data set on the Ray cluster that `ray.init` has joined, or one that it starts here.

    Yields records and writes the RUN as `certify_dataset` does: the one that a single machine would have written.
    Actors pull examples, and take over what others are long with. An actor or node that is lost costs what it had in
    hand, which others draw. This process alone writes; where it is lost, the same call goes on from what is written.

    Args:
        data: as for `certify_dataset`, or a Ray Dataset of rows with an input and a `label`. What is no folder travels
            through the object store, once a node. A folder of images must be where every node sees it.
        model: as for `certify_dataset`; it travels through the object store.
        out: the RUN folder, on this machine.
        actors: how many; None for as many as the cluster has room for now.
        cpus, gpus: what Ray gives to each actor. It runs the model on as many threads as it has processors.
        in_flight: the most examples that an actor has in hand: enough to fill its batches, and all that its loss costs.
        split: in how many parts the n samples of each example are drawn, by as many actors; not under a rule. For an n
            that takes one actor long.
        chunks: where the RUN is kept besides, for fsspec: "s3://bucket/run" or any other. Once a minute and at the end
            the new records become an object, which is created and never changed. Where `out` is no RUN yet, what is
            there is fetched first. The seed or key is not kept there.
        sigma, k, n, alpha, rule, seed, key, progress, options: as for `certify_dataset`.

    Yields:
        A record, as a dict. That of an example that failed, or that three actors were lost over, has the status
        "FAILED", its `name` and the `error`; the next call tries it again.

    Raises:
        InvalidArgumentError: an option is out of range, the RUN was made with another, or machines differ.
        BusyError: another process is writing the RUN.
        SmoothTopKError: what else was wrong.
    """
    if not ray.is_initialized():
        ray.init()
    given = {"sigma": sigma, "k": k, "n": n, "alpha": alpha, "rule": rule, **options}
    store = None if chunks is None else Chunks(chunks)
    if store is not None and not (Path(out) / "manifest.json").exists():
        store.fetch(Path(out))
    given |= _secret(Path(out), seed, key, given)
    if actors is None:
        free = ray.cluster_resources()
        actors = int(free.get("GPU", 0) // gpus if gpus else free.get("CPU", 1) // cpus)
    reporter = Reporter(progress, "example")
    try:
        with tempfile.TemporaryDirectory(prefix="smoothtopk-") as folder:
            file, made = model_file(model, Path(folder)), place(data, Path(folder))
            if made.name is not None and os.path.isdir(made.path):
                raise InvalidArgumentError(
                    "a Parquet file is read by one machine: put its images into a folder that every node sees", "data"
                )
            typed = arguments(file, made, os.fspath(out), given, Path(folder))
            spec = Spec(given, made.name or Path(made.path).name, cpus, gpus, in_flight)
            driver = _Driver(Hosted("write", typed), Path(out), spec, (file, made.path), max(actors, 1))
            yield from driver.run(split, reporter, store)
    finally:
        reporter.close()


def _secret(out: Path, seed: Any, key: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The seed or key of all actors: as given, as the RUN has it, or drawn here."""
    if key is not None and str(key).startswith("@"):
        key = Path(str(key)[1:]).read_text().strip()
    if seed is not None or key is not None or str(given.get("noise")).startswith(_ENUMERATED):
        return {"seed": seed, "key": key}
    chacha = given.get("generator") == "chacha12"
    name, file = ("key", "chacha12.key") if chacha else ("seed", "philox.seed")
    if (out / file).exists():
        return {name: (out / file).read_text().strip()}
    return {name: secrets.token_hex(32) if chacha else secrets.randbits(64)}


class Spec(NamedTuple):
    """What every actor is."""

    options: dict[str, Any]
    data_name: str
    cpus: int
    gpus: float
    in_flight: int


class Task(NamedTuple):
    """An example to draw, or a part of its samples: "2/4"; "" for all of them."""

    example: int
    part: str = ""


class Actor:
    """One classifier: the program, and the calls that wait for its records."""

    def __init__(self, spec: Spec, model: np.ndarray[Any, Any], data: np.ndarray[Any, Any] | str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="smoothtopk-")
        folder = Path(self._folder.name)
        model.tofile(folder / "model.onnx")
        path = data if isinstance(data, str) else str(folder / spec.data_name)
        if not isinstance(data, str):
            data.tofile(path)
        options = {"threads": spec.cpus} | spec.options
        typed = arguments(str(folder / "model.onnx"), Data(path), str(folder / "none"), options, folder)
        self._hosted = Hosted("work", typed)
        self._lines = self._hosted.lines()
        self._manifest = next(self._lines, ("", ""))[1]
        self._error: SmoothTopKError | None = None
        self._waiting: dict[int, deque[Future[str]]] = {}
        self._lock = threading.Lock()
        if self._manifest:
            threading.Thread(target=self._read, daemon=True).start()
        else:
            self._fail()

    def manifest(self) -> str:
        """What its records depend on; raises what is wrong."""
        if self._error is not None:
            raise self._error
        return self._manifest

    def certify(self, task: Task) -> str:
        """The line of an example."""
        future: Future[str] = Future()
        with self._lock:
            if self._error is not None:
                raise self._error
            self._waiting.setdefault(task.example, deque()).append(future)
            self._hosted.say(f"{task.example} {task.part}".rstrip())
        return future.result()

    def _read(self) -> None:
        for word, what in self._lines:
            found = re.search(r'"index":(\d+)', what) if word == "record" else re.match(r"(\d+)\t", what)
            assert found is not None
            # Parts of one example come in the order in which they were asked for.
            with self._lock:
                self._waiting[int(found[1])].popleft().set_result(f"{word}\t{what}")
        with self._lock:
            self._fail()

    def _fail(self) -> None:
        self._hosted.end()
        self._error = self._hosted.error(self._hosted.messages()) or RunError("the program ended")
        for futures in self._waiting.values():
            for future in futures:
                future.set_exception(self._error)


class _Driver:
    """Deals examples out to actors, and has their records written."""

    def __init__(self, writer: Hosted, out: Path, spec: Spec, files: tuple[str, str], actors: int) -> None:
        self._writer = writer
        self._out = out
        self._said: queue.Queue[tuple[str, str] | None] = queue.Queue()
        self._spec = spec
        self._number = actors
        self._files = files
        self._stored: list[Any] = []
        self._todo: deque[Task] | None = None
        self._left: set[Task] = set()
        # Tasks that were lost: they are drawn alone, so that the one to blame is found.
        self._lost: dict[Task, int] = {}
        self._starting: dict[Any, Any] = {}
        self._load: dict[Any, list[Task]] = {}
        self._running: dict[Any, tuple[Any, Task]] = {}
        self._starts_failed = 0
        self._manifest = ""

    def run(self, split: int, reporter: Reporter, store: Chunks | None) -> Iterator[dict[str, Any]]:
        """Yields what is written, and has it kept."""
        threading.Thread(target=self._listen, daemon=True).start()
        done = total = failed = 0
        try:
            for path in self._files:
                folder = os.path.isdir(path)
                self._stored.append(os.path.abspath(path) if folder else ray.put(np.fromfile(path, np.uint8)))
            for _ in range(self._number):
                self._start()
            ended = False
            while not ended:
                over = self._todo is not None and not self._left
                if over:
                    self._writer.close()
                else:
                    self._step()
                # To the first manifest it says what is to do; at the end it says all.
                while over or (self._manifest and self._todo is None) or not self._said.empty():
                    line = self._said.get()
                    if line is None:
                        ended = True
                        break
                    word, what = line
                    if word == "examples":
                        total = int(what)
                        if store is not None:
                            store.begin(self._out)
                    elif word == "todo":
                        self._deal(what, split)
                    else:
                        done += 1
                        failed += word == "failed"
                        if store is not None and word == "record":
                            store.add(what)
                        reporter.report(done, total)
                        yield record(word, what)
        finally:
            for actor in [*self._load, *self._starting.values()]:
                ray.kill(actor)
            self._writer.end()
            messages = self._writer.messages()
            if store is not None:
                store.push()
        error = self._writer.error(messages)
        # Examples that failed were yielded as that.
        if error is not None and not (isinstance(error, RunError) and failed > 0 and done == total):
            raise error

    def _listen(self) -> None:
        for line in self._writer.lines():
            self._said.put(line)
        self._said.put(None)

    def _deal(self, indices: str, split: int) -> None:
        parts = [f"{i + 1}/{split}" for i in range(split)] if split > 1 else [""]
        self._todo = deque(Task(int(index), part) for index in indices.split() for part in parts)
        self._left = set(self._todo)

    def _start(self) -> None:
        spec = self._spec
        actor = (
            ray.remote(Actor)
            .options(
                num_cpus=spec.cpus,
                num_gpus=spec.gpus,
                # This process starts another one, and gives its examples to others.
                max_restarts=0,
                max_task_retries=0,
                max_concurrency=spec.in_flight + 1,
                scheduling_strategy="SPREAD",
                # What Ray keeps of each call for its dashboard grows with their number.
                enable_task_events=False,
            )
            .remote(spec, *self._stored)
        )
        self._starting[actor.manifest.remote()] = actor

    def _step(self) -> None:
        """Hands out what can be, and takes what has come."""
        for actor in list(self._load):
            while (task := self._next(actor)) is not None:
                self._load[actor].append(task)
                self._running[actor.certify.remote(task)] = (actor, task)
        waiting = [*self._running, *self._starting]
        ray.wait(waiting, num_returns=1, timeout=_WAIT)
        for ref in ray.wait(waiting, num_returns=len(waiting), timeout=0)[0]:
            if ref in self._starting:
                self._started(ref)
            else:
                self._came(ref)

    def _next(self, actor: Any) -> Task | None:
        """What the actor is to draw now; None where it has enough, or nothing is left."""
        load = self._load[actor]
        if not self._todo:
            # An idle one takes over what was begun first and is drawn by one alone.
            if load:
                return None
            drawn = Counter(task for _, task in self._running.values())
            ours = (task for task in drawn if task in self._left and task not in self._lost and drawn[task] == 1)
            return next(ours, None)
        alone = any(task in self._lost for task in [self._todo[0], *load])
        if len(load) >= (1 if alone else self._spec.in_flight):
            return None
        return self._todo.popleft()

    def _started(self, ref: Any) -> None:
        actor = self._starting.pop(ref)
        try:
            manifest = ray.get(ref)
        except Exception as error:
            ray.kill(actor)
            self._starts_failed += 1
            cause = _cause(error)
            tried = self._starts_failed >= _TRIES * self._number and not self._load
            if tried or isinstance(cause, InvalidArgumentError):
                raise cause from None
            time.sleep(0.1)
            self._start()
            return
        if manifest != self._manifest:
            self._manifest = manifest
            self._writer.say(f"manifest\t{manifest}")
        self._load[actor] = []

    def _came(self, ref: Any) -> None:
        actor, task = self._running.pop(ref)
        if actor in self._load:
            self._load[actor].remove(task)
        try:
            line = ray.get(ref)
        except Exception as error:
            self._lose(actor, task, _cause(error))
            return
        if task not in self._left:
            return
        self._left.discard(task)
        if line.startswith("failed"):
            self._give_up(task, line)
        else:
            word, what = line.split("\t", 1)
            self._writer.say(f"{f'part {task.part}' if task.part else word}\t{what}")

    def _lose(self, actor: Any, task: Task, error: Exception) -> None:
        if isinstance(error, InvalidArgumentError):
            # No other actor would take it.
            raise error
        if self._load.pop(actor, None) is not None:
            ray.kill(actor)
            self._start()
        if task not in self._left or any(task == other for _, other in self._running.values()):
            return
        self._lost[task] = self._lost.get(task, 0) + 1
        if self._lost[task] < _TRIES:
            assert self._todo is not None
            self._todo.append(task)
            return
        files = json.loads(self._manifest)["data_files"]
        name = files[task.example].split("  ", 1)[1] if files else f"example {task.example}"
        says = re.sub(r"\s+", " ", str(error))
        self._give_up(task, f"failed\t{task.example}\t{name}\t{_TRIES} actors were lost over it: {says}")

    def _give_up(self, task: Task, line: str) -> None:
        self._left.discard(task)
        if task.part:
            self._left = {other for other in self._left if other.example != task.example}
            self._todo = deque(other for other in self._todo or () if other.example != task.example)
        self._writer.say(line)


def _cause(error: Exception) -> Exception:
    """What an actor raised, without Ray's traceback."""
    cause = getattr(error, "cause", None)
    return (
        cause if isinstance(cause, SmoothTopKError) else RunError(str(error)) if isinstance(error, RayError) else error
    )
