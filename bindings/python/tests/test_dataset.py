"""Whole data sets: the RUN is the command line's, and survives whatever ends its maker."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import smoothtopk
from smoothtopk import InvalidArgumentError, InvalidDataError, RunError, certify_dataset

from conftest import LIMIT, ROOT

COMMAND = [sys.executable, "-m", "smoothtopk"]

MODEL = ROOT / "demo/digits_mlp_sigma0.25.onnx"
DIGITS = np.load(ROOT / "demo/digits_test200.npz")
IMAGES, LABELS = DIGITS["images"][:12], DIGITS["labels"][:12]
ASKED: dict[str, Any] = {"sigma": 0.25, "input_scale": 16, "batch": 32, "n": 300, "seed": 7}
KEY = "07" * 32


def typed(options: dict[str, Any]) -> list[str]:
    """The options as a person types them."""
    values = {name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in options.items()}
    text = [(f"--{name.replace('_', '-')}", value) for name, value in values.items()]
    return [f"{name}={value}" if value is not True else name for name, value in text]


def without_times(folder: Path) -> dict[str, str]:
    """What a RUN holds, but for times."""
    texts = {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.name != ".lock"}
    texts["records.jsonl"] = re.sub(r'"seconds":[^,]*,', "", texts["records.jsonl"])
    views = {
        name: re.sub(r"\t[^\t]*$", "", text, flags=re.M)
        for name, text in texts.items()
        if name.startswith(("k", "answer"))
    }
    return texts | views


def command_line(folder: Path, data: str, options: dict[str, Any]) -> dict[str, str]:
    """The RUN that the command line makes of the data, named as it is typed there."""
    whole = folder / "whole"
    given = [
        *COMMAND,
        "certify",
        f"--model={MODEL}",
        f"--data={data}",
        *typed(options),
        f"--out={whole}",
        "--quiet",
    ]
    done = subprocess.run(given, cwd=folder, text=True, capture_output=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    return without_times(whole)


@pytest.mark.parametrize(
    "options",
    [
        {"k": [1, 3]},
        {"rule": "radius:0.25", "allocation": "binocp", "n": 4000},
        {"generator": "chacha12", "key": KEY, "seed": None, "select": True},
        {"guarantee": True, "k": 2},
        {"skip": 2, "max": 9, "alpha_total": 0.01},
    ],
    ids=["fixed", "rule", "chacha12", "guarantee", "alpha-total"],
)
def test_the_run_is_the_command_lines(tmp_path: Path, options: dict[str, Any]) -> None:
    asked = {name: value for name, value in (ASKED | options).items() if value is not None}
    np.savez(tmp_path / "data.npz", images=IMAGES, labels=LABELS)
    whole = command_line(tmp_path, "data.npz", asked)
    records = list(certify_dataset(MODEL, (IMAGES, LABELS), out=tmp_path / "arrays", **asked))
    assert whole == without_times(tmp_path / "arrays")
    lines = (tmp_path / "arrays/records.jsonl").read_text().splitlines()
    assert records == [json.loads(line) for line in lines]
    pairs = ((image, int(label)) for image, label in zip(IMAGES, LABELS))
    assert len(list(certify_dataset(MODEL, pairs, out=tmp_path / "pairs", **asked))) == len(records)
    assert whole == without_times(tmp_path / "pairs")


def test_what_is_there_is_yielded_first_and_resumed(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    asked = ASKED | {"out": tmp_path / "RUN"}
    found = certify_dataset(MODEL, (IMAGES, LABELS), progress=lambda done, of: seen.append((done, of)), **asked)
    first = [next(found) for _ in range(3)]
    found.close()  # type: ignore[attr-defined]
    kept = (tmp_path / "RUN/records.jsonl").read_text()
    assert kept.count("\n") >= 3 and seen == [(1, 12), (2, 12), (3, 12)]
    again = list(certify_dataset(MODEL, (IMAGES, LABELS), **asked))
    assert again[:3] == first and [record["index"] for record in again] == list(range(12))
    assert (tmp_path / "RUN/records.jsonl").read_text().startswith(kept)
    # All are there already.
    assert list(certify_dataset(MODEL, (IMAGES, LABELS), **asked)) == again


LONG = """
import sys, numpy as np
from smoothtopk import certify_dataset
digits = np.load(sys.argv[2])
for record in certify_dataset(sys.argv[1], (digits["images"][:12], digits["labels"][:12]), out=sys.argv[3],
                              sigma=0.25, input_scale=16, batch=32, n=int(sys.argv[4]), seed=7):
    print(record["index"], flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc here")
def test_a_key_is_not_seen_among_the_arguments_of_programs(tmp_path: Path) -> None:
    key = secrets.token_hex(32)
    asked = ASKED | {"generator": "chacha12", "key": key, "seed": None, "n": 100_000}
    records = certify_dataset(MODEL, (IMAGES, LABELS), out=tmp_path / "RUN", **asked)
    next(records)
    words = b""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        # Others may end meanwhile.
        with contextlib.suppress(OSError):
            words += path.read_bytes()
    records.close()  # type: ignore[attr-defined]
    assert str(tmp_path / "RUN").encode() in words and key.encode() not in words


@pytest.mark.parametrize("kill", [False, True], ids=["Ctrl-C", "kill"])
def test_what_ends_python_keeps_what_is_finished(tmp_path: Path, kill: bool) -> None:
    out, n = tmp_path / "RUN", 100_000
    given = [sys.executable, "-c", LONG, MODEL, ROOT / "demo/digits_test200.npz", out, n]
    with subprocess.Popen(list(map(str, given)), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline() == "0\n"
        child.kill() if kill else child.send_signal(2)
        _, errors = child.communicate(timeout=LIMIT)
        assert kill or "KeyboardInterrupt" in errors
    # The program ends by itself, and lets the RUN go.
    end = time.monotonic() + LIMIT
    records = out / "records.jsonl"
    while True:
        kept = records.read_text()
        try:
            found = list(
                certify_dataset(MODEL, (IMAGES, LABELS), out=out, sigma=0.25, input_scale=16, batch=32, n=n, seed=7)
            )
            break
        except smoothtopk.BusyError:
            assert time.monotonic() < end
            time.sleep(0.05)
    assert 1 <= kept.count("\n") < 12, "it was not ended in the middle"
    assert records.read_text().startswith(kept[: kept.rfind("\n") + 1])
    assert [record["index"] for record in found] == list(range(12))


def test_another_setting_is_refused(tmp_path: Path) -> None:
    asked = ASKED | {"out": tmp_path / "RUN", "max": 2}
    list(certify_dataset(MODEL, (IMAGES, LABELS), **asked))
    for field, other in {"secret_sha256": {"seed": 8}, "n": {"n": 301}}.items():
        with pytest.raises(InvalidArgumentError) as error:
            list(certify_dataset(MODEL, (IMAGES, LABELS), **asked | other))
        assert error.value.field == field
    with pytest.raises(InvalidArgumentError, match="data_sha256"):
        list(certify_dataset(MODEL, (IMAGES[:11], LABELS[:11]), **asked))
    with pytest.raises(InvalidArgumentError, match="--nonesuch"):
        list(certify_dataset(MODEL, (IMAGES, LABELS), nonesuch=1, **asked))
    with pytest.raises(RunError, match=r"missing\.onnx"):
        list(certify_dataset("missing.onnx", (IMAGES, LABELS), **asked))
    with pytest.raises(TypeError, match="dry_run"):
        list(certify_dataset(MODEL, (IMAGES, LABELS), dry_run=True, **asked))
    x, other = IMAGES[0], IMAGES[0][0]
    for pairs, says in [
        ([(1, 2, 3)], "an example is"),
        ([], "no example"),
        ([(x, 1), (x, None)], "1 of 2"),
        ([(x, 1), (other, 1)], "example 1 is"),
    ]:
        with pytest.raises(InvalidDataError, match=says):
            list(certify_dataset(MODEL, iter(pairs), **asked))


def png(grey: int) -> bytes:
    """A file of 8 x 8 pixels, all alike."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head, rows = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0), (b"\0" + bytes([grey]) * 8) * 8
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_a_folder_and_a_parquet_file_of_images(tmp_path: Path) -> None:
    classes = [3, 0, 3, 1, 1, 0]
    contents = [png(20 * i) for i in range(6)]
    contents[3] = contents[3][:40]
    folder = tmp_path / "folder"
    for i, (label, content) in enumerate(zip(classes, contents)):
        (folder / f"{label:06}").mkdir(parents=True, exist_ok=True)
        (folder / f"{label:06}" / f"{i:09}.png").write_bytes(content)
    (tmp_path / "classes.json").write_text(json.dumps({f"{label:06}": label for label in (0, 1, 3)}))
    rows = [{"image": {"bytes": content, "path": None}, "label": label} for label, content in zip(classes, contents)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "d.parquet")
    model = ROOT / "tests/models/image_nchw.onnx"
    asked = ASKED | {"n": 50, "input_scale": 255, "resize": "exact"}
    listed = {"classes_file": tmp_path / "classes.json"}
    with pytest.warns(UserWarning, match="1 of 6 examples"):
        of_folder = list(certify_dataset(model, folder, out=tmp_path / "A", **asked, **listed))
    with pytest.warns(UserWarning, match="1 of 6 examples"):
        of_parquet = list(certify_dataset(model, tmp_path / "d.parquet", out=tmp_path / "B", **asked))
    a, b = without_times(tmp_path / "A"), without_times(tmp_path / "B")
    a_manifest, b_manifest = json.loads(a.pop("manifest.json")), json.loads(b.pop("manifest.json"))
    # Where the images lay while they were read.
    a, b = ({name: re.sub(r"/[^\t]*/0000", "0000", text) for name, text in run.items()} for run in (a, b))
    assert a == b
    differ = {name for name in a_manifest if a_manifest[name] != b_manifest[name]}
    assert differ == {"data_file", "options"} and b_manifest["options"]["data"] == "d.parquet"
    # The row of the file is in the name; the labels are the file's own.
    [failed] = [record for record in of_parquet if record["status"] == "FAILED"]
    assert failed["name"] == "000001/000000003.png" and "png" in failed["error"].lower()
    finished = {record["file"]: record["true_label"] for record in of_parquet if record["status"] == "OK"}
    assert finished == {f"{label:06}/{i:09}.png": label for i, label in enumerate(classes) if i != 3}
    assert len(of_folder) == 6


def test_the_program_says_nothing_of_hosts() -> None:
    shown = subprocess.run([*COMMAND, "certify", "--help"], text=True, capture_output=True, timeout=LIMIT, check=True)
    assert "--shard" in shown.stdout and "--host" not in shown.stdout
