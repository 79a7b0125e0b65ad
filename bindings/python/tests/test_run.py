"""RUN folders read from Python: the numbers are those of `smoothtopk report`."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from test_program import COMMANDS, DEMO, run

import smoothtopk
from smoothtopk import InvalidArgumentError, InvalidDataError, NotFoundError, Run, load_run

EXAMPLES = 20


def certify(out: Path, n: int, examples: int) -> Path:
    """A RUN of the demo for k = 1 and 3."""
    settings = ["--input-scale", 16, "--sigma", 0.25, "--k", "1,3", "--seed", 7, "--quiet"]
    done = run(COMMANDS[0], "certify", *DEMO, *settings, "--n", n, "--max", examples, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certify(tmp_path_factory.mktemp("runs") / "first", 500, EXAMPLES)


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Run:
    return load_run(folder)


def test_it_holds_what_the_records_say(loaded: Run) -> None:
    assert len(loaded) == EXAMPLES and loaded.k == (1, 3) and loaded.norm == "l2"
    records = list(loaded.records())
    assert [record["index"] for record in records] == list(range(EXAMPLES))
    radii = loaded.columns["radius"].reshape(EXAMPLES, 2)
    for row, record in zip(radii, records):
        assert row.tolist() == [found["radius"] for found in record["certificates"]]
    assert loaded.columns["correct"].dtype == bool and loaded.manifest["examples"] == EXAMPLES


def test_curves_are_those_of_the_report(loaded: Run, folder: Path, tmp_path: Path) -> None:
    assert run(COMMANDS[0], "report", folder, "--out", tmp_path).returncode == 0
    lines = list(csv.DictReader((tmp_path / "report.csv").read_text().splitlines()))
    for k in loaded.k:
        of_k = [line for line in lines if line["k"] == str(k)]
        shares = loaded.certified_accuracy([float(line["radius"]) for line in of_k], k)
        np.testing.assert_allclose(shares, [float(line["certified_accuracy"]) for line in of_k], rtol=1e-12)
        assert loaded.acr(k) == pytest.approx(float(of_k[0]["acr"]), rel=1e-12)
    assert loaded.certified_accuracy(0.5).shape == (2,)
    assert loaded.certified_accuracy([[0.0, 0.5]], 3).shape == (1, 2)


def test_tables_and_what_is_shown(loaded: Run) -> None:
    frame = loaded.to_pandas()
    assert len(frame) == 2 * EXAMPLES and list(frame.columns) == list(loaded.columns)
    assert "20 of 20 examples, gaussian:0.25" in repr(loaded) and "<table>" in loaded._repr_html_()


def test_it_draws(loaded: Run, tmp_path: Path) -> None:
    matplotlib.use("agg")
    from matplotlib import pyplot

    axes = loaded.plot()
    assert loaded.plot(axes, k=3, label="again") is axes
    named = [text.get_text() for text in axes.get_legend().get_texts()]
    assert named == ["first, k = 1", "first, k = 3", "again, k = 3"]
    heights = axes.get_lines()[0].get_ydata()
    assert heights[0] == loaded.certified_accuracy(0, 1) and heights[-1] == 0
    axes.figure.savefig(tmp_path / "curve.png")
    pyplot.close(axes.figure)


def test_runs_are_compared_example_by_example(loaded: Run, tmp_path: Path) -> None:
    fewer = load_run(certify(tmp_path / "fewer", 100, 15))
    table = loaded.compare(fewer, k=3)
    assert list(table.index) == list(range(15)) and list(table.columns)[:3] == ["true_label", "radius", "other_radius"]
    assert (table["difference"] == table["radius"] - table["other_radius"]).all()
    assert table["difference"].mean() > 0.1, "five times the samples certify more"
    other = load_run(tmp_path / "fewer")
    other.manifest["data_sha256"] = "another"
    with pytest.raises(InvalidDataError, match="data_sha256"):
        loaded.compare(other, k=3)


def test_an_altered_record_is_refused(folder: Path, tmp_path: Path) -> None:
    lines = (folder / "records.jsonl").read_text().splitlines()
    record = json.loads(lines[3])
    record["certificates"][0]["radius"] += 0.01
    altered = tmp_path / "altered"
    altered.mkdir()
    (altered / "manifest.json").write_bytes((folder / "manifest.json").read_bytes())
    (altered / "records.jsonl").write_text("\n".join([*lines[:3], json.dumps(record), *lines[4:], ""]))
    with pytest.raises(InvalidDataError, match=re.escape("line 4: radius")):
        load_run(altered)


def test_what_is_no_run_is_told(tmp_path: Path, loaded: Run) -> None:
    with pytest.raises(NotFoundError, match="no folder"):
        load_run(tmp_path / "missing")
    with pytest.raises(InvalidDataError, match=re.escape("manifest.json")):
        load_run(tmp_path)
    with pytest.raises(InvalidArgumentError, match="one of 1, 3"):
        loaded.certified_accuracy(0.5, k=2)
    with pytest.raises(InvalidArgumentError, match="radii"):
        loaded.certified_accuracy([0.1, float("nan")], k=1)
    assert smoothtopk.load_run is load_run
