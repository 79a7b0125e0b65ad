#!/usr/bin/env python3
"""What a call costs from Python over the same call from C: `make bench-python`.

Prints microseconds per call (the median of several rounds): certificates from counts, and runs of one sample on a tiny
model, where nearly all of the time is the call's own. The C program is compiled here, against the same library.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import smoothtopk
from smoothtopk._library import lib

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "models" / "linear.onnx"
ROUNDS, CALLS = 15, 1000

C = r"""
#include <smoothtopk.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#define CHECK(call) do { if ((call) != STK_STATUS_OK) { fprintf(stderr, "%s failed\n", #call); exit(1); } } while (0)

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static void counts(void) {
  const uint64_t labels[] = {5, 90, 5};
  stk_counts *counts = NULL;
  const stk_query query = {.struct_size = sizeof query, .label = 1, .k = 1, .alpha = 0.001};
  stk_summary summary;
  CHECK(stk_counts_assume(labels, 3, 0, "gaussian:0.25", 0.0, NULL, &counts, NULL));
  CHECK(stk_counts_certify(counts, &query, &summary, sizeof summary, NULL));
  stk_counts_free(counts);
}
static stk_model *model;
static void predict(void) {
  static const float x[16];
  stk_request *request = NULL;
  stk_result *result = NULL;
  CHECK(stk_request_new("gaussian:0.5", &request, NULL));
  CHECK(stk_request_set_n(request, 1, NULL));
  CHECK(stk_request_set_seed(request, 1, NULL));
  CHECK(stk_model_predict(model, request, x, 1, &result, NULL));
  stk_result_free(result);
  stk_request_free(request);
}
static void bench(const char *name, void (*function)(void), int rounds, int calls) {
  for (int round = 0; round < rounds; round++) {
    double start = now();
    for (int i = 0; i < calls; i++) function();
    printf("%s %.9f\n", name, (now() - start) / calls);
  }
}
int main(int argc, char **argv) {
  stk_model_options *options = NULL;
  if (argc != 4) return 2;
  CHECK(stk_model_options_new(&options, NULL));
  CHECK(stk_model_options_set_batch(options, 1, NULL));
  CHECK(stk_model_open(argv[1], options, &model, NULL));
  bench("counts", counts, atoi(argv[2]), atoi(argv[3]));
  bench("predict", predict, atoi(argv[2]), atoi(argv[3]));
  stk_model_free(model);
  stk_model_options_free(options);
  return 0;
}
"""


def in_c() -> dict[str, float]:
    """Seconds per call from C."""
    with tempfile.TemporaryDirectory() as scratch:
        source, program = Path(scratch) / "bench.c", Path(scratch) / "bench"
        source.write_text(C)
        library = Path(lib._name)
        flags = ["-std=gnu11", "-O2", f"-I{ROOT / 'include'}", str(library), f"-Wl,-rpath,{scratch}"]
        header = (ROOT / "include" / "smoothtopk.h").read_text()
        abi = next(line.split()[2] for line in header.splitlines() if line.startswith("#define STK_ABI_VERSION"))
        (Path(scratch) / f"libsmoothtopk.so.{abi}").symlink_to(library)
        subprocess.run([os.environ.get("CC", "cc"), str(source), *flags, "-o", str(program)], check=True)
        environment = os.environ | {"SMOOTHTOPK_ONNXRUNTIME": smoothtopk.runtime_path()}
        arguments = [program, MODEL, str(ROUNDS), str(CALLS)]
        lines = subprocess.check_output(arguments, env=environment, text=True).split("\n")
    times: dict[str, list[float]] = {}
    for name, seconds in (line.split() for line in lines if line):
        times.setdefault(name, []).append(float(seconds))
    return {name: statistics.median(each) for name, each in times.items()}


def timed(function: Callable[[], object]) -> float:
    """Seconds per call from Python."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS):
            function()
        times.append((time.perf_counter() - start) / CALLS)
    return statistics.median(times)


def main() -> None:
    c = in_c()
    x = np.zeros(16, np.float32)
    with smoothtopk.SmoothedClassifier(MODEL, 0.5, batch=1) as g:
        python = {
            "counts": timed(lambda: smoothtopk.Counts.assuming([5, 90, 5], sigma=0.25).certify(1)),
            "predict": timed(lambda: g.predict(x, n=1, seed=1)),
        }
    print(f"{smoothtopk.build_info()}\nmicroseconds per call, median of {ROUNDS} rounds of {CALLS}:")
    for name, what in (("counts", "certificate from counts"), ("predict", "predict, one sample")):
        over = python[name] - c[name]
        print(f"{what:<24} C {c[name] * 1e6:6.1f}   Python {python[name] * 1e6:6.1f}   over C {over * 1e6:6.1f}")


if __name__ == "__main__":
    main()
