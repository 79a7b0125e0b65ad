"""The Kubernetes manifests of examples/cluster, checked without a cluster: their form, and their commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

CLUSTER = Path(__file__).resolve().parents[2] / "examples/cluster"
DEMO = CLUSTER.parents[1] / "demo"
# The program that the wheel brings.
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "SMOOTHTOPK_CACHE": "off"}
# Fields of a Job that the examples use are of 1.29 or before.
OLDEST = "1.29"


def manifest(name: str) -> dict:
    return yaml.safe_load((CLUSTER / f"kubernetes-{name}.yaml").read_text())


def container(job: dict) -> dict:
    return job["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize("name", ["certify", "merge"])
def test_manifests_are_valid(name: str) -> None:
    job = manifest(name)
    kubernetes_validate.validate(job, OLDEST, strict=True)
    job["spec"]["backoffLimitPerIndx"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, OLDEST, strict=True)


def test_pods_certify_and_merge(tmp_path: Path) -> None:
    """Each pod a process, with the index that Kubernetes gives it; fewer pods than the manifest asks for."""
    job = manifest("certify")
    arguments = container(job)["args"]
    assert f"--shard=auto/{job['spec']['completions']}" in arguments
    (tmp_path / "key").write_text("0123456789abcdef" * 4)
    places = {
        "/in/model.onnx": f"{DEMO}/digits_mlp_sigma0.25.onnx",
        "/in/data.npz": f"{DEMO}/digits_test200.npz",
        "/secret/key": f"{tmp_path}/key",
        "/out/": f"{tmp_path}/",
        "auto/64": "auto/2",
    }
    small = ["--n", "200", "--max", "3", "--batch", "16", "--input-scale", "16"]

    def run(command: list[str], index: int | None = None) -> None:
        variables = {} if index is None else {"JOB_COMPLETION_INDEX": str(index)}
        text = [part.replace("$(JOB_COMPLETION_INDEX)", str(index)) for part in command]
        for place, here in places.items():
            text = [part.replace(place, here) for part in text]
        subprocess.run(text, check=True, env={**ENVIRONMENT, **variables}, capture_output=True)

    for index in range(2):
        run([*container(job)["command"], *arguments, *small], index)
    run(container(manifest("merge"))["command"])
    assert len((tmp_path / "RUN/records.jsonl").read_text().splitlines()) == 3
