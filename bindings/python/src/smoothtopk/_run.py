"""A RUN folder, read by the program's own reader: every radius is worked out again from its counts."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ._errors import InvalidArgumentError, InvalidDataError, NotFoundError
from ._program import PROGRAM
from ._shown import html_table, text_table

# How the columns of the report's examples.csv are named here and read, with what stands for an empty field.
COLUMNS: dict[str, tuple[str, Any, Any]] = {
    "index": ("idx", np.int64, -1),
    "file": ("file", np.str_, ""),
    "true_label": ("label", np.int64, -1),
    "k": ("k", np.int64, -1),
    "label": ("predict", np.int64, -1),
    "radius": ("radius", np.float64, 0.0),
    "correct": ("correct", np.int64, 0),
    "decision": ("decision", np.str_, ""),
    "samples": ("samples", np.int64, 0),
    "radius_l1": ("radius_l1", np.float64, np.nan),
    "radius_l2": ("radius_l2", np.float64, np.nan),
    "radius_linf": ("radius_linf", np.float64, np.nan),
}
# Points of a curve that is drawn.
POINTS = 512


class Run:
    """What `smoothtopk certify` wrote: one row for each example and k, in the order of the examples.

    Attributes:
        path: the folder.
        manifest: what the results depend on, as docs/record.md has it.
        norm: of perturbations and radii: "l2", "l1", "l0" or "patch".
        k: every k that was asked for.
        columns: arrays of one length, a row for each example and k: `index`, `file`, `true_label` (-1: none), `k`,
            `label` (-1: nothing certified), `radius`, `correct` (the true label is certified), `decision`, `samples`,
            and the radius in `radius_l1`, `radius_l2`, `radius_linf` (NaN where no ball of that norm lies inside).
    """

    def __init__(self, path: Path, manifest: dict[str, Any], columns: dict[str, npt.NDArray[Any]]) -> None:
        self.path, self.manifest, self.columns = path, manifest, columns
        self.norm: str = manifest["request"]["norm"]
        self.k: tuple[int, ...] = tuple(manifest["request"]["k"])
        # Without true labels a curve is the share certified, right or wrong, as in the report.
        labelled = manifest["label_source"] == "given" or bool((columns["true_label"] >= 0).any())
        self._counts = columns["correct"] > 0 if labelled else columns["label"] >= 0

    def __len__(self) -> int:
        """Examples with a record, of `manifest["examples"]`."""
        return len(self.columns["index"]) // max(len(self.k), 1)

    def records(self) -> Iterator[dict[str, Any]]:
        """Each example's record, in the order in which they were finished (docs/record.md)."""
        with open(self.path / "records.jsonl", encoding="utf-8") as lines:
            for line in lines:
                # A line without an end is one that is being written.
                if line.endswith("\n"):
                    yield json.loads(line)

    def certified_accuracy(
        self, radii: float | Sequence[float] | npt.NDArray[Any], k: int | None = None
    ) -> npt.NDArray[np.float64]:
        """The share of examples whose true label is certified in the top `k` with a radius of at least each of `radii`.

        Of one k the array has the shape of `radii`; without `k` one of [K, *radii.shape], a row for each of `run.k`.
        Radii are in the run's norm.

        Raises:
            InvalidArgumentError: a k that was not asked for, or a radius that is negative or no number.
        """
        at = np.asarray(radii, np.float64)
        if not (at >= 0).all():
            raise InvalidArgumentError("must be numbers of at least 0", "radii")
        if k is None:
            return np.array([self.certified_accuracy(at, k) for k in self.k])
        of_k = self._of(k)
        held = np.sort(self.columns["radius"][of_k & self._counts])
        share = len(held) - np.searchsorted(held, at, side="left")
        return np.asarray(share / max(int(of_k.sum()), 1), np.float64)

    def acr(self, k: int) -> float:
        """The average certified radius, with 0 where the true label is not certified."""
        of_k = self._of(k)
        return float(np.where(self._counts, self.columns["radius"], 0.0)[of_k].mean()) if of_k.any() else 0.0

    def to_pandas(self) -> Any:
        """The `columns` as a `pandas.DataFrame`."""
        import pandas

        return pandas.DataFrame(self.columns)

    def plot(self, ax: Any = None, k: int | Sequence[int] | None = None, label: str | None = None) -> Any:
        """Draws certified accuracy against radius, a curve for each k, and gives the axes.

        Takes `ax` of matplotlib, or new axes without it. `label` names the run, where it is not its folder's name.
        """
        if ax is None:
            from matplotlib import pyplot

            ax = pyplot.subplots()[1]
        radii = np.linspace(0.0, max(float(self.columns["radius"].max(initial=0.0)) * 1.02, 1e-9), POINTS)
        name = self.path.name if label is None else label
        for one in self.k if k is None else np.atleast_1d(k).tolist():
            ax.step(radii, self.certified_accuracy(radii, one), where="pre", label=f"{name}, k = {one}")
        ax.set(xlabel=f"{self.norm} radius", ylabel="certified accuracy", ylim=(0, 1), xlim=(0, radii[-1]))
        ax.legend()
        return ax

    def compare(self, other: Run, k: int) -> Any:
        """Radii of the examples that both runs have, as a `pandas.DataFrame` with a row for each.

        Its columns are `true_label`, `radius` and `other_radius` (0 where the true label is not certified), and
        `difference`, this run's less the other's; its index is the examples' `index`.

        Raises:
            InvalidDataError: the runs are of other data, or their radii of other norms.
        """
        import pandas

        for field, ours, theirs in [
            ("data_sha256", self.manifest["data_sha256"], other.manifest["data_sha256"]),
            ("norm", self.norm, other.norm),
        ]:
            if ours != theirs:
                raise InvalidDataError(f"of the runs differ ({ours}, {theirs}): their radii cannot be compared", field)
        names = ["true_label", "radius"]
        ours, theirs = (
            pandas.DataFrame(
                {
                    "true_label": run.columns["true_label"],
                    "radius": np.where(run._counts, run.columns["radius"], 0.0),
                },
                index=pandas.Index(run.columns["index"], name="index"),
            )[run._of(k)]
            for run in (self, other)
        )
        both = ours[names].join(theirs["radius"].rename("other_radius"), how="inner")
        both["difference"] = both["radius"] - both["other_radius"]
        return both

    def _of(self, k: int) -> npt.NDArray[np.bool_]:
        if k not in self.k:
            raise InvalidArgumentError(f"must be one of {', '.join(map(str, self.k))}, which the run has, not {k}", "k")
        return np.asarray(self.columns["k"] == k)

    def _table(self) -> tuple[list[str], list[list[str]]]:
        step = _round(float(self.columns["radius"].max(initial=0.0)) / 4)
        radii = [step * i for i in range(4)]
        rows = [
            [str(k), f"{self.acr(k):.3f}", *(f"{share:.3f}" for share in self.certified_accuracy(radii, k))]
            for k in self.k
        ]
        return ["k", "ACR", *(f"{self.norm} >= {radius:.3g}" for radius in radii)], rows

    def _title(self) -> str:
        examples = f"{len(self)} of {self.manifest['examples']} examples"
        return f"Run {self.path.name}: {examples}, {self.manifest['request']['noise']}"

    def __repr__(self) -> str:
        return f"<{self._title()}>\n{text_table(*self._table())}"

    def _repr_html_(self) -> str:
        return html_table(self._title(), *self._table())


def _round(size: float) -> float:
    """A round number of about that size."""
    if size <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(size))
    return float(power * min((1, 2, 2.5, 5, 10), key=lambda digit: abs(digit * power - size)))


def load_run(path: str | os.PathLike[str]) -> Run:
    """Reads a RUN folder of `smoothtopk certify`, finished or not.

    The program reads it, as `smoothtopk report` does: each certificate is worked out again from its counts, and a
    record whose numbers differ is refused.

    Raises:
        NotFoundError: there is no such folder.
        InvalidDataError: it is no RUN, or damaged or altered; the message says where.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise NotFoundError(f"there is no folder {str(folder)!r}", "path")
    with tempfile.TemporaryDirectory(prefix="smoothtopk-") as out:
        done = subprocess.run(
            [PROGRAM, "report", folder.absolute(), "--out", out],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        table = Path(out, "examples.csv")
        # A RUN with examples that failed is read, and ends in 1.
        if done.returncode not in (0, 1) or not table.exists():
            raise InvalidDataError(done.stderr.strip().removeprefix("smoothtopk: "), "path")
        with open(table, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    columns = {
        name: np.array([none if row[source] == "" else kind(row[source]) for row in rows], kind)
        for name, (source, kind, none) in COLUMNS.items()
    }
    columns["correct"] = columns["correct"].astype(bool)
    return Run(folder, manifest, columns)
