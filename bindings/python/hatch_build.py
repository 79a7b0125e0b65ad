"""Puts the shared library and the program that Cargo has built into the wheel, and tags it for their platform.

SMOOTHTOPK_LIB_DIR names their folder; without it, Cargo's release folder is meant. SMOOTHTOPK_WHEEL_PLATFORM replaces
the platform tag, for a library that was built for, or to run on, another one (manylinux). The program writes its shell
completions and manual pages, which go where wheels put data files; SMOOTHTOPK_RUNS_HERE names one that runs on this
machine, where the wheel's own does not.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROGRAM = "smoothtopk.exe" if sys.platform == "win32" else "smoothtopk"
NAME = {"darwin": "libsmoothtopk.dylib", "win32": "smoothtopk.dll"}.get(sys.platform, "libsmoothtopk.so")

COMPLETIONS = {
    "bash": "share/bash-completion/completions/smoothtopk",
    "zsh": "share/zsh/site-functions/_smoothtopk",
    "fish": "share/fish/vendor_completions.d/smoothtopk.fish",
}


class Hook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling's hook."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the library, and sets the tag."""
        if version == "editable":
            raise RuntimeError(
                "no editable install: set PYTHONPATH to src, and SMOOTHTOPK_LIBRARY to the library's file"
            )
        library, program = self.folder() / NAME, self.folder() / PROGRAM
        for file in (library, program):
            if not file.is_file():
                raise RuntimeError(f"{file} is not there: run `make build`, or set SMOOTHTOPK_LIB_DIR to its folder")
        platform = os.environ.get("SMOOTHTOPK_WHEEL_PLATFORM") or sysconfig.get_platform()
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + platform.replace("-", "_").replace(".", "_")
        build_data["force_include"][str(library)] = f"smoothtopk/_lib/{NAME}"
        build_data["force_include"][str(program)] = f"smoothtopk/_bin/{PROGRAM}"
        build_data["shared_data"] = self.for_shells(os.environ.get("SMOOTHTOPK_RUNS_HERE") or str(program))

    def for_shells(self, program: str) -> dict[str, str]:
        """Writes completions and manual pages; where each goes below the prefix of the environment."""
        out = Path(tempfile.mkdtemp(prefix="smoothtopk-"))
        atexit.register(shutil.rmtree, out, ignore_errors=True)
        try:
            subprocess.run([program, "man", str(out)], check=True)
            placed = {str(page): f"share/man/man1/{page.name}" for page in out.iterdir()}
            for shell, place in COMPLETIONS.items():
                script = subprocess.run([program, "completions", shell], check=True, capture_output=True).stdout
                (out / shell).write_bytes(script)
                placed[str(out / shell)] = place
        except OSError as error:
            raise RuntimeError(f"{program} cannot be run: set SMOOTHTOPK_RUNS_HERE to one that can") from error
        return placed

    def folder(self) -> Path:
        """Where the library is."""
        if given := os.environ.get("SMOOTHTOPK_LIB_DIR"):
            return Path(given).absolute()
        target = os.environ.get("CARGO_TARGET_DIR") or "target"
        return Path(self.root).parent.parent / target / "release"
