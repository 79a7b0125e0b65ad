"""Puts the shared library and the program that Cargo has built into the wheel, and tags it for their platform.

SMOOTHTOPK_LIB_DIR names their folder; without it, Cargo's release folder is meant. SMOOTHTOPK_WHEEL_PLATFORM
replaces the platform tag, for a library that was built for, or to run on, another one (manylinux).
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROGRAM = "smoothtopk.exe" if sys.platform == "win32" else "smoothtopk"
NAME = {"darwin": "libsmoothtopk.dylib", "win32": "smoothtopk.dll"}.get(sys.platform, "libsmoothtopk.so")


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

    def folder(self) -> Path:
        """Where the library is."""
        if given := os.environ.get("SMOOTHTOPK_LIB_DIR"):
            return Path(given).absolute()
        target = os.environ.get("CARGO_TARGET_DIR") or "target"
        return Path(self.root).parent.parent / target / "release"
