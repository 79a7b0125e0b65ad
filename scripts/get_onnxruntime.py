#!/usr/bin/env python3
"""Put ONNX Runtime's shared library into .deps/onnxruntime: pinned, checksum-verified, once.

The library comes from the Python package `onnxruntime`, fetched by pip from the index that pip is set up with. One wheel
per platform serves, whatever the version of this Python is: only its shared library and licences are used. Nothing is
installed. Prints one line; exits 1 with the reason if it cannot be done.

    get_onnxruntime.py                  this machine's, into .deps/onnxruntime
    get_onnxruntime.py Linux aarch64    another platform's, into .deps/onnxruntime-Linux-aarch64
"""

import platform
import sys
from pathlib import Path

from pinned import DEPS, ROOT, Refused, Wheel, holds, put, run, unpack

VERSION = "1.31.1"

# (system, machine): pip's platform tag, the wheel's SHA-256, the library in it.
WHEELS = {
    ("Linux", "x86_64"): (
        "manylinux_2_28_x86_64",
        "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
        f"onnxruntime/capi/libonnxruntime.so.{VERSION}",
    ),
    ("Linux", "aarch64"): (
        "manylinux_2_28_aarch64",
        "da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3",
        f"onnxruntime/capi/libonnxruntime.so.{VERSION}",
    ),
    ("Darwin", "arm64"): (
        "macosx_14_0_arm64",
        "60b6b69bfe580eab576cacc5d132a0e9cf2a37fcfd18d46dd191042b1d1ed0d7",
        f"onnxruntime/capi/libonnxruntime.{VERSION}.dylib",
    ),
}
LICENCES = ("onnxruntime/LICENSE", "onnxruntime/ThirdPartyNotices.txt")


def main() -> None:
    if len(sys.argv) not in (1, 3):
        raise Refused("give no arguments, or a system and a machine: Linux aarch64")
    system, machine = sys.argv[1:] if len(sys.argv) == 3 else (platform.system(), platform.machine())
    target = DEPS / (f"onnxruntime-{system}-{machine}" if len(sys.argv) == 3 else "onnxruntime")
    instead = "set SMOOTHTOPK_ONNXRUNTIME to a library you have"
    if (system, machine) not in WHEELS:
        known = ", ".join(" ".join(pair) for pair in WHEELS)
        raise Refused(f"no pinned library for {system} {machine} (there is one for {known}): {instead}")
    tag, wheel_sha256, library = WHEELS[system, machine]
    wheel = Wheel("onnxruntime", VERSION, tag, wheel_sha256, python="3.11")
    said = {"onnxruntime": VERSION, "wheel_sha256": wheel_sha256}

    def make(scratch: Path) -> Path:
        fresh = scratch / "fresh"
        fresh.mkdir()
        unpack(wheel.download(scratch, instead), (library, *LICENCES), fresh)
        return fresh

    where = target.relative_to(ROOT)
    if holds(target, **said):
        print(f"ONNX Runtime {VERSION} is in {where}")
        return
    put(target, make, **said)
    print(f"ONNX Runtime {VERSION} put into {where}")


if __name__ == "__main__":
    run(main)
