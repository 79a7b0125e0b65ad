"""A tritonserver with models of this backend, for the tests and the soak."""

import json
import pathlib
import shutil
import socket
import subprocess
import sysconfig
import tempfile
import time
import urllib.request

import numpy as np
import tritonclient.grpc as grpc
import tritonclient.http as http

ROOT = pathlib.Path(__file__).resolve().parents[3]
DIGITS = ROOT / "demo/digits_mlp_sigma0.25.onnx"
SLOW = ROOT / "tests/models/slow.onnx"
TRITON = pathlib.Path(sysconfig.get_paths()["purelib"]) / "pytriton/tritonserver/bin/tritonserver"


def digits(count=1):
    """Scans of digits, pixels from 0 to 1."""
    images = np.load(ROOT / "demo/digits_test200.npz")["images"][:count]
    return images.astype(np.float32).reshape(count, 1, 8, 8) / 16


def endless():
    """An input that keeps the slow model busy for many seconds."""
    return np.full((1, 64), 200, np.float32)


def config(more="", **parameters):
    lines = ['backend: "smoothtopk"', more]
    lines += [f'parameters {{ key: "{k}" value {{ string_value: "{v}" }} }}' for k, v in parameters.items()]
    return "\n".join(lines)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def ask(client, model, x, outputs=(), label=None, version="", options=None, **parameters):
    """Asks by HTTP or gRPC, whichever the client is of; no outputs: all of the config's."""
    kind = http if isinstance(client, http.InferenceServerClient) else grpc
    arguments = tensors(kind, x, outputs, label, options or {})
    return client.infer(model, model_version=version, parameters=parameters, **arguments)


def tensors(kind, x, outputs=(), label=None, options=None):
    name, datatype = "x" if x.shape[1:] in ((64,), (16,)) else "image", (options or {}).pop("datatype", "FP32")
    inputs = [kind.InferInput(name, list(x.shape), datatype)]
    inputs[0].set_data_from_numpy(x)
    if label is not None:
        inputs.append(kind.InferInput("label", [len(label), 1], "INT64"))
        inputs[1].set_data_from_numpy(np.asarray(label, np.int64).reshape(-1, 1))
    wanted = [kind.InferRequestedOutput(name) for name in outputs] or None
    return {"inputs": inputs, "outputs": wanted, **(options or {})}


class Server:
    """A server on free ports whose models are loaded by load()."""

    def __init__(self, backends, *arguments):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="smoothtopk-triton-"))
        self.models = self.folder / "models"
        self.models.mkdir()
        self.ports = free_ports(3)
        command = [str(TRITON), "--backend-directory", str(backends), "--model-repository", str(self.models)]
        command += ["--model-control-mode", "explicit", "--http-address", "127.0.0.1", "--grpc-address", "127.0.0.1"]
        for flag, port in zip(("--http-port", "--grpc-port", "--metrics-port"), self.ports, strict=True):
            command += [flag, str(port)]
        command += ["--metrics-interval-ms", "100", *arguments]
        with (self.folder / "log").open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        self.http = self.http_client(8)
        self.grpc = grpc.InferenceServerClient(f"127.0.0.1:{self.ports[1]}")
        self.until(self.live, "the server is live")

    def http_client(self, concurrency=1):
        return http.InferenceServerClient(f"127.0.0.1:{self.ports[0]}", concurrency=concurrency, network_timeout=120)

    def live(self):
        assert self.process.poll() is None, self.text()
        try:
            return self.http.is_server_live()
        except OSError:
            return False

    def until(self, met, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not met():
            assert time.monotonic() < deadline, f"{what}: not within {seconds} s\n{self.text()[-3000:]}"
            time.sleep(0.02)

    def write(self, name, text, file=DIGITS, versions=(1,)):
        for version in versions:
            (self.models / name / str(version)).mkdir(parents=True, exist_ok=True)
            if file:
                shutil.copy(file, self.models / name / str(version) / "model.onnx")
        if text is not None:
            (self.models / name / "config.pbtxt").write_text(text)

    def load(self, name, text=None, file=DIGITS, versions=(1,)):
        self.write(name, config() if text is None else text, file, versions)
        self.http.load_model(name)
        return name

    def text(self):
        return (self.folder / "log").read_text()

    def metric(self, name, model):
        """The sum of a metric over the model's versions; None where there is none."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[2]}/metrics", timeout=30) as page:
            lines = page.read().decode().splitlines()
        found = [line for line in lines if line.startswith(name + "{") and f'model="{model}"' in line]
        return sum(float(line.split()[-1]) for line in found) if found else None

    def memory(self):
        """Bytes that the process has in memory."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def post(self, path, body):
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[0]}{path}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.read().decode()

    def stop(self, seconds=60):
        """SIGTERM; the exit status, negative for a signal."""
        self.http.close()
        self.grpc.close()
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def close(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
