"""The notebooks of the documentation run from their first cell to their last, and show what they say they do."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SMOOTHTOPK_CACHE", "off")
    stored = nbformat.read(path, as_version=4)
    found = nbformat.from_dict(stored)
    NotebookClient(found, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    for before, after in zip(stored.cells, found.cells, strict=True):
        # As many tables, pictures and texts as the stored ones, which the site shows.
        kinds = [
            [sorted(each.get("data", {"text": ""})) for each in cell.get("outputs", [])] for cell in (before, after)
        ]
        assert kinds[0] == kinds[1], before.source
        assert all(each.get("name") != "stderr" for each in after.get("outputs", [])), before.source


def test_there_are_some() -> None:
    assert len(NOTEBOOKS) >= 2
