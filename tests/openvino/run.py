#!/usr/bin/env python3
"""OpenVINO's provider under the command line: run.py PROGRAM ONNXRUNTIME OUT.

PROGRAM is the command line, ONNXRUNTIME a build of ONNX Runtime with OpenVINO; SMOOTHTOPK_ONNXRUNTIME is one without.
Samples at a boundary between labels may fall to either side by the last bit, and by bfloat16's eight bits: none and
0.1 % of an example's samples did.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAM, ONNXRUNTIME, OUT = sys.argv[1], sys.argv[2], Path(sys.argv[3])
MODEL = ["--model", "demo/digits_mlp_sigma0.25.onnx", "--data", "demo/digits_test200.npz"]
BFLOAT16 = ["--provider-option", 'load_config={"CPU":{"INFERENCE_PRECISION_HINT":"bf16"}}']
OPENVINO = ["--onnxruntime", ONNXRUNTIME, "--provider", "openvino"]
N = 10_000


def run(*arguments: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"SMOOTHTOPK_CACHE": "off"}
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=600, env=environment)


def check(holds: bool, what: str) -> None:
    if not holds:
        sys.exit(f"test-openvino: {what}")


def refused(done: subprocess.CompletedProcess, why: str) -> None:
    check(done.returncode in (1, 2) and why in done.stderr, f"not refused for {why}: {done.stderr}")


def certify(name: str, *more: str) -> subprocess.CompletedProcess:
    arguments = ["--input-scale", "16", "--sigma", "0.25", "--k", "1,3", "--n", str(N), "--seed", "7", "--max", "10"]
    return run("certify", *MODEL, *arguments, "--batch", "64", "--quiet", "--out", str(OUT / name), *more)


def certified(name: str, *more: str) -> tuple[list[list[int]], dict]:
    """The counts of each example, and the manifest."""
    done = certify(name, *more)
    check(done.returncode == 0, f"certify {name} failed: {done.stderr}")
    lines = (OUT / name / "counts.tsv").read_text().splitlines()
    counts = [[int(count) for count in line.split("\t")[:-1]] for line in lines]  # the last column is the label
    check({len(of) for of in counts} == {10} and len(counts) == 10, f"the counts of {name} cannot be read: {lines[0]}")
    return counts, json.loads((OUT / name / "manifest.json").read_text())


def moved(a: list[list[int]], b: list[list[int]]) -> float:
    """The largest share of an example's samples that have another label."""
    return max(sum(abs(x - y) for x, y in zip(*pair)) / 2 / N for pair in zip(a, b))


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    doctor = run("doctor", "--onnxruntime", ONNXRUNTIME)
    check("OpenVINOExecutionProvider: works" in doctor.stdout, f"doctor: {doctor.stdout}{doctor.stderr}")

    plain, _ = certified("cpu")
    float32, manifest = certified("float32", *OPENVINO)
    check(
        manifest["model"]["provider"] == "OpenVINOExecutionProvider", f"the provider is {manifest['model']['provider']}"
    )
    check(manifest["model"]["arithmetic"] == "the provider's", f"the arithmetic is {manifest['model']['arithmetic']}")
    check(moved(plain, float32) <= 0.001, f"{moved(plain, float32)} of the samples have another label in float32")
    bfloat16, manifest = certified("bfloat16", *OPENVINO, *BFLOAT16)
    check(
        manifest["model"]["arithmetic"] == f"the provider's with {BFLOAT16[1]}",
        f"the arithmetic is {manifest['model']['arithmetic']}",
    )
    check(moved(plain, bfloat16) <= 0.02, f"{moved(plain, bfloat16)} of the samples have another label in bfloat16")
    supported = "avx512_bf16" in Path("/proc/cpuinfo").read_text()
    check(not supported or bfloat16 != float32, "bfloat16 changed nothing")

    # Counts of one base classifier are not resumed by another.
    for name, more in [("bfloat16", OPENVINO), ("float32", [*OPENVINO, *BFLOAT16]), ("cpu", OPENVINO)]:
        done = certify(name, *more)
        refused(done, "give the same to resume it")
    verify = ["verify", "--run", str(OUT / "bfloat16"), *MODEL, "--attacks", "5", "--n", "2000", "--batch", "64"]
    verify += ["--seed", "3", "--quiet", "--out", str(OUT / "verify")]
    done = run(*verify, *OPENVINO, *BFLOAT16)
    check(done.returncode == 0, f"verify: {done.stdout}{done.stderr}")
    refused(run(*verify, *OPENVINO), "--provider-option")

    # What is not there, or not understood, is refused with the reason.
    refused(certify("refused", "--provider", "openvino"), "OpenVINOExecutionProvider cannot be used")
    refused(certify("refused", *OPENVINO, "--provider-option", "no_such_option=1"), "no_such_option")
    refused(certify("refused", *OPENVINO, "--provider-option", "load_config"), "KEY=VALUE")
    check(not (OUT / "refused").exists(), "a refused command left a RUN")
    print(
        f"test-openvino: passed; of {N} samples an example at most {moved(plain, float32):.2%} have another label by "
        f"OpenVINO in float32, {moved(plain, bfloat16):.2%} in bfloat16"
    )


if __name__ == "__main__":
    main()
