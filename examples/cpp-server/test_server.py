#!/usr/bin/env python3
"""Tests of the C++ server with Triton's own HTTP client: test_server.py SERVER. Runs in the repository's root."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

SERVER = "target/cpp/server/smoothtopk-server"
DIGITS = "digits=demo/digits_mlp_sigma0.25.onnx"
SLOW = "slow=tests/models/slow.onnx"
ENDLESS = {"sigma": 0.25, "n": 1_000_000, "n0": 1, "input_max": 1000}


class Running:
    """A server on a free port."""

    def __init__(self, *arguments):
        command = [SERVER, "--port", "0", "--model", DIGITS, "--model", SLOW, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.address = line.split()[-1]
        self.client = triton.InferenceServerClient(self.address, concurrency=1, network_timeout=60)

    def stop(self):
        """Sends SIGTERM; gives the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        self.process.stdout.close()
        return status

    def stats(self, model):
        stats = self.client.get_inference_statistics(model)["model_stats"][0]["inference_stats"]
        return {name: value["count"] for name, value in stats.items()}

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
        self.assertEqual(binary.get_response()["parameters"], {"n": 2000})
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
        parameters = {"sigma": 0.25, "k": 3, "n": 2000, "seed": 7, "task": "predict"}
        got = self.client.infer("digits", [image_input(digits(2))], parameters=parameters)
        tallies = np.array([each["labels"] for each in counts(got)])
        np.testing.assert_array_equal(np.sort(got.as_numpy("labels")), np.sort(np.argsort(-tallies, kind="stable")[:, :3]))
        self.assertEqual(got.as_numpy("p_value").shape, (2, 1))
        self.assertIsNone(got.as_numpy("radius"))

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
        header = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 64], "data": [1000] * 64}], "parameters": ENDLESS}
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
        self.refused(400, "FP64", "digits", [triton.InferInput("image", [1], "FP64").set_data_from_numpy(np.zeros(1))], parameters=good)
        self.refused(400, "is missing", "digits", [], parameters=good)
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
        bodies = ["", "{", "[]", "null", "7", '{"inputs": 3}', '{"inputs": [3]}', '{"inputs": [{}]}', "[" * 100_000, b"\xff\xfe"]
        for change in (
            {"shape": None}, {"shape": [0]}, {"shape": [-1, 64]}, {"shape": [2**62, 2**62]}, {"shape": [1, 1, 8, 9]}, {"data": None},
            {"data": ["a"] * 64}, {"data": [0.5] * 63}, {"name": 5}, {"datatype": "FP32 "}, {"parameters": {"binary_data_size": 256}},
            {"parameters": {"binary_data_size": -1}}, {"shape": [1] * 17},
        ):
            bodies.append(json.dumps({**good, "inputs": [{**image, **change}]}))
        bodies += [json.dumps({**good, "parameters": p}) for p in (3, {"sigma": "x"}, {"sigma": 0.25, "n": 1.5}, {"sigma": 0.25, "n": {}})]
        bodies += [json.dumps({**good, "outputs": o}) for o in (3, [3], [{"name": 3}], [{}])]
        for body in bodies:
            status, answer = self.server.post(body)
            self.assertEqual((status, list(answer)), (400, ["error"]), body[:200])
        for length in ("x", "-1", "99999999999999999999999", "1000000", "5"):
            status, answer = self.server.post(json.dumps(good), headers={"Inference-Header-Content-Length": length})
            self.assertEqual((status, list(answer)), (400, ["error"]), length)
        self.assertEqual(self.server.post("{}", path="/v2/no/such/path")[0], 404)
        self.assertEqual(self.server.post(json.dumps(good))[0], 200)


class ShutdownTest(unittest.TestCase):
    def test_idle(self):
        server = Running()
        self.assertTrue(server.client.is_server_ready())
        self.assertEqual(server.stop(), 0)

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
        for arguments in ([], ["--model"], ["--model", "x"], ["--model", "x=no/such.onnx"], ["--port", "x"], ["--what", "1"]):
            done = subprocess.run([SERVER, *arguments], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn("smoothtopk-server: ", done.stderr)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        SERVER = sys.argv.pop(1)
    unittest.main()
