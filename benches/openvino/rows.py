#!/usr/bin/env python3
"""Rows a second of certify by OpenVINO's provider beside the processor's own, taken in turns.

    rows.py PROGRAM ONNXRUNTIME MODEL...

PROGRAM is the command line, ONNXRUNTIME a build of ONNX Runtime with OpenVINO; SMOOTHTOPK_ONNXRUNTIME names the one
that the processor's provider is measured with. A round certifies one image by each, with a seed of its own: the whole
way, noise and counts included, without opening the model. Prints a Markdown table: medians and quartiles over rounds.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BFLOAT16 = ["--provider-option", 'load_config={"CPU":{"INFERENCE_PRECISION_HINT":"bf16"}}']
# Model: data, input scale, rows of a measurement.
WORK = {
    "cifar10_resnet20_sigma0.25": ("cifar10_test500.npz", 255, 10_000),
    "efficientnet_lite0": ("imagenet_photos.npz", 255, 1_000),
}


def rate(arguments: argparse.Namespace, model: Path, seed: int, how: list[str]) -> float:
    """Rows a second, from the time that the RUN says the example took."""
    data, scale, n = WORK[model.stem]
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "run"
        command = [arguments.program, "certify", "--model", model, "--data", arguments.shared / "data" / data]
        command += ["--input-scale", scale, "--sigma", 0.25, "--n", n, "--max", 1, "--seed", seed, "--quiet"]
        command += ["--out", out]
        done = subprocess.run([*map(str, command), *how], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"rows.py: {done.stderr}")
        hours, minutes, seconds = (out / "k1.tsv").read_text().splitlines()[1].split("\t")[5].split(":")
        return n / (3600 * int(hours) + 60 * int(minutes) + float(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("onnxruntime")
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--shared", type=Path, required=True, help="the folder with the data")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    openvino = ["--onnxruntime", arguments.onnxruntime, "--provider", "openvino"]
    ways = {"cpu": [], "openvino, float32": openvino, "openvino, bfloat16": [*openvino, *BFLOAT16]}
    print("| model | provider | rows/s: quartile, median, quartile | over cpu |")
    print("| --- | --- | ---: | ---: |")
    for model in arguments.models:
        if model.stem not in WORK:
            continue
        for how in ways.values():
            rate(arguments, model, 0, how)  # measures the batch plan, which is then kept
        rates: dict[str, list[float]] = {way: [] for way in ways}
        for seed in range(1, arguments.rounds + 1):
            for way, how in ways.items():
                rates[way].append(rate(arguments, model, seed, how))
        for way, found in rates.items():
            low, middle, high = statistics.quantiles(found, n=4)
            ratios = sorted(a / b for a, b in zip(found, rates["cpu"]))
            print(f"| {model.stem} | {way} | {low:.0f}, {middle:.0f}, {high:.0f} | {statistics.median(ratios):.2f} |")


if __name__ == "__main__":
    main()
