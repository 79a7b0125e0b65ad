"""The command line: the program that is in the wheel, with the ONNX Runtime of the installed package."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from ._runtime import VARIABLES, package_library

PROGRAM = Path(__file__).parent / "_bin" / ("smoothtopk.exe" if sys.platform == "win32" else "smoothtopk")


def environment() -> dict[str, str]:
    """What the program runs in: with the place of ONNX Runtime."""
    variables = dict(os.environ)
    if not any(variables.get(name) for name in VARIABLES) and (library := package_library()):
        variables[VARIABLES[0]] = str(library)
    return variables


def main() -> NoReturn:
    """Becomes the program: its arguments, output, signals and exit codes are its own. `compose` is done here."""
    if sys.argv[1:2] == ["compose"]:
        from ._compose_command import main as compose

        sys.exit(compose(sys.argv[2:]))
    try:
        os.execve(PROGRAM, ["smoothtopk", *sys.argv[1:]], environment())
    except OSError as error:
        sys.exit(f"smoothtopk: {PROGRAM} cannot be run: {error.strerror}")
