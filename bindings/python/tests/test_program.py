"""The command line that the wheel brings."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import smoothtopk
from smoothtopk import Counts

from conftest import LIMIT, ROOT, clean_environment

COMMANDS = [[str(Path(sys.executable).with_name("smoothtopk"))], [sys.executable, "-m", "smoothtopk"]]
DEMO = ["--model", ROOT / "demo/digits_mlp_sigma0.25.onnx", "--data", ROOT / "demo/digits_test200.npz"]


def run(command: list[str], *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs it with no place of ONNX Runtime named."""
    return subprocess.run(
        [*command, *map(str, arguments)],
        env=clean_environment() | environment,
        text=True,
        capture_output=True,
        timeout=LIMIT,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=["script", "module"])
def test_it_is_the_same_release(command: list[str]) -> None:
    done = run(command, "--version")
    assert (done.returncode, done.stdout.split()[:2]) == (0, ["smoothtopk", smoothtopk.version()])


def test_it_runs_on_the_installed_onnx_runtime() -> None:
    done = run(COMMANDS[0], "doctor")
    assert done.returncode == 0, done.stderr
    package = Path(sys.prefix) / "lib"
    assert any("used" in line and str(package) in line for line in done.stdout.splitlines()), done.stdout


def test_an_installed_wheel_loads_nothing_that_lies_around_it(tmp_path: Path) -> None:
    package = tmp_path / "target" / "release" / "smoothtopk"
    shutil.copytree(Path(smoothtopk.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (source := tmp_path / "plant.c").write_text(
        '#include <stdio.h>\n__attribute__((constructor)) static void planted(void) { puts("PLANTED"); }\n'
    )
    subprocess.run(["cc", "-shared", "-fPIC", source, "-o", tmp_path / "planted.so"], check=True)
    for folder in [package, *package.parents[:3]]:
        (lies := folder / ".deps" / "onnxruntime").mkdir(parents=True)
        shutil.copy(tmp_path / "planted.so", lies / "libonnxruntime.so")
    code = f"import sys; sys.path.insert(0, {str(package.parent)!r}); sys.modules['onnxruntime'] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "import smoothtopk\nprint(smoothtopk.__file__, smoothtopk.runtime_path())"],
        env=clean_environment(),
        cwd=tmp_path,
        text=True,
        capture_output=True,
        timeout=LIMIT,
    )
    assert done.returncode == 1 and "PLANTED" not in done.stdout, done.stdout
    assert "pip install" in done.stderr and "make setup" not in done.stderr, done.stderr


def test_it_certifies(tmp_path: Path) -> None:
    certify = ["certify", *DEMO, "--input-scale", 16, "--sigma", 0.25, "--n", 100, "--max", 2, "--seed", 3, "--quiet"]
    done = run(COMMANDS[0], *certify, "--out", tmp_path / "RUN")
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in (tmp_path / "RUN" / "records.jsonl").read_text().splitlines()]
    assert len(records) == 2
    for record in records:
        # What it writes is read here, and certifies the same.
        [certificate], counts = record["certificates"], Counts.from_json(json.dumps(record["counts"]))
        assert counts.certify(certificate["label"]).radius == certificate["radius"] > 0


def test_its_exit_codes_and_messages_pass_through() -> None:
    done = run(COMMANDS[1], "certify", "--sigma", 1)
    assert done.returncode == 2 and "--model" in done.stderr
    done = run(COMMANDS[1], "doctor", SMOOTHTOPK_ONNXRUNTIME="/nowhere")
    assert done.returncode != 0 and "/nowhere" in done.stdout + done.stderr


def test_a_wheel_that_lost_it_says_so(tmp_path: Path) -> None:
    package = tmp_path / "smoothtopk"
    shutil.copytree(Path(smoothtopk.__file__).parent, package, ignore=shutil.ignore_patterns("_bin"))
    done = subprocess.run(
        [sys.executable, "-m", "smoothtopk", "doctor"], cwd=tmp_path, text=True, capture_output=True, timeout=LIMIT
    )
    assert done.returncode == 1 and "_bin/smoothtopk cannot be run: No such file" in done.stderr
