"""Folders made of a pinned wheel: fetched by pip from the index that it is set up with, verified, put in place whole, once.

Nothing is installed. The standard library is all that this needs: it runs before anything else is there.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEPS = ROOT / ".deps"
STAMP = "installed.json"


class Refused(Exception):
    """It cannot be done; the message says why."""


@dataclass(frozen=True)
class Wheel:
    """A wheel of the index. One serves whatever this Python is: only files in it are used."""

    package: str
    version: str
    tag: str
    sha256: str
    # The Python it is for, such as 3.11; none where it is for any.
    python: str | None = None

    def download(self, folder: Path, instead: str) -> Path:
        """The wheel, in `folder`. `instead` is what somebody without pip can do."""
        requirements = folder / "requirements.txt"
        requirements.write_text(f"{self.package}=={self.version} --hash=sha256:{self.sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--require-hashes", f"--platform={self.tag}"]
        if self.python:
            abi = "cp" + self.python.replace(".", "")
            command += ["--implementation=cp", f"--python-version={self.python}", f"--abi={abi}"]
        command += [f"--dest={folder}", f"--requirement={requirements}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            lines = [line for line in done.stdout.splitlines() if line.strip()]
            if any("No module named pip" in line for line in lines):
                raise Refused(f"this Python has no pip: install it (python3-pip), or {instead}")
            reason = lines[-1] if lines else f"exit code {done.returncode}"
            raise Refused(f"pip could not download the pinned wheel: {reason}")
        wheels = list(folder.glob("*.whl"))
        if len(wheels) != 1:
            raise Refused(f"pip downloaded {len(wheels)} wheels, not one")
        return self.verified(wheels[0])

    def verified(self, file: Path) -> Path:
        """`file`, if it is this wheel."""
        if sha256(file) != self.sha256:
            raise Refused(f"{file.name} does not have the pinned checksum")
        return file


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def unpack(wheel: Path, members: Iterable[str], folder: Path) -> None:
    """Puts files of the wheel into `folder`, without the folders that they are in there."""
    with zipfile.ZipFile(wheel) as archive:
        for member in members:
            (folder / Path(member).name).write_bytes(archive.read(member))


def holds(target: Path, **said: object) -> bool:
    """Whether `target` is what was put there with the same `said`: its files are checked, not only its stamp."""
    try:
        stamp = json.loads((target / STAMP).read_text())
        files = stamp.pop("files")
        return stamp == said and all(sha256(target / name) == digest for name, digest in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def put(target: Path, make: Callable[[Path], Path], *, check_files: bool = True, **said: object) -> None:
    """Has `make` make a folder inside the scratch folder that it is given, and puts that in the place of `target`.

    Made beside its place and moved there whole, so that a kill or a second run leaves no half-made folder.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{target.name}-", dir=target.parent) as name:
        scratch = Path(name)
        fresh = make(scratch)
        files = {file.name: sha256(file) for file in sorted(fresh.iterdir())} if check_files else {}
        (fresh / STAMP).write_text(json.dumps({**said, "files": files}, indent=1) + "\n")
        if target.exists():
            os.rename(target, scratch / "old")
        try:
            os.rename(fresh, target)
        except OSError:
            # Another run was faster.
            if not holds(target, **said):
                raise


def run(main: Callable[[], None]) -> None:
    """Runs a script's `main`; where it cannot be done, exits with 1 and the reason in one line."""
    try:
        main()
    except (OSError, Refused) as error:
        sys.exit(f"{Path(sys.argv[0]).stem}: {error}")
