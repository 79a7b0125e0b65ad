"""A Ray cluster of several nodes on this machine: its RUN is the command line's, whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import ray
from onnx import TensorProto, helper
from ray.cluster_utils import Cluster

import smoothtopk
import smoothtopk.ray
from smoothtopk import InvalidArgumentError

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "demo/digits_mlp_sigma0.25.onnx"
DIGITS = np.load(ROOT / "demo/digits_test200.npz")
IMAGES, LABELS = DIGITS["images"][:24], DIGITS["labels"][:24]
ASKED: dict[str, Any] = {"sigma": 0.25, "input_scale": 16, "batch": 32, "n": 2000, "seed": 7}
# A run long enough for something to be killed in its middle.
LONG: dict[str, Any] = ASKED | {"n": 300_000}
KEY = "07" * 32
LIMIT = 60
SHARED = Path(os.environ.get("SMOOTHTOPK_SHARED") or ROOT.parent / "shared")
MARK = "SMOOTHTOPK_TEST_RAY"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head without room for actors, and two nodes with room for one each."""
    os.environ[MARK] = uuid.uuid4().hex
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        nodes.add_node(num_cpus=1)
    ray.init(address=nodes.address, log_to_driver=False)
    nodes.wait_for_nodes()
    yield nodes
    ray.shutdown()
    nodes.shutdown()


def workers() -> list[int]:
    """The programs that draw for this test's actors."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            ours = os.environ[MARK].encode() in (path / "environ").read_bytes()
            if ours and b"--host=work" in (path / "cmdline").read_bytes():
                found.append(int(path.name))
        except OSError:
            continue
    return found


def parent(pid: int) -> int:
    """The actor of a program."""
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def typed(options: dict[str, Any]) -> list[str]:
    values = {name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in options.items()}
    text = [(f"--{name.replace('_', '-')}", value) for name, value in values.items() if value is not None]
    return [f"{name}={value}" if value is not True else name for name, value in text]


def without_times(folder: Path) -> dict[str, str]:
    """What a RUN holds, but for times."""
    texts = {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.name != ".lock"}
    texts["records.jsonl"] = re.sub(r'"seconds":[^,]*,', "", texts["records.jsonl"])
    views = {name: re.sub(r"\t[^\t]*$", "", text, flags=re.M) for name, text in texts.items() if name[0] in "ak"}
    return texts | views


def command_line(folder: Path, options: dict[str, Any]) -> dict[str, str]:
    """The RUN that one machine makes of the same data."""
    np.savez(folder / "data.npz", images=IMAGES, labels=LABELS)
    given = [sys.executable, "-m", "smoothtopk", "certify", f"--model={MODEL}", "--data=data.npz", *typed(options)]
    done = subprocess.run([*given, "--out=whole", "--quiet"], cwd=folder, text=True, capture_output=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    return without_times(folder / "whole")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The long RUN of one machine."""
    return command_line(tmp_path_factory.mktemp("whole"), LONG)


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ({"k": [1, 3]}, {}),
        ({"rule": "radius:0.25", "allocation": "binocp", "n": 4000}, {"in_flight": 3}),
        ({"generator": "chacha12", "key": KEY, "seed": None, "select": True}, {}),
        ({"guarantee": True, "k": [2], "skip": 2, "max": 20}, {"in_flight": 1}),
        ({"select": True, "randomized": True, "max": 6}, {"split": 5}),
    ],
    ids=["fixed", "rule", "chacha12", "guarantee", "split"],
)
def test_the_run_is_that_of_one_machine(
    cluster: Cluster, tmp_path: Path, options: dict[str, Any], more: dict[str, Any]
) -> None:
    asked = ASKED | options
    single = command_line(tmp_path, asked)
    seen: list[tuple[int, int]] = []
    found = smoothtopk.ray.certify(
        (IMAGES, LABELS), MODEL, out=tmp_path / "RUN", progress=lambda *done: seen.append(done), **asked, **more
    )
    records = list(found)
    assert without_times(tmp_path / "RUN") == single
    assert sorted(record["index"] for record in records) == [
        json.loads(line)["index"] for line in single["records.jsonl"].splitlines()
    ]
    assert seen == [(i + 1, len(records)) for i in range(len(records))]


def test_a_file_and_a_model_in_memory_travel(cluster: Cluster, tmp_path: Path) -> None:
    single = command_line(tmp_path, ASKED)
    data = tmp_path / "data.npz"
    list(smoothtopk.ray.certify(data, MODEL.read_bytes(), out=tmp_path / "RUN", **ASKED))
    assert without_times(tmp_path / "RUN")["records.jsonl"] == single["records.jsonl"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="SMOOTHTOPK_SHARED names no folder with the model and images")
def test_images_of_cifar_10_have_the_records_of_one_machine(cluster: Cluster, tmp_path: Path) -> None:
    data, model = SHARED / "data/cifar10_test500.npz", SHARED / "models/cifar10_resnet20_sigma0.25.onnx"
    asked: dict[str, Any] = {"sigma": 0.25, "batch": 16, "n": 150, "k": [1, 3], "select": True, "skip": 20, "seed": 3}
    list(smoothtopk.certify_dataset(model, data, out=tmp_path / "one", threads=1, **asked))
    list(smoothtopk.ray.certify(data, model, out=tmp_path / "RUN", **asked))
    assert without_times(tmp_path / "RUN") == without_times(tmp_path / "one")


@pytest.mark.parametrize("what", ["program", "actor"])
def test_what_is_killed_costs_what_was_in_flight(
    cluster: Cluster, tmp_path: Path, whole: dict[str, str], what: str
) -> None:
    found = smoothtopk.ray.certify((IMAGES, LABELS), MODEL, out=tmp_path / "RUN", in_flight=2, **LONG)
    records = [next(found) for _ in range(3)]
    before = workers()
    assert len(before) == 2
    os.kill(before[0] if what == "program" else parent(before[0]), signal.SIGKILL)
    records += found
    assert sorted(record["index"] for record in records) == list(range(24))
    assert without_times(tmp_path / "RUN") == whole
    # Actors are gone with the call.
    end = time.monotonic() + LIMIT
    while workers():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_node_that_is_killed_costs_what_was_in_flight(
    cluster: Cluster, tmp_path: Path, whole: dict[str, str]
) -> None:
    node = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    found = smoothtopk.ray.certify((IMAGES, LABELS), MODEL, out=tmp_path / "RUN", actors=3, in_flight=2, **LONG)
    records = [next(found) for _ in range(3)]
    assert len(workers()) == 3
    cluster.remove_node(node, allow_graceful=False)
    records += found
    assert sorted(record["index"] for record in records) == list(range(24))
    assert without_times(tmp_path / "RUN") == whole


DRIVER = """
import sys, numpy as np, ray, smoothtopk.ray
address, model, data, out, n = sys.argv[1:]
ray.init(address=address, log_to_driver=False)
digits = np.load(data)
for record in smoothtopk.ray.certify((digits["images"][:24], digits["labels"][:24]), model, out=out, in_flight=2,
                                     sigma=0.25, input_scale=16, batch=32, n=int(n), seed=7):
    print(record["index"], flush=True)
"""


def test_a_driver_that_is_killed_resumes(cluster: Cluster, tmp_path: Path, whole: dict[str, str]) -> None:
    out = tmp_path / "RUN"
    given = [sys.executable, "-c", DRIVER, cluster.address, MODEL, ROOT / "demo/digits_test200.npz", out, LONG["n"]]
    with subprocess.Popen(list(map(str, given)), text=True, stdout=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        seen = [int(driver.stdout.readline()) for _ in range(3)]
        driver.kill()
    end = time.monotonic() + LIMIT
    while True:
        try:
            with pytest.raises(InvalidArgumentError) as error:
                list(smoothtopk.ray.certify((IMAGES, LABELS), MODEL, out=out, **LONG | {"seed": 8}))
            assert error.value.field == "secret_sha256"
            break
        except smoothtopk.BusyError:
            assert time.monotonic() < end
            time.sleep(0.05)
    kept = [json.loads(line)["index"] for line in (out / "records.jsonl").read_text().splitlines()]
    assert set(seen) <= set(kept) and len(kept) < 24
    # Without its seed, which the RUN has.
    found = list(smoothtopk.ray.certify((IMAGES, LABELS), MODEL, out=out, **LONG | {"seed": None}))
    assert [record["index"] for record in found[: len(kept)]] == kept
    assert sorted(record["index"] for record in found) == list(range(24))
    assert without_times(out) == whole


def test_an_example_that_ends_its_actor_is_named(cluster: Cluster, tmp_path: Path) -> None:
    """Rows that begin above 50 are looked up beyond the table's end: ONNX Runtime fails."""
    table = helper.make_tensor("table", TensorProto.FLOAT, [2, 3], [1, 0, 0, 0, 1, 0])
    numbers = [("first", [0]), ("limit", [50.0]), ("far", [100])]
    nodes = [
        helper.make_node("Gather", ["x", "first"], ["head"], axis=1),
        helper.make_node("Greater", ["head", "limit"], ["above"]),
        helper.make_node("Cast", ["above"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Mul", ["whole", "far"], ["place"]),
        helper.make_node("Squeeze", ["place", "axis"], ["flat"]),
        helper.make_node("Gather", ["table", "flat"], ["y"]),
    ]
    values = [
        helper.make_tensor(name, TensorProto.FLOAT if name == "limit" else TensorProto.INT64, [1], value)
        for name, value in [*numbers, ("axis", [1])]
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
        [table, *values],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    rows = np.ones((12, 4), np.float32)
    rows[5, 0] = 100
    labels = np.zeros(12, np.int64)
    asked: dict[str, Any] = {"out": tmp_path / "RUN", "sigma": 0.25, "n": 100, "seed": 1, "batch": 8, "in_flight": 4}
    records = list(smoothtopk.ray.certify((rows, labels), model, **asked))
    [failed] = [record for record in records if record["status"] != "OK"]
    assert (failed["index"], failed["status"], failed["name"]) == (5, "FAILED", "example 5")
    assert failed["error"].endswith("actors were lost over it: " + failed["error"].split(": ", 1)[1])
    assert "3 actors were lost over it" in failed["error"] and "Gather" in failed["error"]
    assert sorted(record["index"] for record in records) == list(range(12))
    assert "example 5" in (tmp_path / "RUN/failed.tsv").read_text()


def test_chunks_are_a_run_that_goes_on_elsewhere(cluster: Cluster, tmp_path: Path) -> None:
    place, single = f"file://{tmp_path / 'store' / 'run'}", command_line(tmp_path, ASKED)
    first = smoothtopk.ray.certify((IMAGES, LABELS), MODEL, out=tmp_path / "A", chunks=place, **ASKED)
    for _ in range(5):
        next(first)
    first.close()  # type: ignore[attr-defined]
    other = ASKED | {"n": 9, "max": 1}
    with pytest.raises(InvalidArgumentError) as error:
        list(smoothtopk.ray.certify((IMAGES, LABELS), MODEL, out=tmp_path / "C", chunks=place, **other))
    assert error.value.field == "n" and "made with 2000, and this command has 9" in str(error.value)
    list(smoothtopk.ray.certify((IMAGES, LABELS), MODEL, out=tmp_path / "D", **other))
    with pytest.raises(InvalidArgumentError, match="holds another RUN"):
        list(smoothtopk.ray.certify((IMAGES, LABELS), MODEL, out=tmp_path / "D", chunks=place, **other))
    smoothtopk.ray.fetch(place, tmp_path / "part")
    kept = (tmp_path / "part/records.jsonl").read_text().splitlines()
    assert 5 <= len(kept) < 24
    # The disk of the first is lost.
    records = list(smoothtopk.ray.certify((IMAGES, LABELS), MODEL, out=tmp_path / "B", chunks=place, **ASKED))
    assert [json.dumps(record) for record in records[: len(kept)]] == [json.dumps(json.loads(line)) for line in kept]
    assert sorted(record["index"] for record in records) == list(range(24))
    names = sorted(path.name for path in (tmp_path / "store/run").iterdir())
    assert names == ["00000000.jsonl", "00000001.jsonl", "manifest.json"]
    smoothtopk.ray.fetch(place, tmp_path / "whole again")
    fetched = without_times(tmp_path / "whole again")
    assert fetched == {name: single[name] for name in ("manifest.json", "records.jsonl")}
    # An object that another process has made in between is never replaced.
    chunks = smoothtopk.ray.Chunks(place)
    chunks.begin(tmp_path / "B")
    (tmp_path / "store/run/00000002.jsonl").write_text("")
    chunks.add('{"index":99}')
    with pytest.raises(smoothtopk.BusyError):
        chunks.push()


def test_a_shard_of_a_cluster_is_merged(cluster: Cluster, tmp_path: Path) -> None:
    single = command_line(tmp_path, ASKED)
    shards = [tmp_path / f"shard{i}" for i in (1, 2)]
    for i, shard in enumerate(shards):
        store = f"file://{tmp_path}/store{i}"
        asked = ASKED | {"shard": f"{i + 1}/2", "chunks": store}
        assert len(list(smoothtopk.ray.certify((IMAGES, LABELS), MODEL, out=shard, **asked))) == 12
        smoothtopk.ray.fetch(store, tmp_path / f"fetched{i}")
    merge = [sys.executable, "-m", "smoothtopk", "merge", "--out=merged", "fetched0", "fetched1"]
    subprocess.run(merge, cwd=tmp_path, check=True, timeout=LIMIT)
    merged = without_times(tmp_path / "merged")
    assert merged == {name: text for name, text in single.items() if name != "philox.seed"}


def test_what_is_wrong_is_told_at_once(cluster: Cluster, tmp_path: Path) -> None:
    for more, says in [
        ({"k": 10}, "must be from 1 to 9"),
        ({"rule": "radius:0.25", "split": 2}, "sample_shard: .* no part of them has these"),
        ({"nonesuch": 1}, "--nonesuch"),
    ]:
        with pytest.raises(smoothtopk.SmoothTopKError, match=says):
            list(smoothtopk.ray.certify((IMAGES, LABELS), MODEL, out=tmp_path / "RUN", **ASKED | more))
