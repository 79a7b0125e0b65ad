#!/usr/bin/env python3
"""Pack what a machine with a GPU needs to check and measure smoothtopk, without Rust and without a network.

    python scripts/gpu_bundle.py --target target --onnxruntime FOLDER --out FOLDER [--size MIB] [--models FILE ...]

The checker and ONNX Runtime always go in; then, while the bundle stays below `--size`, models, smallest first, the command
line and the library. What is left out is said. `./gpu-check` in the bundle runs it.
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIB = 1 << 20


def fail(message: str) -> None:
    sys.exit(f"gpu_bundle: {message}")


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def copy(file: Path, folder: Path) -> int:
    """Copy a file, a program without its symbols; the copy's size."""
    made = folder / file.name
    shutil.copy2(file, made)
    if file.suffix != ".onnx" and shutil.which("strip"):
        subprocess.run(["strip", "--strip-unneeded", made], check=True)
    return made.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", type=Path, required=True, help="Cargo's folder of the release build")
    parser.add_argument("--onnxruntime", type=Path, required=True, help="what get_onnxruntime_cuda.py made")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--size", type=int, default=96, metavar="MIB", help="the bundle's largest (default: %(default)s)"
    )
    parser.add_argument("--models", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    out = arguments.out
    release = arguments.target / "release"
    for name in ("gpu-check", "smoothtopk", "libsmoothtopk.so"):
        if not (release / name).is_file():
            fail(f"{release / name} is missing: cargo build --release")
    shutil.rmtree(out, ignore_errors=True)
    for folder in ("bin", "lib", "models"):
        (out / folder).mkdir(parents=True)
    copy(release / "gpu-check", out / "bin")
    shutil.copy2(ROOT / "scripts" / "gpu" / "gpu-check", out)
    for name in ("LICENSE-MIT", "LICENSE-APACHE"):
        shutil.copy2(ROOT / name, out)
    with tarfile.open(out / "onnxruntime.tar.xz", "w:xz", preset=6) as archive:
        for file in sorted(arguments.onnxruntime.iterdir()):
            archive.add(file, arcname=file.name)
    left = arguments.size * MIB - size_of(out)
    if left < 0:
        too_large = f"{-left / MIB:.0f} MiB too large before any model"
        fail(f"the bundle is {too_large}: give a larger --size, or cut ONNX Runtime to one GPU")
    wanted = [(model, out / "models") for model in sorted(arguments.models, key=lambda file: file.stat().st_size)]
    wanted += [(release / "smoothtopk", out / "bin"), (release / "libsmoothtopk.so", out / "lib")]
    for file, folder in wanted:
        size = copy(file, folder)
        if size > left:
            (folder / file.name).unlink()
            print(f"left out: {file.name} ({size / MIB:.0f} MiB) does not fit into {arguments.size} MiB")
        else:
            left -= size
    models = len(list((out / "models").iterdir()))
    if not models:
        fail("no model fits: give a larger --size")
    print(f"{out}: {size_of(out) / MIB:.0f} MiB, {models} models; run ./gpu-check there")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        fail(str(error))
