#!/usr/bin/env python3
"""Put ONNX Runtime's build with OpenVINO into .deps/onnxruntime-openvino: pinned, checksum-verified, once. Linux on x86-64.

The libraries come from the Python package `onnxruntime-openvino`, which Intel publishes, fetched by pip from the index that pip
is set up with; only what its processor's plug-in needs is taken. Nothing is installed. Prints one line; exits 1 with the reason if
it cannot be done.
"""

import platform
from pathlib import Path

from get_onnxruntime import LICENCES
from pinned import DEPS, Refused, Wheel, holds, put, run, unpack

VERSION = "1.24.1"
WHEEL = Wheel(
    "onnxruntime-openvino",
    VERSION,
    "manylinux_2_28_x86_64",
    "3007c803634cc69c6d52af1dea7ce729d9bb62b9a11070fd2f959119199007a8",
    python="3.11",
)
LIBRARIES = (
    f"libonnxruntime.so.{VERSION}",
    "libonnxruntime_providers_shared.so",
    "libonnxruntime_providers_openvino.so",
    "libopenvino.so.2541",
    "libopenvino_onnx_frontend.so.2541",
    "libopenvino_intel_cpu_plugin.so",
    "libtbb.so.12",
)
TARGET = DEPS / "onnxruntime-openvino"


def make(scratch: Path) -> Path:
    """The folder, of the pinned wheel."""
    fresh = scratch / "fresh"
    fresh.mkdir()
    wheel = WHEEL.download(scratch, "do without it")
    unpack(wheel, [*(f"onnxruntime/capi/{name}" for name in LIBRARIES), *LICENCES], fresh)
    return fresh


def main() -> None:
    """Fetches it where it is not there."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise Refused(f"there is no pinned build with OpenVINO for {platform.system()} {platform.machine()}")
    if holds(TARGET, wheel_sha256=WHEEL.sha256):
        print(f"ONNX Runtime {VERSION} with OpenVINO is in {TARGET.name}")
        return
    put(TARGET, make, wheel_sha256=WHEEL.sha256)
    print(f"ONNX Runtime {VERSION} with OpenVINO put into {TARGET.name}")


if __name__ == "__main__":
    run(main)
