"""Counts through four languages: run.py GO PYTHON PROGRAM OUT, with a folder to write in.

Go draws samples 0 to 600 and writes their counts. Python draws samples 600 to 1000 and adds. The command line certifies
the sum. One run in Rust (the command line's `certify`) draws all 1,000 at once. Counts and radius must be the same, bit
for bit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

MODEL = Path("demo/digits_mlp_sigma0.25.onnx").absolute()
SEED, STREAM, ALPHA, K = "7", "0", "0.001", "2"


def run(*command: str | Path, cwd: str | None = None) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    go, python, program, out = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]).absolute()
    out.mkdir(parents=True, exist_ok=True)
    first, second, both = out / "go.json", out / "python.json", out / "sum.json"
    script = "bindings/python/tests/cross_language.py"
    run(go, "run", "./cross", "sample", MODEL, SEED, STREAM, "0", "600", first, "gaussian:0.5", cwd="examples/go")
    run(python, script, "sample", MODEL, SEED, STREAM, "600", "1000", second)
    run(python, script, "merge", first, second, both)
    counts = json.loads(both.read_text())
    label = str(max(range(len(counts["labels"])), key=counts["labels"].__getitem__))
    table = run(program, "radius", "--counts", both, "--label", label, "--k", K, "--alpha", ALPHA)
    radius = table.splitlines()[1].split("\t")[2]

    data, kept = out / "data.npz", out / "run"
    np.savez(data, images=np.zeros((1, 1, 8, 8), np.float32), labels=np.array([int(label)]))
    run("rm", "-rf", kept)
    settings = [
        "--sigma",
        "0.5",
        "--n",
        "1000",
        "--seed",
        SEED,
        "--input-max",
        "1",
        "--k",
        K,
        "--alpha",
        ALPHA,
        "--quiet",
    ]
    run(program, "certify", "--model", MODEL, "--data", data, *settings, "--out", kept)
    record = json.loads((kept / "records.jsonl").read_text())
    for field in ("labels", "n", "perturbation", "ending", "draws", "subject"):
        if record["counts"][field] != counts[field]:
            sys.exit(f"{field} differs: {record['counts'][field]} in one run, {counts[field]} through Go and Python")
    in_go = run(go, "run", "./cross", "certify", both, label, K, ALPHA, cwd="examples/go").strip()
    in_python = run(python, script, "certify", both, label, K, ALPHA).strip()
    alone = record["certificates"][0]["radius"]
    if len({float(radius), float(in_go), float(in_python), alone}) != 1 or not alone > 0:
        sys.exit(f"radii differ: {radius} (command line), {in_go} (Go), {in_python} (Python), {alone} (one run)")
    print(f"counts of Go and Python, added, are those of one run in Rust; radius {radius} in all. 1 passed, 0 failed")


if __name__ == "__main__":
    os.environ.setdefault("SMOOTHTOPK_CACHE", "off")
    main()
