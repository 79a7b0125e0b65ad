#!/usr/bin/env python3
"""Tests of the Triton backend on a real server: test_backend.py BACKENDS [TEST]..."""

import json
import pathlib
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import in_process
import ml_dtypes
import numpy as np
import tritonclient.grpc as grpc
import tritonclient.http as http
import tritonclient.utils.shared_memory as shm
from server import DIGITS, ROOT, SLOW, TRITON, Server, ask, config, digits, endless, tensors
from tritonclient.utils import InferenceServerException

BACKENDS = ""
SEEDED = {"allow_seed": "true"}
# What the slow model is asked: an input that takes many seconds, within a second.
SLOW_CONFIG = {"sigma": 0.25, "input_max": 1000, "n": 1000, "n0": 1, "max_timeout_ms": 120_000, "threads": 1}
X = digits()


class OnOneServer(unittest.TestCase):
    """One server for all of these tests, with a model of its own for each that needs one."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(BACKENDS)
        cls.http, cls.grpc = cls.server.http, cls.server.grpc
        cls.server.load("digits", config(batch=64, **SEEDED))

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        self.name = self.id().rpartition(".")[2]

    def load(self, more="", file=DIGITS, versions=(1,), **parameters):
        # A batch that is given is not measured.
        return self.server.load(self.name, config(more, **{"batch": 64, **parameters}), file, versions)

    def load_slow(self, more="", **parameters):
        return self.load(more, SLOW, **{**SLOW_CONFIG, **parameters})

    def refused(self, *words, client=None, model="digits", x=X, **asked):
        for one in [client] if client else [self.http, self.grpc]:
            with self.assertRaises(InferenceServerException) as caught:
                ask(one, model, x, **asked)
            for word in words:
                self.assertIn(word, str(caught.exception))

    def not_loaded(self, *words, more="", **parameters):
        with self.assertRaises(InferenceServerException) as caught:
            self.load(more, **parameters)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def idle(self, model):
        return self.server.until(
            lambda: self.server.metric("smoothtopk_requests_running", model) == 0, f"{model} has nothing to do"
        )

    # -- Models and answers.

    def test_config_is_completed(self):
        self.load()
        metadata = self.http.get_model_metadata(self.name)
        self.assertEqual([i["name"] for i in metadata["inputs"]], ["image", "label"])
        self.assertEqual(metadata["inputs"][0]["shape"], [-1, 1, 8, 8])
        names = [o["name"] for o in metadata["outputs"]]
        for name in ("labels", "abstain", "radius", "set_radius", "counts", "json"):
            self.assertIn(name, names)
        self.assertEqual(self.http.get_model_config(self.name)["max_batch_size"], 64)

    def test_answer_is_that_of_the_library(self):
        expected = in_process.radius(BACKENDS, DIGITS, X, 0.25, 2000, 7)
        self.assertGreater(expected, 0.1)
        for client in (self.http, self.grpc):
            answer = ask(client, "digits", X, sigma=0.25, n=2000, seed=7)
            self.assertEqual(answer.as_numpy("radius")[0, 0], expected)
            counts = json.loads(answer.as_numpy("counts")[0, 0])
            self.assertEqual(counts["n"] if "n" in counts else sum(counts["labels"]), 2000, counts)
            record = answer.as_numpy("json")[0, 0].decode()
            self.assertIn(json.dumps(expected), record)
            # Who has the seed knows the noise.
            for text in (answer.as_numpy("counts")[0, 0].decode(), record):
                self.assertNotIn('"seed"', text)

    def test_several_inputs_and_k(self):
        x = digits(5)
        answer = ask(self.http, "digits", x, sigma=0.25, n=500, k="1,3", seed=1)
        self.assertEqual(answer.as_numpy("radius").shape, (5, 2))
        self.assertEqual(answer.as_numpy("labels").shape, (5, 1))
        self.assertTrue((answer.as_numpy("radius")[:, 1] >= answer.as_numpy("radius")[:, 0]).all())
        answer = ask(self.grpc, "digits", x, sigma=0.25, n=500, k=1, label=[9] * 5)
        self.assertTrue((answer.as_numpy("labels") == 9).all())
        self.refused("label", "certify", sigma=0.25, task="predict", label=[9])

    def test_tasks_and_their_outputs(self):
        answer = ask(self.http, "digits", X, ["labels", "p_value"], sigma=0.25, n=500, task="predict")
        self.assertEqual(answer.as_numpy("labels").shape, (1, 1))
        self.assertLess(answer.as_numpy("p_value")[0, 0], 1)
        answer = ask(self.grpc, "digits", X, sigma=0.25, n=2000, k=2, task="certify_answer")
        self.assertEqual(answer.as_numpy("label_radii").shape, (1, 2))
        self.assertIsNone(answer.as_numpy("radius"))
        radius = answer.as_numpy("set_radius")[0, 0]
        self.assertLessEqual(radius, answer.as_numpy("kept_radii")[0, 0])
        self.refused("set_radius", "there are labels", sigma=0.25, outputs=["set_radius"])

    def test_inputs_of_every_type(self):
        x = (X > 0.5).astype(np.float32)
        expected = ask(self.http, "digits", x, sigma=0.25, n=500, seed=3).as_numpy("counts")[0, 0]
        as_type = {"UINT8": np.uint8, "FP16": np.float16, "FP64": np.float64, "BF16": ml_dtypes.bfloat16}
        for name, element in as_type.items():
            more = f'max_batch_size: 8 input [{{ name: "image" data_type: TYPE_{name} dims: [1, 8, 8] }}]'
            self.server.load(f"digits_{name}", config(more, batch=64, **SEEDED))
            for client in (self.http, self.grpc):
                options = {"datatype": name}
                answer = ask(client, f"digits_{name}", x.astype(element), sigma=0.25, n=500, seed=3, options=options)
                found = json.loads(answer.as_numpy("counts")[0, 0])
                self.assertEqual(
                    found["tally"] if "tally" in found else found["labels"],
                    json.loads(expected)["tally"] if "tally" in found else json.loads(expected)["labels"],
                )
        more = 'max_batch_size: 8 input [{ name: "image" data_type: TYPE_INT32 dims: [1, 8, 8] }]'
        self.not_loaded("TYPE_FP32", "TYPE_INT32", more=more)

    def stream(self, x=X, **parameters):
        """All that comes on a gRPC stream, until the final answer: results, and whether each is the last."""
        client, got = grpc.InferenceServerClient(f"127.0.0.1:{self.server.ports[1]}"), queue.Queue()
        client.start_stream(lambda result, error: got.put(error or result))
        client.async_stream_infer(self.name, parameters=parameters, **tensors(grpc, x))
        all_ = []
        while not all_ or not all_[-1][1]:
            found = got.get(timeout=60)
            if isinstance(found, Exception):
                client.close()
                raise found
            all_.append((found, found.get_response().parameters["triton_final_response"].bool_param))
        client.stop_stream()
        client.close()
        return [result for result, _ in all_]

    DECOUPLED = "model_transaction_policy { decoupled: true }"

    def test_decoupled_models_answer_with_each_look(self):
        self.load(self.DECOUPLED, sigma=0.25, max_n=10**9, n=900_000_000, max_samples=10**10)
        seen = self.stream(rule="tolerance:0", timeout_ms=1500)
        self.assertGreater(len(seen), 3)
        samples = [int(result.as_numpy("samples")[0, 0]) for result in seen]
        self.assertEqual(samples, sorted(samples))
        self.assertEqual({result.as_numpy("decision")[0, 0] for result in seen[:-1]}, {b"open"})
        self.assertNotEqual(seen[-1].as_numpy("decision")[0, 0], b"open")
        for result in seen:
            # Sound at all looks at once, and said to be so.
            self.assertIn(b'"looks"', result.as_numpy("counts")[0, 0])
            self.assertIn(b"anytime", result.as_numpy("json")[0, 0])
        self.assertGreater(seen[-1].as_numpy("radius")[0, 0], 0)
        # Without a rule there is one answer.
        self.assertEqual(len(self.stream(n=500)), 1)
        with self.assertRaises(InferenceServerException) as caught:
            self.stream(digits(2), rule="radius:0.1")
        self.assertIn("one input", str(caught.exception))
        self.refused("decoupled", model=self.name, client=self.http)

    def test_server_sent_events(self):
        self.load(self.DECOUPLED, sigma=0.25, max_n=10**9, n=900_000_000, max_samples=10**10)
        body = {"image": X.ravel().tolist(), "parameters": {"rule": "tolerance:0", "timeout_ms": 1000}}
        text = self.server.post(f"/v2/models/{self.name}/generate_stream", body)
        events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
        self.assertGreater(len(events), 2)
        self.assertEqual(events[0]["decision"], "open")
        self.assertNotEqual(events[-1]["decision"], "open")

    def test_events_that_nobody_reads_stop_the_work(self):
        self.load(self.DECOUPLED, sigma=0.25, max_n=10**9, n=900_000_000, max_samples=10**10, timeout_ms=50_000)
        text = json.dumps({"image": X.ravel().tolist(), "parameters": {"rule": "tolerance:0"}})
        connection = socket.create_connection(("127.0.0.1", self.server.ports[0]))
        path = f"/v2/models/{self.name}/generate_stream"
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(text)}\r\n\r\n"
        connection.sendall((head + text).encode())
        begun = connection.recv(1000)
        connection.close()
        self.assertIn(b"200 OK", begun)
        self.idle(self.name)
        self.assertEqual(self.server.metric("smoothtopk_jobs_cancelled_total", self.name), 1)

    def test_without_batches(self):
        more = 'max_batch_size: 0 input [{ name: "image" data_type: TYPE_FP32 dims: [1, 8, 8] }]'
        self.load(more, sigma=0.25, n=500)
        answer = ask(self.http, self.name, X[0])
        self.assertEqual(answer.as_numpy("radius").shape, (1, 1))

    # -- Options and limits.

    OPTIONS: ClassVar = {
        "sigma": 0.25,
        "levels": 16,
        "input_max": 1,
        "task": "certify",
        "k": "1,2",
        "n": 300,
        "n0": 50,
        "alpha": 0.01,
        "allocation": "binocp",
        "rule": "radius:0.2",
        "timeout_ms": 9000,
        "generator": "chacha12",
        "stream": 7,
    }

    def test_every_option_of_a_request(self):
        source = (ROOT / "bindings/triton/src/options.cpp").read_text()
        names = set(re.findall(r'^    \{"(\w+)", "\w+",', source, re.MULTILINE))
        self.assertEqual(names, {*self.OPTIONS, "noise", "randomized", "seed", "key"})
        for client in (self.http, self.grpc):
            for name, value in self.OPTIONS.items():
                ask(client, "digits", X, ["radius"], **{"sigma": 0.25, "n": 300, name: value})
            for more in ({"randomized": True}, {"seed": 2**63 - 1}, {"seed": str(2**64 - 1)}, {"key": "7f" * 32}):
                ask(client, "digits", X, ["radius"], sigma=0.25, n=300, **more)
            ask(client, "digits", X, ["radius"], noise="uniform:0.5", n=300)

    def test_every_option_in_the_config(self):
        self.load(**self.OPTIONS)
        record = json.loads(ask(self.http, self.name, X).as_numpy("json")[0, 0])
        text = json.dumps(record)
        for part in ("0.01", "radius:0.2", "binocp", "chacha12"):
            self.assertIn(part, text)
        # A request's parameter takes the place of the config's, and noise of sigma.
        fixed = ask(self.http, self.name, X, noise="gaussian:0.5", rule="fixed", n=200, k=1)
        self.assertEqual(fixed.as_numpy("samples").tolist(), [[200]])

    def test_unknown_and_wrong_parameters(self):
        self.refused("'sigme' is unknown", "'sigma' meant", sigme=0.25)
        self.refused("unknown", "there are: sigma", zzzzzzzzzz=1, sigma=0.25)
        self.refused("sigma", "missing")
        self.refused("'n' is a whole number", sigma=0.25, n=-1)
        self.refused("'n' is a whole number", sigma=0.25, n=1.5)
        self.refused("'randomized' is true or false", sigma=0.25, randomized=1)
        self.refused("'task' is certify", sigma=0.25, task="guess")
        self.refused("exclude each other", sigma=0.25, noise="gaussian:0.25")
        self.refused("exclude each other", sigma=0.25, seed=1, generator="chacha12")
        self.refused("k", sigma=0.25, k=10)
        self.refused("alpha", sigma=0.25, alpha=0.9)

    def test_wrong_configs(self):
        self.not_loaded("'max_nn' is unknown", "'max_n' meant", max_nn=1)
        self.not_loaded("'n' is a whole number", n="many")
        self.not_loaded("alpha", sigma=0.25, alpha=2)
        self.not_loaded("allow_seed", sigma=0.25, seed=1)
        self.not_loaded("max_timeout_ms", timeout_ms=1000, max_timeout_ms=10)
        self.not_loaded("'tasks'", tasks="certify,guess")
        self.not_loaded("go together", mean="0.5")
        self.not_loaded("max_n", sigma=0.25, max_n=1000)
        more = 'max_batch_size: 8 input [{ name: "image" data_type: TYPE_FP32 dims: [1, 8, 9] }]'
        self.not_loaded("72 elements", "64", more=more)
        more = 'output [{ name: "radii" data_type: TYPE_FP64 dims: [-1] }]'
        self.not_loaded("radii", more=more)

    def test_limits_of_the_config(self):
        self.load(n=900, max_n=1000, max_samples=3000, max_timeout_ms=5000, timeout_ms=4000, tasks="certify")
        ask(self.http, self.name, X, sigma=0.25, n=900)
        over = {"model": self.name, "sigma": 0.25}
        self.refused("max_n", n=901, **over)
        self.refused("max_n", n="18446744073709551615", **over)
        self.refused("max_samples", x=digits(4), n=900, **over)
        self.refused("max_timeout_ms", n=900, timeout_ms=5001, **over)
        self.refused("max_timeout_ms", n=900, timeout_ms=0, **over)
        self.refused("tasks", n=900, task="predict", **over)
        for secret in ({"seed": 1}, {"key": "00" * 32}):
            self.refused("whoever chooses the noise knows it", n=900, **secret, **over)

    # -- What would be unsound is refused.

    def test_response_cache_is_refused(self):
        self.not_loaded("response_cache", "radius of another", more="response_cache { enable: true }")

    def test_sequences_are_refused(self):
        more = """sequence_batching { control_input [{ name: "START" control [{ kind: CONTROL_SEQUENCE_START
            int32_false_true: [0, 1] }] }] }"""
        self.not_loaded("sequence_batching", "no state", more=more)

    def test_devices_are_strict(self):
        self.not_loaded("KIND_GPU", more="instance_group [{ kind: KIND_CPU }]", provider="cuda")
        # The server itself has no GPU: it refuses before the backend could.
        self.not_loaded("GPU", more="instance_group [{ kind: KIND_GPU gpus: [0] }]")
        self.load("instance_group [{ kind: KIND_CPU count: 3 }]", sigma=0.25, n=200)
        ask(self.http, self.name, X)

    # -- Time, queues, clients that leave.

    def test_timeouts(self):
        self.load_slow(timeout_ms=300)
        self.refused("timeout", model=self.name, x=endless())
        # Triton has no code for it.
        self.refused("503", client=self.http, model=self.name, x=endless())
        # Triton's own, in microseconds.
        ask_for = {"model": self.name, "x": endless(), "timeout_ms": 100_000, "options": {"timeout": 300_000}}
        self.refused("timeout", client=self.http, **ask_for)
        self.refused("timeout", client=self.grpc, **{**ask_for, "options": {"timeout": 300_000}})

    def test_a_late_rule_has_its_last_look(self):
        self.load(sigma=0.25, max_n=0xFFFFFFFF, max_samples=0xFFFFFFFFFF)
        answer = ask(self.http, self.name, X, n=4_000_000_000, rule="tolerance:0", timeout_ms=1500)
        self.assertTrue(answer.as_numpy("late")[0, 0])
        self.assertGreater(answer.as_numpy("radius")[0, 0], 0)

    def test_cancelled_calls_stop_the_work(self):
        self.load_slow(timeout_ms=100_000)
        ended = threading.Event()
        arguments = tensors(grpc, endless())
        call = self.grpc.async_infer(self.name, callback=lambda result, error: ended.set(), **arguments)
        running = lambda: self.server.metric("smoothtopk_requests_running", self.name) == 1  # noqa: E731
        self.server.until(running, "the call runs")
        call.cancel()
        self.idle(self.name)
        self.assertEqual(self.server.metric("smoothtopk_jobs_cancelled_total", self.name), 1)
        self.assertTrue(ended.wait(60))

    def test_http_clients_that_left_end_by_the_default_timeout(self):
        self.load_slow(timeout_ms=1000)
        body = {"inputs": [{"name": "x", "shape": [1, 64], "datatype": "FP32", "data": endless().tolist()}]}
        text = json.dumps(body)
        connection = socket.create_connection(("127.0.0.1", self.server.ports[0]))
        head = f"POST /v2/models/{self.name}/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(text)}\r\n\r\n"
        connection.sendall((head + text).encode())
        running = lambda: self.server.metric("smoothtopk_requests_running", self.name) == 1  # noqa: E731
        self.server.until(running, "the request runs")
        connection.close()
        self.idle(self.name)
        self.assertEqual(self.server.metric("smoothtopk_jobs_late_total", self.name), 1)

    def flood(self, count, **asked):
        """Asks at once, gives what came: None, or the error's text."""

        def one(_):
            try:
                ask(self.grpc, self.name, endless(), ["radius"], **asked)
            except InferenceServerException as error:
                return str(error)
            return None

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    def test_queue_limits(self):
        policy = "dynamic_batching { default_queue_policy { max_queue_size: 1 } }"
        self.load_slow(policy, timeout_ms=2000, max_running=1)
        errors = self.flood(6)
        self.assertTrue(all(errors), errors)
        full = [e for e in errors if "queue size" in e]
        self.assertGreaterEqual(len(full), 3, errors)
        self.assertGreaterEqual(len([e for e in errors if "timeout" in e]), 1, errors)

    def test_queue_timeouts(self):
        policy = """dynamic_batching { default_queue_policy { timeout_action: REJECT
            default_timeout_microseconds: 100000 allow_timeout_override: true } }"""
        self.load_slow(policy, timeout_ms=2500, max_running=1)
        errors = self.flood(4)
        self.assertGreaterEqual(len([e for e in errors if "timeout expired" in e.lower()]), 2, errors)

    def test_priorities(self):
        more = "dynamic_batching { max_queue_delay_microseconds: 0 priority_levels: 2 default_priority_level: 2 }"
        self.load_slow(more, timeout_ms=2000, max_running=1)
        order, quick = [], np.zeros((1, 64), np.float32)
        first = threading.Thread(target=self.flood, args=(1,))
        first.start()
        running = lambda: self.server.metric("smoothtopk_requests_running", self.name) == 1  # noqa: E731
        self.server.until(running, "the first call runs")

        def one(priority):
            ask(self.grpc, self.name, quick, ["radius"], options={"priority": priority}, timeout_ms=100_000)
            order.append(priority)

        threads = [threading.Thread(target=one, args=(priority,)) for priority in (2, 2, 2, 1)]
        for thread in threads:
            thread.start()
            time.sleep(0.1)
        for thread in [*threads, first]:
            thread.join()
        # The one that waits for a place in the library is no longer in the queue.
        self.assertIn(1, order[:2], order)

    def test_busy(self):
        self.load_slow(timeout_ms=2000, max_jobs=1)
        errors = self.flood(4)
        self.assertEqual(len([e for e in errors if "busy" in e]), 3, errors)
        self.assertEqual(self.server.metric("smoothtopk_jobs_refused_total", self.name), 3)

    # -- Models that come and go.

    def test_reloads_under_traffic(self):
        self.load(sigma=0.25, n=100, batch=64)
        stop, errors, answers = threading.Event(), [], []

        def traffic(client):
            while not stop.is_set():
                try:
                    answers.append(ask(client, self.name, X, ["radius"]).as_numpy("radius")[0, 0])
                except InferenceServerException as error:
                    errors.append(error)

        threads = [
            threading.Thread(target=traffic, args=(client,)) for client in (self.server.http_client(), self.grpc)
        ]
        for thread in threads:
            thread.start()
        for i in range(8):
            text = config(sigma=0.25, n=100 + i, batch=64)
            (self.server.models / self.name / "config.pbtxt").write_text(text)
            self.http.load_model(self.name)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertGreater(len(answers), 8)

    def test_unloading_waits_for_what_runs(self):
        self.load_slow(timeout_ms=1500)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(self.flood, 1)
            running = lambda: self.server.metric("smoothtopk_requests_running", self.name) == 1  # noqa: E731
            self.server.until(running, "the call runs")
            self.http.unload_model(self.name)
            self.assertIn("timeout", asked.result()[0])
        self.server.until(lambda: not self.http.is_model_ready(self.name), "the model is gone")

    def test_warm_up(self):
        more = """model_warmup [{ name: "zeros" batch_size: 1
            inputs { key: "image" value { data_type: TYPE_FP32 dims: [1, 8, 8] zero_data: true } } }]"""
        shape = 'max_batch_size: 8 input [{ name: "image" data_type: TYPE_FP32 dims: [1, 8, 8] }]'
        self.load(shape + more, sigma=0.25, n=200)
        self.assertGreaterEqual(self.server.metric("smoothtopk_samples_total", self.name), 200)

    def test_versions(self):
        self.load("version_policy { all {} }", versions=(1, 3), sigma=0.25, n=200)
        for version in ("1", "3"):
            self.assertEqual(ask(self.http, self.name, X, version=version).get_response()["model_version"], version)

    def test_ensembles(self):
        self.load(sigma=0.5, n=300)
        text = f"""platform: "ensemble" max_batch_size: 8
            input [{{ name: "scan" data_type: TYPE_FP32 dims: [1, 8, 8] }}]
            output [{{ name: "r" data_type: TYPE_FP64 dims: [-1] }},
                {{ name: "how" data_type: TYPE_STRING dims: [-1] }}]
            ensemble_scheduling {{ step [{{ model_name: "{self.name}" model_version: -1
                input_map {{ key: "image" value: "scan" }}
                output_map {{ key: "radius" value: "r" }} output_map {{ key: "json" value: "how" }} }}] }}"""
        self.server.load("together", text, file=None)
        image = http.InferInput("scan", [1, 1, 8, 8], "FP32")
        image.set_data_from_numpy(X)
        answer = self.http.infer("together", [image], parameters={"sigma": 0.25})
        self.assertEqual(answer.as_numpy("r").shape, (1, 1))
        self.assertIn("0.25", answer.as_numpy("how")[0, 0].decode())

    def test_shared_memory(self):
        data, out = shm.create_shared_memory_region("in", f"/{self.name}_in", X.nbytes), None
        try:
            out = shm.create_shared_memory_region("out", f"/{self.name}_out", 64)
            shm.set_shared_memory_region(data, [X])
            for kind, client in ((http, self.http), (grpc, self.grpc)):
                client.register_system_shared_memory("in", f"/{self.name}_in", X.nbytes)
                client.register_system_shared_memory("out", f"/{self.name}_out", 64)
                image = kind.InferInput("image", [1, 1, 8, 8], "FP32")
                image.set_shared_memory("in", X.nbytes)
                radius = kind.InferRequestedOutput("radius")
                radius.set_shared_memory("out", 8)
                client.infer("digits", [image], outputs=[radius], parameters={"sigma": 0.25, "n": 500, "seed": 7})
                found = shm.get_contents_as_numpy(out, np.float64, [1])[0]
                direct = ask(client, "digits", X, ["radius"], sigma=0.25, n=500, seed=7).as_numpy("radius")[0, 0]
                self.assertEqual(found, direct)
                self.assertGreater(found, 0)
                client.unregister_system_shared_memory()
        finally:
            for region in filter(None, (data, out)):
                shm.destroy_shared_memory_region(region)

    # -- What operators see.

    def test_metrics_statistics_and_log(self):
        self.load(sigma=0.25, n=400, n0=100)
        for _ in range(3):
            ask(self.http, self.name, X)
        self.refused("alpha", model=self.name, alpha=3)
        self.idle(self.name)
        metric = lambda name: self.server.metric("smoothtopk_" + name, self.name)  # noqa: E731
        self.assertEqual(metric("samples_total"), 1500)
        self.assertEqual(metric("jobs_ended_total"), 3)
        self.assertEqual(metric("answers_total") + metric("abstentions_total"), 3)
        stats = self.http.get_inference_statistics(self.name)["model_stats"][0]["inference_stats"]
        self.assertEqual(int(stats["success"]["count"]), 3)
        self.assertEqual(int(stats["fail"]["count"]), 2)
        self.assertRegex(self.server.text(), rf"smoothtopk: {self.name} 1: cpu")

    # -- Pitfalls of Triton's own, of which docs/triton.md warns.

    def test_a_failed_load_leaves_the_server_unready(self):
        server = Server(BACKENDS)
        try:
            self.assertTrue(server.http.is_server_ready())
            with self.assertRaises(InferenceServerException):
                server.load("bad", config(nnn=1))
            self.assertFalse(server.http.is_server_ready())
            server.load("bad", config(n=100))
            self.assertTrue(server.http.is_server_ready())
        finally:
            server.close()

    def test_the_backend_must_be_named(self):
        self.server.write(self.name, None)
        with self.assertRaises(InferenceServerException) as caught:
            self.http.load_model(self.name)
        self.assertIn("onnxruntime", str(caught.exception))


class Shutdown(unittest.TestCase):
    def test_with_work_in_flight(self):
        for wait in (0, 1):
            server = Server(BACKENDS, "--exit-timeout-secs", "1")
            try:
                server.load("slow", config(**{**SLOW_CONFIG, "timeout_ms": 100_000}), SLOW)
                ended = [threading.Event() for _ in range(4)]
                for event in ended:
                    done = lambda result, error, event=event: event.set()  # noqa: E731
                    server.grpc.async_infer("slow", callback=done, **tensors(grpc, endless()))
                running = lambda server=server: server.metric("smoothtopk_requests_running", "slow") == 4  # noqa: E731
                server.until(running, "the calls run")
                time.sleep(wait)
                server.process.send_signal(signal.SIGTERM)
                # Not by a signal: the library's threads have stopped before ONNX Runtime goes.
                self.assertGreaterEqual(server.process.wait(60), 0, server.text()[-2000:])
            finally:
                server.close()


class Page(unittest.TestCase):
    """The commands of docs/triton.md, as they are printed: only what they would build or fetch is here already."""

    def test_from_nothing_to_an_answer(self):
        page = (ROOT / "docs/triton.md").read_text()
        commands = re.search(r"```sh\n(.*?)```", page, re.DOTALL)[1]
        self.assertEqual(len(re.findall(r"^[a-z]", commands, re.MULTILINE)), 5, commands)
        server = Server(BACKENDS)
        server.close()
        folder = pathlib.Path(server.folder)
        (folder / "bin").mkdir(parents=True)
        try:
            (folder / "demo").symlink_to(ROOT / "demo")
            (folder / "venv").symlink_to(pathlib.Path(sys.prefix))
            (folder / "backend").mkdir()
            (folder / "backend/backends").symlink_to(pathlib.Path(BACKENDS).resolve())
            for name in ("make", "python3"):
                (folder / "bin" / name).write_text("#!/bin/sh\nexit 0\n")
                (folder / "bin" / name).chmod(0o755)
            # Ports are the machine's.
            for printed, port in zip(("8000", "8001", "8002"), server.ports, strict=True):
                commands = commands.replace(printed, str(port))
            commands = commands.replace(" &\n", f" --grpc-port {server.ports[1]} --metrics-port {server.ports[2]} &\n")
            script = f"export PATH={folder}/bin:$PATH\ncd {folder}\n{commands}\nstatus=$?\nkill %1; wait; exit $status"
            with open(folder / "err", "w+", encoding="utf-8") as err:
                ran = subprocess.run(
                    ["bash", "-mc", script], stdout=subprocess.PIPE, stderr=err, text=True, timeout=120
                )
                err.seek(0)
                self.assertEqual(ran.returncode, 0, ran.stdout + err.read())
            answer = json.JSONDecoder().raw_decode(ran.stdout, ran.stdout.index('{"model_name"'))[0]
            outputs = {output["name"]: output["data"] for output in answer["outputs"]}
            self.assertEqual(outputs["labels"], [3])
            self.assertGreater(outputs["radius"][0], 0.1)
        finally:
            subprocess.run(["rm", "-rf", str(folder)], check=True)


if __name__ == "__main__":
    BACKENDS = sys.argv.pop(1)
    assert TRITON.exists(), TRITON
    unittest.main()
