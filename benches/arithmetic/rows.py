#!/usr/bin/env python3
"""Rows a second of certify in different arithmetic, taken in turns: float32, int8, and OpenVINO's float32 and bfloat16.

    rows.py PROGRAM OPENVINO MODEL... --shared FOLDER --out FOLDER

PROGRAM is the command line, OPENVINO a build of ONNX Runtime with OpenVINO; SMOOTHTOPK_ONNXRUNTIME names the one that
the processor's provider is measured with. quantize.py makes the int8 form of each model, which is kept in --out. A
round certifies one image by each, with a seed of its own: the whole way, noise and counts included, without opening the
model. Prints a Markdown table: medians and quartiles over rounds.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SIGMA = 0.25
BFLOAT16 = ["--provider-option", 'load_config={"CPU":{"INFERENCE_PRECISION_HINT":"bf16"}}']
# Model: data, input scale, rows of a measurement.
WORK = {
    "cifar10_resnet20_sigma0.25": ("cifar10_test500.npz", 255, 10_000),
    "efficientnet_lite0": ("imagenet_photos.npz", 255, 1_000),
}


def quantized(arguments: argparse.Namespace, model: Path) -> Path:
    """The model's int8 form."""
    data, scale, _ = WORK[model.stem]
    arguments.out.mkdir(parents=True, exist_ok=True)
    out = arguments.out / f"{model.stem}_int8.onnx"
    if not out.exists():
        command = [sys.executable, Path(__file__).with_name("quantize.py"), model, arguments.shared / "data" / data]
        done = subprocess.run([*map(str, [*command, scale, SIGMA, out])], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"rows.py: {done.stderr}")
    return out


def rate(arguments: argparse.Namespace, model: Path, work: tuple[str, int, int], seed: int, how: list[str]) -> float:
    """Rows a second, from the time that the RUN says the example took."""
    data, scale, n = work
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "run"
        command = [arguments.program, "certify", "--model", model, "--data", arguments.shared / "data" / data]
        command += ["--input-scale", scale, "--sigma", SIGMA, "--n", n, "--max", 1, "--seed", seed, "--quiet"]
        command += ["--out", out]
        done = subprocess.run([*map(str, command), *how], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"rows.py: {done.stderr}")
        hours, minutes, seconds = (out / "k1.tsv").read_text().splitlines()[1].split("\t")[5].split(":")
        return n / (3600 * int(hours) + 60 * int(minutes) + float(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("openvino")
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--shared", type=Path, required=True, help="the folder with the data")
    parser.add_argument("--out", type=Path, required=True, help="where int8 models are kept")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    openvino = ["--onnxruntime", arguments.openvino, "--provider", "openvino"]
    print("| model | arithmetic | rows/s: quartile, median, quartile | over float32 |")
    print("| --- | --- | ---: | ---: |")
    for model in arguments.models:
        if model.stem not in WORK:
            continue
        ways: dict[str, tuple[Path, list[str]]] = {
            "float32": (model, []),
            "int8": (quantized(arguments, model), []),
            "float32, OpenVINO": (model, openvino),
            "bfloat16, OpenVINO": (model, [*openvino, *BFLOAT16]),
        }
        for form, how in ways.values():
            rate(arguments, form, WORK[model.stem], 0, how)  # measures the batch plan, which is then kept
        rates: dict[str, list[float]] = {way: [] for way in ways}
        for seed in range(1, arguments.rounds + 1):
            for way, (form, how) in ways.items():
                rates[way].append(rate(arguments, form, WORK[model.stem], seed, how))
        for way, found in rates.items():
            low, middle, high = statistics.quantiles(found, n=4)
            ratios = sorted(a / b for a, b in zip(found, rates["float32"]))
            print(f"| {model.stem} | {way} | {low:.0f}, {middle:.0f}, {high:.0f} | {statistics.median(ratios):.2f} |")


if __name__ == "__main__":
    main()
