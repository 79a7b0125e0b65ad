#!/usr/bin/env python3
"""Requests a second through Triton, in-process and blocking: bench.py BACKENDS IN_PROCESS.

One run, three turns, medians, 64 clients (h2load) on the same cores. Blocking is a model with max_running 1.
"""

import json
import re
import statistics
import subprocess
import sys

import numpy as np
from server import DIGITS, Server, config

SECONDS, TURNS, CLIENTS = 3, 3, 64
X = np.full((1, 1, 8, 8), 0.5, np.float32)
KINDS = {"predict by rule": {"task": "predict", "rule": "predict"}, "n = 1,000": {"n": 1000}}


def rate(server, model, asked, body):
    data = {"name": "image", "shape": [1, 1, 8, 8], "datatype": "FP32", "data": X.ravel().tolist()}
    question = {"parameters": {"sigma": 0.25, **asked}, "inputs": [data], "outputs": [{"name": "labels"}]}
    body.write_text(json.dumps(question))
    url = f"http://127.0.0.1:{server.ports[0]}/v2/models/{model}/infer"
    command = ["h2load", "--h1", "-c", str(CLIENTS), "-t", "1", "-d", str(body)]
    # By number and not by time: clients that drop what is under way crash some servers.
    some = subprocess.run([*command, "-n", "500", url], capture_output=True, text=True, check=True).stdout
    number = str(max(500, int(SECONDS * float(re.search(r"([\d.]+) req/s", some)[1]))))
    text = subprocess.run([*command, "-n", number, url], capture_output=True, text=True, check=True).stdout
    assert f"{number} succeeded" in text and f"2xx, {0} 3xx" in text, text
    return float(re.search(r"([\d.]+) req/s", text)[1])


def main():
    backends, in_process = sys.argv[1:]
    server = Server(backends)
    try:
        server.load("held", config())
        server.load("blocking", config(max_running=1))
        for kind, asked in KINDS.items():
            found = {"in-process": [], "Triton": [], "Triton, blocking": []}
            for _ in range(TURNS):
                command = [in_process, str(DIGITS), str(asked.get("n", 0)), str(SECONDS)]
                ran = subprocess.run(command, capture_output=True, text=True, check=True)
                found["in-process"].append(float(ran.stdout))
                found["Triton"].append(rate(server, "held", asked, server.folder / "body"))
                found["Triton, blocking"].append(rate(server, "blocking", asked, server.folder / "body"))
            alone = statistics.median(found["in-process"])
            for name, rates in found.items():
                print(f"{kind}: {name} {statistics.median(rates):.0f}/s, {statistics.median(rates) / alone:.2f} of it")
    finally:
        server.close()


if __name__ == "__main__":
    main()
