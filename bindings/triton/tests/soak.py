#!/usr/bin/env python3
"""Ten times the load, slow clients, disconnects, reloads, shutdown: soak.py [--minutes M] BACKENDS.

Ends with 0 if nothing crashed, hung, leaked or was lost: every request got one answer or one error that says why.
"""

import argparse
import collections
import json
import socket
import threading
import time

import numpy as np
import tritonclient.grpc as grpc
from server import Server, ask, config, digits, tensors

X = digits()
ASKED = {"sigma": 0.25, "n": 20_000}
CONFIG = config(
    "dynamic_batching { default_queue_policy { max_queue_size: 32 } }",
    max_running=4, max_jobs=64, timeout_ms=3000, batch=256,
)  # fmt: skip
STREAM = config("model_transaction_policy { decoupled: true }", timeout_ms=2000, max_n=10**9, max_samples=10**10)
LIMITS = ("busy", "queue size", "timeout", "expired")  # what an overloaded server may say
LEFT = ("cancel",)
ENDING = ("not ready", "shutting down", "unavailable", "connection", "socket closed", "cancel")


class Soak:
    def __init__(self, backends, minutes):
        self.server = Server(backends, "--exit-timeout-secs", "2")
        self.server.load("digits", CONFIG)
        self.server.load("stream", STREAM)
        self.until = time.monotonic() + 60 * minutes
        self.lock = threading.Lock()
        self.sent, self.answers, self.errors = 0, 0, collections.Counter()
        self.unexplained = collections.Counter()
        self.ending = False
        self.counts = collections.Counter()

    def running(self):
        return time.monotonic() < self.until

    def done(self, result, error):
        with self.lock:
            if error is None:
                self.answers += 1
                return
            text = str(error).lower()
            known = [word for word in (*LIMITS, *LEFT, *(ENDING if self.ending else ())) if word in text]
            (self.errors if known else self.unexplained)[known[0] if known else str(error)] += 1

    def send(self, client):
        with self.lock:
            self.sent += 1
        return client.async_infer("digits", callback=self.done, parameters=ASKED, **tensors(grpc, X, ["radius"]))

    def capacity(self):
        """Answers a second with four requests at a time."""
        answers = []

        def one():
            client = self.server.http_client()
            end = time.monotonic() + 4
            while time.monotonic() < end:
                ask(client, "digits", X, ["radius"], **ASKED)
                answers.append(1)

        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(answers) / 4

    def flood(self, rate):
        """Requests at this rate, whatever comes back."""
        due = time.monotonic()
        while self.running() or self.ending:
            self.send(self.server.grpc)
            due += 1 / rate
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            if self.ending and time.monotonic() > self.until + 2:
                return

    def cancel(self):
        """Calls that are dropped, one at a time: see docs/triton.md for why."""
        client = grpc.InferenceServerClient(f"127.0.0.1:{self.server.ports[1]}")
        while self.running():
            call = self.send(client)
            time.sleep(0.1)
            call.cancel()
            self.counts["cancelled calls"] += 1
        client.close()

    def connection(self, path, body, part=1.0):
        one = socket.create_connection(("127.0.0.1", self.server.ports[0]), timeout=30)
        text = json.dumps(body)
        head = f"POST /v2/models/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(text)}\r\n\r\n"
        one.sendall((head + text[: int(len(text) * part)]).encode())
        return one

    def leave(self):
        """HTTP clients that go away: in the middle of a body, after it, in a stream that they never read."""
        data = {"name": "image", "shape": [1, 1, 8, 8], "datatype": "FP32", "data": X.ravel().tolist()}
        infer = ("digits/infer", {"inputs": [data], "parameters": ASKED})
        events = (
            "stream/generate_stream",
            {"image": X.ravel().tolist(), "parameters": {"sigma": 0.25, "n": 10**8, "rule": "tolerance:0"}},
        )
        slow = collections.deque()
        while self.running():
            self.connection(*infer).close()
            self.connection(*events).close()
            slow.append(self.connection(*infer, part=0.5))
            slow.append(self.connection(*events))
            self.counts["clients that left"] += 4
            while len(slow) > 20:
                slow.popleft().close()
            time.sleep(0.2)
        for one in slow:
            one.close()

    def reload(self):
        client = self.server.http_client()
        i = 0
        while self.running():
            time.sleep(2)
            i += 1
            (self.server.models / "digits/config.pbtxt").write_text(CONFIG + f"\n# {i}")
            client.load_model("digits")
            self.counts["reloads"] += 1

    def run(self):
        capacity = self.capacity()
        threads = [threading.Thread(target=self.flood, args=(10 * capacity,))]
        threads += [threading.Thread(target=work) for work in (self.cancel, self.leave, self.reload)]
        for thread in threads:
            thread.start()
        memory = []
        while self.running():
            time.sleep(1)
            assert self.server.process.poll() is None, self.server.text()[-3000:]
            memory.append(self.server.memory() >> 20)
        # The end, under load: Triton waits for what it has, and no longer than it was told.
        self.ending = True
        began = time.monotonic()
        self.server.process.terminate()
        status = self.server.process.wait(60)
        ended = time.monotonic() - began
        for thread in threads:
            thread.join(60)
        deadline = time.monotonic() + 30
        while self.answers + sum(self.errors.values()) + sum(self.unexplained.values()) < self.sent:
            assert time.monotonic() < deadline, "requests were lost"
            time.sleep(0.05)
        half = len(memory) // 2
        before, after = np.median(memory[half // 2 : half]), np.median(memory[-max(1, half // 2) :])
        print(f"capacity {capacity:.0f} answers/s; sent {self.sent} at ten times that, {self.answers} answers")
        print("errors:", dict(self.errors), "unexplained:", dict(self.unexplained))
        print(dict(self.counts), f"memory {before:.0f} MiB at a third, {after:.0f} MiB at the end")
        print(f"shutdown under load: status {status} after {ended:.1f} s")
        assert not self.unexplained
        assert status >= 0, f"ended by signal {-status}"
        assert self.answers > 0
        assert after < 1.3 * before + 64, "memory grows"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("backends")
    given = parser.parse_args()
    soak = Soak(given.backends, given.minutes)
    try:
        soak.run()
        print("soak: passed")
    finally:
        soak.server.close()
