#!/usr/bin/env python3
"""Put ONNX Runtime's build with OpenVINO into .deps/onnxruntime-openvino: pinned, checksum-verified, once. Linux on x86-64.

The libraries come from the Python package `onnxruntime-openvino`, which Intel publishes, fetched by pip from the index that pip
is set up with; only what its processor's plug-in needs is taken. Nothing is installed. Prints one line; exits 1 with the reason if
it cannot be done.
"""

import json
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from get_onnxruntime import DEPS, LICENCES, STAMP, fail, sha256

VERSION = "1.24.1"
WHEEL_SHA256 = "3007c803634cc69c6d52af1dea7ce729d9bb62b9a11070fd2f959119199007a8"
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


def is_installed() -> bool:
    """Whether the folder holds what the pinned wheel gave: its files are checked, not only its stamp."""
    try:
        stamp = json.loads((TARGET / STAMP).read_text())
        files = stamp["files"]
        return stamp["wheel_sha256"] == WHEEL_SHA256 and all(sha256(TARGET / name) == files[name] for name in files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def download(folder: Path) -> Path:
    """The pinned wheel."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"onnxruntime-openvino=={VERSION} --hash=sha256:{WHEEL_SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "--platform=manylinux_2_28_x86_64", "--implementation=cp"]
    command += ["--python-version=3.11", "--abi=cp311", f"--dest={folder}", f"--requirement={requirements}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        fail("pip could not download the pinned wheel: " + (lines[-1] if lines else f"exit code {done.returncode}"))
    return wheels[0]


def main() -> None:
    """Fetches it where it is not there."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        fail(f"there is no pinned build with OpenVINO for {platform.system()} {platform.machine()}")
    if is_installed():
        print(f"ONNX Runtime {VERSION} with OpenVINO is in {TARGET.name}")
        return
    DEPS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="openvino-", dir=DEPS) as scratch:
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        with zipfile.ZipFile(download(Path(scratch))) as archive:
            members = [f"onnxruntime/capi/{name}" for name in LIBRARIES] + list(LICENCES)
            for member in members:
                with archive.open(member) as source, open(fresh / Path(member).name, "wb") as file:
                    shutil.copyfileobj(source, file)
        files = {file.name: sha256(file) for file in fresh.iterdir()}
        (fresh / STAMP).write_text(json.dumps({"wheel_sha256": WHEEL_SHA256, "files": files}, indent=1) + "\n")
        shutil.rmtree(TARGET, ignore_errors=True)
        fresh.rename(TARGET)
    print(f"ONNX Runtime {VERSION} with OpenVINO put into {TARGET.name}")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        fail(str(error))
