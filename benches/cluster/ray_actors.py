"""Ray actors against one process: rows a second, what an example costs beside its rows, and memory.

    make bench-ray

Two actors of one thread each, and one process of two threads, draw in turns within one run, so that what else the
machine does meets both. Both begin with their models open: the seconds are those from the first record to the last.
What is in hand at the first record, at most 4 of 200 examples, counts for either. The driver's own work is in the
seconds. SMOOTHTOPK_SHARED names the folder of the CIFAR-10 model and images.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import ray

import smoothtopk.ray
from smoothtopk import certify_dataset

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SMOOTHTOPK_SHARED") or ROOT.parent / "shared")
ROUNDS = 5
MARK = "SMOOTHTOPK_BENCH_RAY"
# Both batches are the same, so that the model's own speed is.
RESNET = {"sigma": 0.25, "batch": 32, "seed": 7}


def rates(records: Iterator[dict[str, Any]], n: int) -> tuple[float, float]:
    """Rows a second from the first record to the last, and rows a second of the processors that draw them."""
    next(records)
    start, before, examples = time.perf_counter(), processor(), 0
    now = before
    for _ in records:
        examples += 1
        if examples % 10 == 0:
            # At the end there is nobody to ask.
            counted, now = examples, processor()
    seconds = time.perf_counter() - start
    return examples * n / seconds, counted * n / (now - before)


def processor() -> float:
    """Seconds of the processors that this bench's programs have taken."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (
                os.environ[MARK].encode() in (path / "environ").read_bytes()
                and b"--host=" in (path / "cmdline").read_bytes()
            ):
                ticks += sum(map(int, (path / "stat").read_text().rsplit(")", 1)[1].split()[11:13]))
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def speed(folder: Path, n: int) -> None:
    with np.load(SHARED / "data/cifar10_test500.npz") as data:
        images, labels = data["images"][:200], data["labels"][:200]
    if images.dtype == np.uint8:
        images = images.astype(np.float32) / 255
    model = SHARED / "models/cifar10_resnet20_sigma0.25.onnx"
    ratios = []
    for i in range(ROUNDS):
        out = folder / f"ray{i}"
        actors = rates(
            smoothtopk.ray.certify((images, labels), model, out=out, actors=2, in_flight=2, n=n, **RESNET), n
        )
        out = folder / f"one{i}"
        one = rates(certify_dataset(model, (images, labels), out=out, threads=2, n=n, **RESNET), n)
        ratios.append((actors[0] / one[0], actors[1] / one[1]))
        print(f"ResNet-20, n = {n}, rows/s and rows/s of processors: Ray {actors[0]:.0f}, {actors[1]:.0f}; ", end="")
        print(f"one process {one[0]:.0f}, {one[1]:.0f}; {ratios[-1][0]:.3f}, {ratios[-1][1]:.3f}", flush=True)
    print("medians {:.3f}, {:.3f}".format(*(median(each) for each in zip(*ratios))))


def overhead(folder: Path, examples: int) -> None:
    rows = np.random.default_rng(1).random((examples, 1, 8, 8), np.float32)
    model = ROOT / "demo/digits_mlp_sigma0.25.onnx"
    data = (rows, np.zeros(examples, np.int64))
    asked: dict[str, Any] = {"sigma": 0.25, "n": 1, "batch": 1, "seed": 7}
    for in_flight in (8, 64):
        before = resource.getrusage(resource.RUSAGE_SELF)
        first = None
        start = time.perf_counter()
        out = folder / f"tiny{in_flight}"
        for done, _ in enumerate(smoothtopk.ray.certify(data, model, out=out, in_flight=in_flight, **asked)):
            if done == examples // 10:
                first = memory()
        seconds = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        grown = memory() - (first or 0)
        print(
            f"n = 1, {in_flight} in flight: {1e3 * seconds / examples:.2f} ms an example, {1e3 * cpu / examples:.2f} "
            f"ms of the driver's processor; from {examples // 10} examples to {examples} {grown:.1f} MiB more",
            flush=True,
        )


def memory() -> float:
    """MiB of this process, without what it shares with the object store."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


def main() -> None:
    os.environ[MARK] = uuid.uuid4().hex
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    with tempfile.TemporaryDirectory() as folder:
        speed(Path(folder), int(os.environ.get("BENCH_N", "500")))
        overhead(Path(folder), 10_000)


if __name__ == "__main__":
    main()
