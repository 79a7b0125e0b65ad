"""Certifying a whole data set into a RUN."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, SupportsFloat, SupportsIndex, Union

from ._errors import RunError
from ._hosted import Hosted, arguments, model_file, record
from ._made import place
from ._model import Model
from ._progress import Progress, Reporter

Out = Union[str, "os.PathLike[str]"]


def certify_dataset(
    model: Model,
    data: Any,
    *,
    out: Out,
    sigma: SupportsFloat | None = None,
    k: SupportsIndex | Sequence[SupportsIndex] | None = None,
    n: SupportsIndex | None = None,
    alpha: SupportsFloat | None = None,
    rule: str | None = None,
    seed: SupportsIndex | None = None,
    key: str | None = None,
    progress: Progress = False,
    **options: Any,
) -> Iterator[dict[str, Any]]:
    """Certifies every example of a data set, and yields each one's record as it is finished.

    The RUN is that of `smoothtopk certify`, which does the work: the same command resumes it, as does calling this
    again, which yields the records that are there already first. Nothing is done before the first is asked for. Ctrl-C,
    leaving the loop and a kill keep all that is finished.

    Args:
        model: path of an ONNX file, its bytes, or an `onnx.ModelProto`.
        data: what `smoothtopk certify --data` takes: the path of an .npz or .npy, or of a folder of images; or of a
            .parquet file with images as bytes (a column of these, or of structs with `bytes` as Hugging Face has them,
            and one of labels), which are put into a temporary folder; or images as an array, alone or as (images,
            labels); or any iterable of (input, label). Arrays and iterables are put into a temporary .npz, whose hash
            the RUN has: to resume, give the same.
        out: the RUN folder: made, or resumed if it exists.
        sigma, k, n, alpha, rule, seed, key, options: the options of `smoothtopk certify` (docs/cli.md), by their
            names with underscores, such as `input_scale=255` or `guarantee=True`; what is None is not given.
        progress: True shows a tqdm bar of examples; or a bar, or a function of (examples_done, examples).

    Yields:
        A record (docs/record.md), as a dict. That of an example that failed, such as a damaged image, has the status
        "FAILED", its `name` and the `error`; the next call tries it again.

    Raises:
        InvalidArgumentError: an option is out of range, or the RUN was made with another, with the field.
        BusyError: another process is writing the RUN.
        SmoothTopKError: what else was wrong.
    """
    given = {"sigma": sigma, "k": k, "n": n, "alpha": alpha, "rule": rule, "seed": seed, "key": key, **options}
    reporter = Reporter(progress, "example")
    try:
        with tempfile.TemporaryDirectory(prefix="smoothtopk-") as folder:
            file, made = model_file(model, Path(folder)), place(data, Path(folder))
            typed = arguments(file, made, os.fspath(out), given, Path(folder))
            yield from _run(Hosted("run", typed), reporter)
    finally:
        reporter.close()


def _run(hosted: Hosted, reporter: Reporter) -> Iterator[dict[str, Any]]:
    done = total = failed = 0
    try:
        for word, what in hosted.lines():
            if word == "examples":
                total = int(what)
                continue
            done += 1
            failed += word == "failed"
            reporter.report(done, total)
            yield record(word, what)
        hosted.end()
    finally:
        hosted.stop()
        messages = hosted.messages()
    for line in messages:
        if line.startswith("warning: "):
            warnings.warn(line.removeprefix("warning: "), stacklevel=3)
    error = hosted.error(messages)
    # Examples that failed were yielded as that.
    if error is not None and not (isinstance(error, RunError) and failed > 0 and done == total):
        raise error
