#!/usr/bin/env python3
"""Requests a second through Triton, in-process and blocking: bench.py BACKENDS IN_PROCESS.

One run, three turns, medians, 64 clients (h2load) on the same cores, over HTTP and over gRPC; then ten times as many
clients, over gRPC: with so many, some connections of HTTP have stalled in tritonserver 2.51 (docs/triton.md). Blocking
is a model with max_running 1.
"""

import json
import re
import statistics
import struct
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import tritonclient.grpc as grpc
from server import DIGITS, Server, config, digits

SECONDS, TURNS, CLIENTS = 3, 3, 64
# A scan that 13 samples settle.
X = digits()
KINDS = {"predict by rule": {"task": "predict", "rule": "predict"}, "n = 1,000": {"n": 1000}}
GRPC = ["-H", "content-type: application/grpc", "-H", "te: trailers"]


class Served(NamedTuple):
    """Requests a second, and milliseconds until half, 95 % and 99 % of the answers were there."""

    rate: float
    waits: tuple[float, float, float]


def http_body(parameters):
    data = {"name": "image", "shape": [1, 1, 8, 8], "datatype": "FP32", "data": X.ravel().tolist()}
    return json.dumps({"parameters": parameters, "inputs": [data], "outputs": [{"name": "labels"}]}).encode()


def grpc_body(model, parameters):
    image = grpc.InferInput("image", list(X.shape), "FP32")
    image.set_data_from_numpy(X)
    request = grpc.service_pb2.ModelInferRequest(model_name=model, inputs=[image._get_tensor()])
    request.raw_input_contents.append(image._get_content())
    request.outputs.add(name="labels")
    for name, value in parameters.items():
        field = {str: "string_param", int: "int64_param", float: "double_param"}[type(value)]
        setattr(request.parameters[name], field, value)
    message = request.SerializeToString()
    # gRPC's frame: not compressed, and so many bytes.
    return struct.pack(">BI", 0, len(message)) + message


def load(server, model, asked, transport, clients):
    """Asks as fast as so many clients can; each request must be answered."""
    body, log = server.folder / "body", server.folder / "log"
    parameters = {"sigma": 0.25, **asked}
    if transport == "HTTP":
        body.write_bytes(http_body(parameters))
        command = ["h2load", "--h1", f"http://127.0.0.1:{server.ports[0]}/v2/models/{model}/infer"]
    else:
        body.write_bytes(grpc_body(model, parameters))
        command = ["h2load", *GRPC, f"http://127.0.0.1:{server.ports[1]}/inference.GRPCInferenceService/ModelInfer"]
    command += ["-c", str(clients), "-t", "1", "-d", str(body)]

    def run(number, *more):
        # By number and not by time: clients that drop what is under way crash some servers.
        line = [*command, "-n", str(number), *more]
        text = subprocess.run(line, capture_output=True, text=True, check=True, timeout=120).stdout
        assert f" {number} succeeded" in text and f"status codes: {number} 2xx" in text, text
        return float(re.search(r"([\d.]+) req/s", text)[1])

    number = max(500, clients, int(SECONDS * run(max(500, clients))))
    log.unlink(missing_ok=True)
    rate = run(number, f"--log-file={log}")
    waits = np.array([int(line.split()[2]) for line in log.read_text().splitlines()]) / 1000
    return Served(rate, tuple(np.percentile(waits, [50, 95, 99])))


def main():
    backends, in_process = sys.argv[1:]
    server = Server(backends)
    try:
        server.load("held", config())
        (server.folder / "input").write_bytes(X.tobytes())
        server.load("blocking", config(max_running=1))
        print("| question | asked | clients | answers/s | of in-process | p50, p95, p99 |")
        print("| --- | --- | ---: | ---: | ---: | ---: |")
        for kind, asked in KINDS.items():
            ways = [(model, transport) for transport in ("HTTP", "gRPC") for model in ("held", "blocking")]
            alone, found = [], {way: [] for way in ways}
            for _ in range(TURNS):
                command = [in_process, str(DIGITS), str(server.folder / "input"), str(asked.get("n", 0)), str(SECONDS)]
                alone.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
                for model, transport in ways:
                    found[model, transport].append(load(server, model, asked, transport, CLIENTS))
            base = statistics.median(alone)
            print(f"| {kind} | in-process | {CLIENTS} | {base:,.0f} | 1 | |")
            for (model, transport), turns in found.items():
                name = transport if model == "held" else f"{transport}, blocking"
                show(kind, name, CLIENTS, sorted(turns)[len(turns) // 2], base)
            show(kind, "gRPC", 10 * CLIENTS, load(server, "held", asked, "gRPC", 10 * CLIENTS), base)
    finally:
        server.close()


def show(kind, name, clients, served, base):
    waits = ", ".join(f"{wait:.1f}" for wait in served.waits)
    print(f"| {kind} | {name} | {clients} | {served.rate:,.0f} | {served.rate / base:.2f} | {waits} ms |", flush=True)


if __name__ == "__main__":
    main()
