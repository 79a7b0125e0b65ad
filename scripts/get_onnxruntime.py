#!/usr/bin/env python3
"""Put ONNX Runtime's shared library into .deps/onnxruntime: pinned, checksum-verified, once.

The library comes from the Python package `onnxruntime`, fetched by pip from the index that pip is set up with. One wheel
per platform serves, whatever the version of this Python is: only its shared library and licences are used. Nothing is
installed. Prints one line; exits 1 with the reason if it cannot be done.

    get_onnxruntime.py                  this machine's, into .deps/onnxruntime
    get_onnxruntime.py Linux aarch64    another platform's, into .deps/onnxruntime-Linux-aarch64
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VERSION = "1.31.1"
PYTHON = ("3.11", "cp311")

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
ROOT = Path(__file__).resolve().parent.parent
DEPS = ROOT / ".deps"
STAMP = "installed.json"


def fail(message: str) -> None:
    sys.exit(f"get_onnxruntime: {message}")


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def is_installed(target: Path, wheel_sha256: str) -> bool:
    """Whether `target` holds exactly what this wheel gave: its files are checked, not only its stamp."""
    try:
        stamp = json.loads((target / STAMP).read_text())
        files = stamp["files"]
        return stamp["wheel_sha256"] == wheel_sha256 and all(sha256(target / name) == files[name] for name in files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def download(tag: str, wheel_sha256: str, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"onnxruntime=={VERSION} --hash=sha256:{wheel_sha256}\n")
    version, abi = PYTHON
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", f"--platform={tag}", "--implementation=cp"]
    command += [f"--python-version={version}", f"--abi={abi}", f"--dest={folder}", f"--requirement={requirements}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        if any("No module named pip" in line for line in lines):
            fail("this Python has no pip: install it (python3-pip), or set SMOOTHTOPK_ONNXRUNTIME to a library you have")
        fail("pip could not download the pinned wheel: " + (lines[-1] if lines else f"exit code {done.returncode}"))
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        fail(f"pip downloaded {len(wheels)} wheels, not one")
    if sha256(wheels[0]) != wheel_sha256:
        fail(f"{wheels[0].name} does not have the pinned checksum")
    return wheels[0]


def extract(wheel: Path, library: str, wheel_sha256: str, folder: Path) -> None:
    files = {}
    with zipfile.ZipFile(wheel) as archive:
        for member in (library, *LICENCES):
            file = folder / Path(member).name
            with archive.open(member) as source, open(file, "wb") as target:
                shutil.copyfileobj(source, target)
            files[file.name] = sha256(file)
    stamp = {"onnxruntime": VERSION, "wheel_sha256": wheel_sha256, "files": files}
    (folder / STAMP).write_text(json.dumps(stamp, indent=1) + "\n")


def main() -> None:
    if len(sys.argv) not in (1, 3):
        fail("give no arguments, or a system and a machine: Linux aarch64")
    system, machine = sys.argv[1:] if len(sys.argv) == 3 else (platform.system(), platform.machine())
    target = DEPS / (f"onnxruntime-{system}-{machine}" if len(sys.argv) == 3 else "onnxruntime")
    if (system, machine) not in WHEELS:
        known = ", ".join(" ".join(pair) for pair in WHEELS)
        fail(f"no pinned library for {system} {machine} (there is one for {known}): set SMOOTHTOPK_ONNXRUNTIME to a library")
    tag, wheel_sha256, library = WHEELS[system, machine]
    where = target.relative_to(ROOT)
    if is_installed(target, wheel_sha256):
        print(f"ONNX Runtime {VERSION} is in {where}")
        return
    DEPS.mkdir(exist_ok=True)
    # Made beside its place and moved there whole, so that a kill or a second run leaves no half-made folder.
    with tempfile.TemporaryDirectory(prefix="onnxruntime-", dir=DEPS) as scratch:
        wheel = download(tag, wheel_sha256, Path(scratch))
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        extract(wheel, library, wheel_sha256, fresh)
        if target.exists():
            os.rename(target, Path(scratch) / "old")
        try:
            os.rename(fresh, target)
        except OSError:
            # Another run was faster.
            if not is_installed(target, wheel_sha256):
                raise
    print(f"ONNX Runtime {VERSION} put into {where}")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        fail(str(error))
