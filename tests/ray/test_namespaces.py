"""Nodes that `ray start` begins by hand, each in a network of its own: namespaces joined by a bridge."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_ray import ASKED, IMAGES, LABELS, LIMIT, MODEL, command_line, without_times

HEAD, NODES = "stk-head", ["stk-node1", "stk-node2"]
# Addresses of examples and tests (RFC 5737), in these namespaces alone.
ADDRESSES = {HEAD: "198.51.100.1", NODES[0]: "198.51.100.11", NODES[1]: "198.51.100.12"}
DRIVER = """
import json, sys, numpy as np, ray, smoothtopk.ray
ray.init(address=sys.argv[1], log_to_driver=False)
assert len([node for node in ray.nodes() if node["Alive"]]) == 3
data = np.load(sys.argv[2])
asked = json.loads(sys.argv[4])
for record in smoothtopk.ray.certify((data["images"], data["labels"]), sys.argv[3], out="RUN", actors=2, **asked):
    print("record", record["index"])
"""


def ip(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *words], check=check, text=True, capture_output=True, timeout=LIMIT)


def remove() -> None:
    """Ends what runs in the namespaces, and removes them."""
    for name in ADDRESSES:
        for pid in ip("netns", "pids", name, check=False).stdout.split():
            os.kill(int(pid), signal.SIGKILL)
        ip("netns", "delete", name, check=False)


@pytest.fixture
def networks() -> Iterator[None]:
    """A namespace for each node, on one bridge."""
    if not shutil.which("ip") or ip("netns", "add", HEAD, check=False).returncode:
        pytest.skip("SKIPPED: namespaces of networks need root, and `ip` (Debian's iproute2)")
    try:
        ip("-n", HEAD, "link", "set", "lo", "up")
        ip("-n", HEAD, "link", "add", "bridge", "type", "bridge")
        ip("-n", HEAD, "addr", "add", f"{ADDRESSES[HEAD]}/24", "dev", "bridge")
        ip("-n", HEAD, "link", "set", "bridge", "up")
        for name in NODES:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
            ip("link", "add", name, "netns", HEAD, "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("-n", HEAD, "link", "set", name, "master", "bridge", "up")
            ip("-n", name, "addr", "add", f"{ADDRESSES[name]}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
        yield
    finally:
        remove()


def test_nodes_that_are_started_by_hand_make_the_run_of_one_machine(networks: None, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(uuid.uuid4().hex)
    environment = os.environ | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(tmp_path / "token"),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    single = command_line(tmp_path, ASKED)

    def within(name: str, *command: object) -> subprocess.Popen[str]:
        words = ["ip", "netns", "exec", name, *map(str, command)]
        return subprocess.Popen(
            words, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def done(process: subprocess.Popen[str]) -> str:
        text, _ = process.communicate(timeout=LIMIT)
        assert process.returncode == 0, text
        return text

    program = Path(sys.executable).with_name("ray")
    address = f"{ADDRESSES[HEAD]}:6379"
    # Paths of sockets are short.
    with tempfile.TemporaryDirectory(prefix="ray") as folder:
        start = ["start", "--head", "--port=6379", "--num-cpus=0", "--include-dashboard=false", f"--temp-dir={folder}"]
        done(within(HEAD, program, *start, f"--node-ip-address={ADDRESSES[HEAD]}"))
        for name in NODES:
            done(
                within(
                    name,
                    program,
                    "start",
                    f"--address={address}",
                    "--num-cpus=1",
                    f"--node-ip-address={ADDRESSES[name]}",
                )
            )
        printed = done(
            within(HEAD, sys.executable, "-W", "ignore", "-c", DRIVER, address, "data.npz", MODEL, json.dumps(ASKED))
        )
        remove()
    found = sorted(map(int, re.findall(r"^record (\d+)$", printed, re.MULTILINE)))
    assert found == list(range(len(IMAGES))) and len(LABELS) == len(IMAGES), printed
    assert without_times(tmp_path / "RUN") == single
