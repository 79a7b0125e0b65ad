#!/usr/bin/env python3
"""Tests of the C++ server with Triton's own HTTP client: test_server.py SERVER. Runs in the repository's root."""

import gzip
import http.client
import json
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import zlib

import numpy as np
import tritonclient.http as triton
from prometheus_client.parser import text_string_to_metric_families
from tritonclient.utils import InferenceServerException

SERVER = "target/cpp/server/smoothtopk-server"
DIGITS = "digits=demo/digits_mlp_sigma0.25.onnx"
SLOW = "slow=tests/models/slow.onnx"
ENDLESS = {"sigma": 0.25, "n": 1_000_000, "n0": 1, "input_max": 1000}


class Running:
    """A server on a free port."""

    def __init__(self, *arguments, log=None):
        command = [SERVER, "--port", "0", "--model", DIGITS, "--model", SLOW, "--drain-ms", "100", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log or subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.address = line.split()[-1]
        self.connections = []
        self.client = triton.InferenceServerClient(self.address, concurrency=1, network_timeout=60)

    def stop(self):
        """Sends SIGTERM; gives the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        self.process.stdout.close()
        for connection in self.connections:
            connection.close()
        return status

    def connect(self):
        host, port = self.address.split(":")
        connection = socket.create_connection((host, int(port)), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections.append(connection)
        return connection

    def memory(self):
        """The most bytes that the process has had in memory."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) * 1024

    def stats(self, model):
        stats = self.client.get_inference_statistics(model)["model_stats"][0]["inference_stats"]
        return {name: value["count"] for name, value in stats.items()}

    def ready(self):
        """Whether it is ready, on a connection of its own."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        connection.request("GET", "/v2/health/ready")
        status = connection.getresponse().status
        connection.close()
        return status

    def post(self, body, path="/v2/models/digits/infer", headers=None):
        connection = http.client.HTTPConnection(self.address, timeout=30)
        connection.request("POST", path, body, headers or {})
        response = connection.getresponse()
        answer = response.status, json.loads(response.read())
        connection.close()
        return answer


def digits(count):
    return np.load("demo/digits_test200.npz")["images"][:count].astype(np.float32) / 16


def image_input(x, binary=True):
    tensor = triton.InferInput("image", list(x.shape), "FP32")
    tensor.set_data_from_numpy(x, binary_data=binary)
    return tensor


def slow_input():
    tensor = triton.InferInput("x", [1, 64], "FP32")
    tensor.set_data_from_numpy(np.full((1, 64), 1000, np.float32))
    return tensor


def counts(answer):
    """The counts of each input, as docs/record.md has them."""
    return [json.loads(text) for text in answer.as_numpy("counts")]


def status_of(connection):
    """The status that comes on a connection; None where it is closed without."""
    with connection.makefile("rb") as answer:
        try:
            return int(answer.readline().split()[1])
        except (IndexError, ConnectionResetError):
            return None


def head(length, path="/v2/models/digits/infer", *more):
    """A POST's header; a length of None is for a body in chunks."""
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", size, *more, "", ""]).encode()


class Drips:
    """Clients that send a byte of a request now and then: some of its header, some of its body."""

    def __init__(self, server, count):
        self.connections = [server.connect() for _ in range(count)]
        for i, connection in enumerate(self.connections):
            connection.sendall(b"GET /v2 HTTP/1.1\r\nX: " if i % 2 else head(1_000_000))
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.drip)
        self.thread.start()

    def drip(self):
        while not self.ended.wait(0.05):
            for connection in self.connections:
                try:
                    connection.send(b" ")
                except OSError:
                    pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


class ServerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Running("--max-body", "1000000", "--max-samples", "2000000")
        cls.client = cls.server.client

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        status = cls.server.stop()
        assert status == 0, status

    def refused(self, status, text, *arguments, **keywords):
        with self.assertRaises(InferenceServerException) as caught:
            self.client.infer(*arguments, **keywords)
        self.assertEqual(caught.exception.status(), str(status))
        self.assertIn(text, caught.exception.message())

    def test_health_and_metadata(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("digits"))
        self.assertTrue(self.client.is_model_ready("digits", "1"))
        self.assertFalse(self.client.is_model_ready("nothing"))
        self.assertIn("binary_tensor_data", self.client.get_server_metadata()["extensions"])
        model = self.client.get_model_metadata("digits")
        self.assertEqual(model["inputs"][0], {"name": "image", "datatype": "FP32", "shape": [-1, 1, 8, 8]})
        self.assertIn({"name": "counts", "datatype": "BYTES", "shape": [-1]}, model["outputs"])

    def test_certify_in_binary_and_in_json(self):
        x = digits(3)
        parameters = {"sigma": 0.25, "k": "1,3", "n": 2000, "n0": 50, "alpha": 0.01, "seed": 7, "allocation": "simuem"}
        binary = self.client.infer("digits", [image_input(x)], parameters=parameters, request_id="a")
        names = ("labels", "abstain", "radius", "counts", "json")
        wanted = [triton.InferRequestedOutput(name, binary_data=False) for name in names]
        plain = self.client.infer("digits", [image_input(x, binary=False)], outputs=wanted, parameters=parameters)
        self.assertEqual(binary.get_response()["id"], "a")
        self.assertEqual(binary.as_numpy("counted").tolist(), [2000] * 3)
        self.assertIsNone(binary.as_numpy("json"))
        for name, shape in (("labels", (3, 1)), ("abstain", (3, 2)), ("radius", (3, 2)), ("counts", (3,))):
            self.assertEqual(binary.as_numpy(name).shape, shape)
            if name != "counts":
                np.testing.assert_array_equal(binary.as_numpy(name), plain.as_numpy(name))
        self.assertEqual(counts(binary), counts(plain))
        self.assertEqual([sum(each["labels"]) for each in counts(binary)], [2000] * 3)
        radius = binary.as_numpy("radius")
        self.assertTrue((radius[:, 1] >= radius[:, 0]).all() and (radius[:, 1] > 0).all())
        np.testing.assert_array_equal(binary.as_numpy("abstain"), radius == 0)
        record = json.loads(plain.as_numpy("json")[1])
        self.assertEqual(record["counts"], counts(binary)[1])
        self.assertEqual(record["counts"]["format"], "smoothtopk-counts")
        self.assertEqual(record["certificates"][0]["allocation"], "simuem")
        draws = record["counts"]["draws"][0]
        self.assertEqual((draws["stream"], draws["samples"]), (1, [[0, 2000]]))
        self.assertNotIn("secret", draws)

    def test_labels_fixed_beforehand_and_one_input_without_batch(self):
        label = triton.InferInput("label", [2], "INT64")
        label.set_data_from_numpy(np.array([4, -1]))
        parameters = {"sigma": 0.25, "n": 500, "seed": 7}
        fixed = self.client.infer("digits", [image_input(digits(2)), label], parameters=parameters)
        self.assertEqual(fixed.as_numpy("labels")[0, 0], 4)
        one = self.client.infer("digits", [image_input(digits(1)[0])], parameters=parameters)
        self.assertEqual(counts(one)[0], counts(fixed)[0])

    def test_predict(self):
        parameters = {"sigma": 0.25, "k": 3, "n": 2000, "seed": 7, "task": "predict", "rule": "fixed"}
        got = self.client.infer("digits", [image_input(digits(2))], parameters=parameters)
        tallies = np.array([each["labels"] for each in counts(got)])
        np.testing.assert_array_equal(
            np.sort(got.as_numpy("labels")), np.sort(np.argsort(-tallies, kind="stable")[:, :3])
        )
        self.assertEqual(got.as_numpy("p_value").shape, (2, 1))
        self.assertIsNone(got.as_numpy("radius"))
        self.assertEqual(got.as_numpy("samples").tolist(), [[2000]] * 2)

    def test_a_predict_ends_by_its_rule_or_when_it_is_due(self):
        plain = self.client.infer(
            "digits", [image_input(digits(1))], parameters={"sigma": 0.25, "n": 1_000_000, "task": "predict"}
        )
        self.assertEqual(plain.as_numpy("decision").tolist(), [[b"settled"]])
        self.assertLess(plain.as_numpy("samples")[0, 0], 1_000_000)
        self.assertEqual(plain.as_numpy("late").tolist(), [False])

    def test_rules_and_noise_reach_the_library(self):
        parameters = {
            "noise": "gaussian:0.25",
            "n": 20_000,
            "rule": "radius:0.05",
            "levels": 255,
            "generator": "chacha12",
        }
        names = ("decision", "radius", "json")
        wanted = [triton.InferRequestedOutput(name) for name in names]
        image = np.round(digits(1) * 255).astype(np.float32) / 255
        got = self.client.infer("digits", [image_input(image)], outputs=wanted, parameters=parameters)
        self.assertEqual(got.as_numpy("decision").tolist(), [[b"certified"]])
        self.assertGreaterEqual(got.as_numpy("radius")[0, 0], 0.05)
        record = json.loads(got.as_numpy("json")[0])
        self.assertEqual(record["request"]["rule"], "radius:0.05")
        self.assertEqual(record["counts"]["draws"][0]["generator"], "chacha12")

    def test_certify_answer(self):
        parameters = {"sigma": 0.25, "k": "3,1", "n": 2000, "n0": 0, "seed": 7, "task": "certify_answer"}
        x = digits(2)
        got = self.client.infer("digits", [image_input(x)], parameters=parameters)
        wanted = [triton.InferRequestedOutput("json")]
        records = self.client.infer("digits", [image_input(x)], outputs=wanted, parameters=parameters).as_numpy("json")
        for i, record in enumerate(records):
            guarantees = json.loads(record)["guarantees"]
            self.assertEqual(got.as_numpy("labels")[i].tolist(), guarantees[0]["labels"])
            for name, field in (
                ("radius", "set_radius"),
                ("first_radius", "first_radius"),
                ("ranking_radius", "ranking_radius"),
            ):
                self.assertEqual(got.as_numpy(name)[i].tolist(), [each[field] for each in guarantees])
        self.assertTrue((got.as_numpy("first_radius") > 0).all())
        self.assertIsNone(got.as_numpy("decision"))

    def test_outputs_are_as_the_metadata_says(self):
        model = {each["name"]: each for each in self.client.get_model_metadata("digits")["outputs"]}
        seen = set()
        for task in ("certify", "predict", "certify_answer"):
            parameters = {"sigma": 0.25, "n": 200, "task": task, "k": "1,2"}
            for output in self.client.infer("digits", [image_input(digits(2))], parameters=parameters).get_response()[
                "outputs"
            ]:
                seen.add(output["name"])
                self.assertEqual(output["datatype"], model[output["name"]]["datatype"])
                self.assertEqual(len(output["shape"]), len(model[output["name"]]["shape"]))
        self.assertEqual(seen | {"json"}, set(model))

    def test_packed_bodies(self):
        parameters = {"sigma": 0.25, "n": 200, "seed": 7}
        plain = self.client.infer("digits", [image_input(digits(2))], parameters=parameters)
        for algorithm in ("gzip", "deflate"):
            packed = self.client.infer(
                "digits", [image_input(digits(2))], parameters=parameters, request_compression_algorithm=algorithm
            )
            self.assertEqual(counts(packed), counts(plain))
        body = json.dumps(
            {
                "inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 1, 8, 8], "data": [0.5] * 64}],
                "parameters": parameters,
            }
        ).encode()
        bare = zlib.compressobj(wbits=-15)
        for encoding, packed, status in (
            ("deflate", bare.compress(body) + bare.flush(), 200),
            ("gzip", gzip.compress(body)[:-9], 400),
            ("gzip", body, 400),
            ("gzip", gzip.compress(body) + b"more", 400),
            ("gzip", gzip.compress(bytes(100_000_000), 1), 413),
            ("br", body, 415),
        ):
            self.assertEqual(self.server.post(packed, headers={"Content-Encoding": encoding})[0], status, encoding)

    def test_32_clients_at_once_get_what_one_gets(self):
        x = digits(32)

        def ask(client, i):
            parameters = {"sigma": 0.25, "k": "1,2", "n": 1000, "seed": 7, "stream": i}
            got = client.infer("digits", [image_input(x[i : i + 1])], parameters=parameters)
            return counts(got), got.as_numpy("radius").tolist()

        together, barrier = [None] * 32, threading.Barrier(32)

        def run(i):
            client = triton.InferenceServerClient(self.server.address)
            barrier.wait()
            together[i] = [ask(client, i) for _ in range(3)]
            client.close()

        threads = [threading.Thread(target=run, args=(i,)) for i in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for i in range(32):
            self.assertEqual(together[i], [ask(self.client, i)] * 3)

    def test_timeout(self):
        start = time.monotonic()
        self.refused(504, "timeout", "slow", [slow_input()], parameters=ENDLESS, timeout=100_000)
        self.assertGreaterEqual(time.monotonic() - start, 0.1)

    def test_disconnect_cancels(self):
        before = self.server.stats("slow")["cancel"]
        header = {
            "inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 64], "data": [1000] * 64}],
            "parameters": ENDLESS,
        }
        body = json.dumps(header).encode()
        host, port = self.server.address.split(":")
        for _ in range(3):
            with socket.create_connection((host, int(port))) as connection:
                head = f"POST /v2/models/slow/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body)
                time.sleep(0.1)
        # The run itself would take for ever, and the longest timeout is a minute.
        end = time.monotonic() + 20
        while self.server.stats("slow")["cancel"] < before + 3 and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(self.server.stats("slow")["cancel"], before + 3)

    def test_refusals(self):
        x = [image_input(digits(1))]
        good = {"sigma": 0.25, "n": 100}
        self.refused(404, "no model 'nothing'", "nothing", x, parameters=good)
        self.refused(400, "sigma", "digits", x, parameters={"n": 100})
        self.refused(400, "sigma", "digits", x, parameters={**good, "sigma": -1})
        self.refused(400, "alpha", "digits", x, parameters={**good, "alpha": 2})
        self.refused(400, "'k'", "digits", x, parameters={**good, "k": "1,,2"})
        self.refused(400, "k", "digits", x, parameters={**good, "k": 0})
        self.refused(400, "allocation", "digits", x, parameters={**good, "allocation": "best"})
        self.refused(400, "'task'", "digits", x, parameters={**good, "task": "guess"})
        self.refused(400, "'seed'", "digits", x, parameters={**good, "seed": "99999999999999999999"})
        self.refused(400, "'seed'", "digits", x, parameters={**good, "seed": -1})
        self.refused(400, "'no_such' is unknown", "digits", x, parameters={**good, "no_such": 1})
        self.refused(400, "samples", "digits", x, parameters={**good, "n": 3_000_000})
        self.refused(400, "shape", "digits", [image_input(np.zeros((1, 8, 8, 1), np.float32))], parameters=good)
        self.refused(
            400,
            "FP64",
            "digits",
            [triton.InferInput("image", [1], "FP64").set_data_from_numpy(np.zeros(1))],
            parameters=good,
        )
        self.refused(400, "is missing", "digits", [], parameters=good)
        # Before any work: this run has no end.
        self.refused(
            400,
            "'p_value'",
            "slow",
            [slow_input()],
            outputs=[triton.InferRequestedOutput("p_value")],
            parameters=ENDLESS,
        )
        self.refused(400, "inputs", "digits", [image_input(np.zeros((257, 1, 8, 8), np.float32))], parameters=good)
        self.refused(400, "rule", "digits", x, parameters={**good, "rule": "forever"})
        self.refused(400, "noise", "digits", x, parameters={"noise": "dice:1"})
        self.refused(400, "'seed'", "digits", x, parameters={**good, "seed": 1, "generator": "chacha12"})
        self.refused(400, "'no_such'", "digits", x, outputs=[triton.InferRequestedOutput("no_such")], parameters=good)
        self.refused(400, "finite", "digits", [image_input(np.full((1, 1, 8, 8), np.nan, np.float32))], parameters=good)
        self.refused(413, "larger", "digits", [image_input(np.zeros((5000, 1, 8, 8), np.float32))], parameters=good)
        # What is sent after the refusals is served.
        self.client.infer("digits", x, parameters=good, priority=1)

    def test_malformed_bodies(self):
        image = {"name": "image", "datatype": "FP32", "shape": [1, 1, 8, 8], "data": [0.5] * 64}
        good = {"inputs": [image], "parameters": {"sigma": 0.25, "n": 100}}
        self.assertEqual(self.server.post(json.dumps(good))[0], 200)
        nested = np.full((1, 1, 8, 8), 0.5).tolist()
        self.assertEqual(self.server.post(json.dumps({**good, "inputs": [{**image, "data": nested}]}))[0], 200)
        bodies = [
            "",
            "{",
            "[]",
            "null",
            "7",
            '{"inputs": 3}',
            '{"inputs": [3]}',
            '{"inputs": [{}]}',
            "[" * 100_000,
            b"\xff\xfe",
        ]
        for change in (
            {"shape": None},
            {"shape": [0]},
            {"shape": [-1, 64]},
            {"shape": [2**62, 2**62]},
            {"shape": [1, 1, 8, 9]},
            {"data": None},
            {"data": ["a"] * 64},
            {"data": [0.5] * 63},
            {"name": 5},
            {"datatype": "FP32 "},
            {"parameters": {"binary_data_size": 256}},
            {"parameters": {"binary_data_size": -1}},
            {"shape": [1] * 17},
        ):
            bodies.append(json.dumps({**good, "inputs": [{**image, **change}]}))
        bodies += [
            json.dumps({**good, "parameters": p})
            for p in (3, {"sigma": "x"}, {"sigma": 0.25, "n": 1.5}, {"sigma": 0.25, "n": {}})
        ]
        bodies += [json.dumps({**good, "outputs": o}) for o in (3, [3], [{"name": 3}], [{}])]
        for body in bodies:
            status, answer = self.server.post(body)
            self.assertEqual((status, list(answer)), (400, ["error"]), body[:200])
        for length in ("x", "-1", "99999999999999999999999", "1000000", "5"):
            status, answer = self.server.post(json.dumps(good), headers={"Inference-Header-Content-Length": length})
            self.assertEqual((status, list(answer)), (400, ["error"]), length)
        self.assertEqual(self.server.post("{}", path="/v2/no/such/path")[0], 404)
        self.assertEqual(self.server.post("{}", path="/v2/health/live")[0], 405)
        ragged = [
            [[[0.5] * 8] * 7 + [[0.5] * 4, [0.5] * 4]],
            [[[0.5] * 64]],
            [[0.5] * 60, 0.5, 0.5, 0.5, 0.5],
            [[[[0.5]]] * 63 + [[0.5]]],
        ]
        for data in ragged:
            status, answer = self.server.post(json.dumps({**good, "inputs": [{**image, "data": data}]}))
            self.assertEqual(status, 400, answer)
        self.assertEqual(self.server.post(json.dumps(good))[0], 200)

    def test_requests_one_after_another_on_a_connection(self):
        body = json.dumps(
            {"inputs": [{"name": "image", "datatype": "FP32", "shape": [64], "data": [0.5] * 64}]}
        ).encode()
        with self.server.connect() as connection:
            connection.sendall(
                head(len(body)) + body + b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            text = connection.makefile("rb").read()
        self.assertEqual(re.findall(rb"HTTP/1.1 (\d+)", text), [b"400", b"200"])
        with self.server.connect() as connection:
            connection.sendall(head(len(body), "/v2/models/digits/infer", "Expect: 100-continue"))
            self.assertEqual(status_of(connection), 100)


class StreamTest(unittest.TestCase):
    """Interim answers as server-sent events."""

    def setUp(self):
        self.server = Running()
        self.addCleanup(lambda: self.assertEqual(self.server.stop(), 0))

    def ask(self, **parameters):
        """The response to a request for a stream, still to be read."""
        x = digits(1).reshape(1, 1, 8, 8)
        tensor = {"name": "image", "datatype": "FP32", "shape": list(x.shape), "data": x.ravel().tolist()}
        body = json.dumps({"parameters": {"sigma": 0.25, **parameters}, "inputs": [tensor]})
        connection = http.client.HTTPConnection(self.server.address, timeout=60)
        self.addCleanup(connection.close)
        connection.request("POST", "/v2/models/digits/infer_stream", body)
        return connection, connection.getresponse()

    @staticmethod
    def events(response):
        """Each event as it comes: its name, and its outputs by name."""
        name = None
        for line in response:
            key, _, text = line.decode().strip().partition(": ")
            if key == "event":
                name = text
            elif key == "data":
                body = json.loads(text)
                yield name, {each["name"]: each["data"] for each in body.get("outputs", [])} or body

    def test_interim_answers_come_before_the_final_one(self):
        _, response = self.ask(rule="tolerance:0", n=10**7 - 100, timeout=1_500_000, seed="7")
        self.assertEqual((response.status, response.headers["Content-Type"]), (200, "text/event-stream"))
        found = list(self.events(response))
        *interim, (last, final) = found
        self.assertGreater(len(interim), 2)
        self.assertEqual(({name for name, _ in interim}, last), ({"interim"}, "final"))
        samples = [each["counted"][0] for _, each in found]
        self.assertEqual(samples, sorted(samples))
        self.assertEqual({each["decision"][0] for _, each in interim}, {"open"})
        # Late, but where all samples take less time.
        self.assertEqual(final["decision"], ["undecided" if final["late"][0] else "reached"])
        for _, each in interim:
            self.assertEqual((each["labels"], each["late"]), (final["labels"], [False]))

    def test_what_has_no_interim_answers_is_refused(self):
        for parameters, message in [
            ({"n": 500}, "for all n samples and for no fewer"),
            ({"rule": "tolerance:0", "binary_data_output": True}, "JSON"),
            ({"rule": "never"}, "rule"),
        ]:
            _, response = self.ask(**parameters)
            self.assertEqual(response.status, 400)
            self.assertIn(message, json.load(response)["error"])

    def test_a_client_that_goes_away_cancels_its_run(self):
        connection, response = self.ask(rule="tolerance:0", n=10**7 - 100, alpha=1e-12)
        self.assertEqual(next(self.events(response))[0], "interim")
        response.close()
        connection.close()
        deadline = time.monotonic() + 30
        while self.server.client.get_inference_statistics("digits")["model_stats"][0]["inference_stats"]["cancel"]["count"] < 1:
            self.assertLess(time.monotonic(), deadline, "its run goes on")
            time.sleep(0.01)


class MetricsTest(unittest.TestCase):
    def test_prometheus_reads_the_metrics(self):
        server = Running()
        self.addCleanup(lambda: self.assertEqual(server.stop(), 0))
        answer = server.client.infer("digits", [image_input(digits(2))], parameters={"sigma": 0.25, "n": 300, "n0": 20})
        self.assertEqual(answer.as_numpy("labels").shape[0], 2)
        connection = http.client.HTTPConnection(server.address, timeout=60)
        self.addCleanup(connection.close)
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        self.assertEqual((response.status, response.headers["Content-Type"]), (200, "text/plain; version=0.0.4"))
        families = {family.name: family for family in text_string_to_metric_families(response.read().decode())}
        values = {
            (name, sample.labels["model"]): sample.value for name, family in families.items() for sample in family.samples
        }
        self.assertEqual(len(families), 14)
        for family in families.values():
            self.assertTrue(family.documentation and family.type in ("counter", "gauge"), family)
        self.assertEqual(values["smoothtopk_requests_answered", "digits"], 1)
        self.assertEqual(values["smoothtopk_samples", "digits"], 2 * 320)
        self.assertEqual(values["smoothtopk_jobs_ended", "digits"], 2)
        self.assertEqual(values["smoothtopk_samples", "slow"], 0)
        connection.request("POST", "/metrics", "{}")
        self.assertEqual(connection.getresponse().status, 405)


class LogTest(unittest.TestCase):
    def test_each_request_has_an_id_that_is_logged(self):
        with tempfile.TemporaryFile("w+") as log:
            server = Running(log=log)
            tensor = {"name": "image", "shape": [1, 1, 8, 8], "datatype": "FP32", "data": [0.5] * 64}
            question = json.dumps({"parameters": {"sigma": 0.25, "rule": "tolerance:0.05"}, "inputs": [tensor]})
            model, asked = "/v2/models/digits", []
            for given, path, body in [
                ("of-a-client/7", model + "/infer", question),
                ("", model + "/infer", "{"),
                ("x" * 200, "/nothing?a=1", ""),
                ("no \u00e9", model + "/infer_stream", question),
            ]:
                connection = http.client.HTTPConnection(server.address, timeout=30)
                connection.request("POST", path, body, {"X-Request-Id": given.encode()} if given else {})
                response = connection.getresponse()
                response.read()
                found = response.headers.get("X-Request-Id")
                self.assertEqual(found == given, given == "of-a-client/7", found)
                asked.append((found, "POST", path.partition("?")[0], response.status))
                connection.close()
            raw = server.connect()
            raw.sendall(b"nonsense\r\n\r\n")
            self.assertEqual(status_of(raw), 400)
            leaving = server.connect()
            slow = {"name": "x", "shape": [1, 64], "datatype": "FP32", "data": [1000] * 64}
            body = json.dumps({"parameters": ENDLESS, "inputs": [slow]})
            head = f"POST /v2/models/slow/infer HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
            leaving.sendall((head + body).encode())
            time.sleep(0.3)
            leaving.close()
            self.assertEqual(server.stop(), 0)
            log.seek(0)
            lines = [line for line in map(json.loads, log) if line["path"] != "/v2/health/ready"]
        self.assertEqual([(line["id"], line["method"], line["path"], line["status"]) for line in lines[:4]], asked)
        self.assertEqual([line["status"] for line in lines[4:]], [400, 0], lines[4:])
        self.assertTrue(all(line["msg"] == "request" and line["ms"] >= 0 and line["time"] for line in lines))


class AbuseTest(unittest.TestCase):
    def test_64_clients_that_drip(self):
        server = Running()
        with Drips(server, 64):
            self.assertEqual(server.post("", "/v2/health/live")[0], 405)
            self.assertTrue(server.client.is_server_live())
            start = time.monotonic()
            self.assertEqual(server.stop(), 0)
            # What is promised is 5 s; a busy machine has some more.
            self.assertLess(time.monotonic() - start, 10)

    def test_a_request_that_takes_too_long_and_one_connection_too_many(self):
        server = Running("--head-ms", "300", "--receive-ms", "300", "--idle-ms", "300")
        idle = server.connect()
        with Drips(server, 4) as drips:
            self.assertEqual([status_of(each) for each in drips.connections], [408] * 4)
        self.assertIsNone(status_of(idle))
        self.assertEqual(server.stop(), 0)
        server = Running("--max-connections", "8", "--grace-ms", "100")
        with Drips(server, 8) as drips:
            self.assertTrue(server.client.is_server_live())
            self.assertIsNone(status_of(drips.connections[0]))
        self.assertEqual(server.stop(), 0)

    def test_a_client_that_takes_no_replies(self):
        server = Running("--send-ms", "300")
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        host, port = server.address.split(":")
        connection.connect((host, int(port)))
        server.connections.append(connection)
        # Replies fill the buffers on the way; then the server waits, and takes no more requests.
        with self.assertRaises((ConnectionResetError, BrokenPipeError)):
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 1_000_000)
        self.assertTrue(server.client.is_server_live())
        self.assertEqual(server.stop(), 0)

    def test_a_body_of_600_mb_in_chunks(self):
        server = Running()
        before = server.memory()
        chunk, sent = b"100000\r\n" + bytes(1 << 20) + b"\r\n", 0
        with server.connect() as connection:
            connection.sendall(head(None))
            while sent < 600 and not select.select([connection], [], [], 0)[0]:
                connection.sendall(chunk)
                sent += 1
            self.assertEqual(status_of(connection), 413)
        self.assertIn(sent, range(64, 100))
        # What was taken in, and what it grew by.
        self.assertLess(server.memory() - before, 3 * (64 << 20))
        with server.connect() as connection:
            connection.sendall(head(600_000_000))
            self.assertEqual(status_of(connection), 413)
        self.assertEqual(server.stop(), 0)

    def test_deep_and_huge_json(self):
        server = Running()
        before = server.memory()
        input_of = '{"inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 1, 8, 8], "data": '
        for body in (
            "[" * 15_000_000,
            '{"a":' * 3_000_000,
            input_of + "[" * 15_000_000,
            input_of + "[0" + ",0" * 7_500_000,
            "[" + "0," * 7_500_000,
            '{"id": "' + "x" * 15_000_000,
        ):
            status, answer = server.post(body)
            self.assertEqual((status, list(answer)), (400, ["error"]), body[:100])
        # Of each, the body and little else.
        self.assertLess(server.memory() - before, 150_000_000)
        self.assertEqual(server.stop(), 0)

    def test_more_bodies_than_are_held_at_once(self):
        server = Running("--max-bodies", "1000000")
        connections = [server.connect() for _ in range(4)]
        for connection in connections:
            connection.sendall(head(400_000) + bytes(399_999))
        readable = select.select(connections, [], [], 20)[0]
        self.assertEqual([status_of(each) for each in readable], [503] * len(readable))
        self.assertIn(len(readable), (1, 2))
        self.assertEqual(server.stop(), 0)


class ShutdownTest(unittest.TestCase):
    def test_idle(self):
        server = Running()
        self.assertTrue(server.client.is_server_ready())
        self.assertEqual(server.stop(), 0)

    def test_clients_that_watch_ready_are_not_reset(self):
        server = Running("--drain-ms", "2000")
        errors, told = [], []

        def client():
            try:
                while server.ready() == 200:
                    time.sleep(0.02)
                told.append(True)
            except OSError as error:
                errors.append(error)

        threads = [threading.Thread(target=client) for _ in range(100)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        self.assertEqual(server.stop(), 0)
        for thread in threads:
            thread.join()
        self.assertEqual((len(told), errors), (100, []))

    def shut_down_under(self, model, tensor, parameters, *arguments):
        server = Running(*arguments)
        answers = []

        def ask():
            try:
                answers.append(server.client.infer(model, [tensor], parameters=parameters))
            except InferenceServerException as error:
                answers.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.3)
        self.assertEqual(server.stop(), 0)
        thread.join()
        return answers[0]

    def test_runs_under_way_finish(self):
        parameters = {"sigma": 0.25, "n": 400_000, "seed": 7}
        answer = self.shut_down_under("digits", image_input(digits(1)), parameters, "--grace-ms", "30000")
        self.assertEqual(counts(answer)[0]["n"], 400_000)

    def test_runs_that_take_longer_are_cancelled(self):
        answer = self.shut_down_under("slow", slow_input(), ENDLESS, "--grace-ms", "200")
        self.assertEqual(answer.status(), "503")

    def test_bad_arguments(self):
        for arguments in (
            [],
            ["--model"],
            ["--model", "x"],
            ["--model", "x=no/such.onnx"],
            ["--port", "x"],
            ["--what", "1"],
        ):
            done = subprocess.run([SERVER, *arguments], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn("smoothtopk-server: ", done.stderr)

    def test_help(self):
        done = subprocess.run([SERVER, "--help"], capture_output=True, text=True, timeout=30)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for option in ("--model NAME=PATH", "--max-body BYTES", "--head-ms MS", "--grace-ms MS"):
            self.assertIn(option, done.stdout)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        SERVER = sys.argv.pop(1)
    unittest.main()
