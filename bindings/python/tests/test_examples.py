"""The examples and the README's programs: they run, and type checkers pass them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import BINDING, ROOT

EXAMPLES = ROOT / "examples" / "python"
# Before the program of the package's own README, which begins with a model and an input at hand.
AT_HAND = "import numpy as np\n\nx = np.zeros((3, 32, 32), np.float32)\n"
WRONG = """from smoothtopk import SmoothedClassifier

with SmoothedClassifier("model.onnx", 0.25) as g:
    g.certify([0.0], k=[1, 2], batch_size=400).radius
"""


@pytest.mark.parametrize("name", ["certify", "decide"])
def test_the_examples(python: Any, name: str) -> None:
    example = EXAMPLES / f"{name}.py"
    assert len(example.read_text().splitlines()) <= 15
    code = "import os, runpy, sys; os.chdir(sys.argv[1]); runpy.run_path(sys.argv[2], run_name='__main__')"
    printed = python(code, ROOT, example)
    assert len(printed.splitlines()) == 5 and "radius" in printed


def programs(readme: Path) -> str:
    found = re.findall(r"^```python\n(.*?)^```", readme.read_text(), re.DOTALL | re.MULTILINE)
    assert found, readme
    return "\n".join(found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every program that users are shown, and the package's use of its own types; and one that is wrong."""
    folder = tmp_path_factory.mktemp("programs")
    for path in [*EXAMPLES.glob("*.py"), BINDING / "tests" / "typed_use.py"]:
        shutil.copy(path, folder)
    (folder / "readme.py").write_text(programs(ROOT / "README.md"))
    (folder / "package.py").write_text(AT_HAND + programs(BINDING / "README.md"))
    (folder / "wrong").mkdir()
    (folder / "wrong" / "program.py").write_text(WRONG)
    # basedpyright is pyright with Node.js in its wheel: nothing else is to be fetched.
    (folder / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict", "pythonVersion": "3.10"}))
    return folder


@pytest.mark.parametrize(
    "checker",
    [["mypy", "--strict", "--python-version=3.10"], ["basedpyright", "--pythonpath", sys.executable]],
    ids=["mypy", "pyright"],
)
def test_type_checkers_pass_every_program(checker: list[str], folder: Path) -> None:
    def check(*files: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", *checker, *files]
        return subprocess.run(command, cwd=folder, text=True, capture_output=True)

    done = check(*(path.name for path in folder.glob("*.py")))
    assert done.returncode == 0, done.stdout + done.stderr
    refused = check("wrong/program.py")
    assert refused.returncode == 1 and re.search(r"batch_size|[Nn]o overload", refused.stdout), (
        refused.stdout + refused.stderr
    )
