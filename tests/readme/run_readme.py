#!/usr/bin/env python3
"""Runs the examples in Markdown files as they are printed.

    python tests/readme/run_readme.py README.md docs/*.md

The rule. A line with an HTML comment stands before each fenced block of c, cpp, go, python or sh:

    <!-- run: python -->          the next block is a whole program in that language; it must exit with 0
    <!-- not run: REASON -->      the next block is no program, or cannot be run here

and a block of text that follows a program may have

    <!-- prints -->               the program prints exactly this, save for spaces at the end of lines

A block of these languages without a comment, a comment without its block, and files in which one of the languages is
not run at all are errors, so that no example is forgotten. A program runs in a folder of its own that has the
repository's demo and tests folders in it; a page's sh programs share one, in their order. It finds the library that was
built (SMOOTHTOPK_LIB_DIR, else target/release); in sh it finds the command line and this Python. Go without a `package`
line is the inside of `main`, with context, fmt, log and smoothtopk imported and a `must` that ends the program on an
error. Nothing but Python's own library is needed here; the programs need their compilers.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("c", "cpp", "go", "python", "sh")
COMMENT = re.compile(r"<!-- *(run: *(?P<run>\w+)|not run: *(?P<reason>\S.*?)|(?P<prints>prints)) *-->")
FENCE = re.compile(r"(?P<ticks>```+|~~~+) *(?P<language>[\w+-]*)")
LIMIT = 300
GO_MAIN = """package main

import (
	"context"
	"fmt"
	"log"
	"smoothtopk"
)

func main() {
%s}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

var (
	_ = context.Background
	_ = fmt.Sprint
)
"""


class WrongError(Exception):
    """What is wrong with the file or one of its programs."""


@dataclass
class Example:
    """A program in the file."""

    language: str
    line: int
    program: str
    prints: str | None = None


def examples(text: str) -> list[Example]:
    """The programs that are to be run."""
    found: list[Example] = []
    comment: tuple[int, re.Match[str]] | None = None
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if match := COMMENT.fullmatch(line.strip()):
            if comment:
                raise WrongError(f"line {comment[0]}: no block follows {comment[1][0]}")
            comment = number, match
        elif re.match(r" *<!-- *(run|not run|prints)\b", line):
            raise WrongError(f"line {number}: not understood: {line.strip()}")
        elif match := FENCE.match(line):
            body = block(lines, number, match["ticks"])
            read_block(found, match["language"], number, body, comment[1] if comment else None)
            comment = None
        elif line.strip() and comment:
            raise WrongError(f"line {comment[0]}: no block follows {comment[1][0]}")
    if comment:
        raise WrongError(f"line {comment[0]}: no block follows {comment[1][0]}")
    return found


def check_languages(found: list[Example], required: tuple[str, ...]) -> None:
    """Raises the languages in which no example is run."""
    if missing := [language for language in required if language not in {each.language for each in found}]:
        raise WrongError(f"no example is run in: {', '.join(missing)}")


def block(lines: Iterator[tuple[int, str]], number: int, ticks: str) -> str:
    """The lines up to the end of the block."""
    body: list[str] = []
    for _, line in lines:
        if line.rstrip() == ticks:
            return "\n".join([*body, ""])
        body.append(line)
    raise WrongError(f"line {number}: the block does not end")


def read_block(found: list[Example], language: str, number: int, body: str, comment: re.Match[str] | None) -> None:
    if comment and comment["prints"]:
        if not found or found[-1].prints is not None or language in LANGUAGES:
            raise WrongError(f"line {number}: {comment[0]} belongs before a text that follows a program")
        found[-1].prints = body
    elif comment and comment["run"]:
        if comment["run"] != language or language not in LANGUAGES:
            raise WrongError(f"line {number}: {comment[0]} stands before a block of {language or 'nothing'}")
        found.append(Example(language, number, body))
    elif not comment and language in LANGUAGES:
        raise WrongError(
            f"line {number}: a block of {language} with neither <!-- run: {language} --> nor <!-- not run: .. -->"
        )


def library_folder() -> Path:
    """Where the library was built."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    given = os.environ.get("SMOOTHTOPK_LIB_DIR")
    return Path(given).resolve() if given else (ROOT / target / "release").resolve()


def environment() -> dict[str, str]:
    """Where the programs find things."""
    library, values = library_folder(), dict(os.environ)
    values.setdefault("SMOOTHTOPK_ONNXRUNTIME", str(ROOT / ".deps" / "onnxruntime"))
    values["SMOOTHTOPK_LIBRARY"] = str(library)
    values["PATH"] = os.pathsep.join(
        [str(library), str(Path(sys.executable).parent), str(ROOT / ".deps" / "go" / "bin"), values.get("PATH", "")]
    )
    values |= {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOWORK": "off", "CGO_ENABLED": "1"}
    return values


def commands(language: str, folder: Path) -> list[list[str]]:
    """Writes what the program needs beside it, and says how to build and run it."""
    if language == "python":
        return [[sys.executable, "example.py"]]
    if language == "sh":
        return [["sh", "-eu", "example.sh"]]
    if language == "go":
        binding = ROOT / "bindings" / "go"
        module = (binding / "go.mod").read_text()
        name, version = stated(r"^module (\S+)", module), stated(r"^go (\S+)", module)
        requires = f"require {name} v0.0.0\nreplace {name} => {binding}\n"
        (folder / "go.mod").write_text(f"module example\ngo {version}\n{requires}")
        return [["go", "run", "."]]
    # The loader looks for the library by its SONAME, which has the ABI's number.
    header = (ROOT / "include" / "smoothtopk.h").read_text()
    abi = stated(r"^#define STK_ABI_VERSION (\d+)", header)
    (folder / "lib").mkdir()
    for name in ("libsmoothtopk.so", f"libsmoothtopk.so.{abi}"):
        (folder / "lib" / name).symlink_to(library_folder() / "libsmoothtopk.so")
    compiler = {"c": [os.environ.get("CC", "cc"), "-std=c11"], "cpp": [os.environ.get("CXX", "c++"), "-std=c++17"]}
    flags = [
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Werror",
        f"-I{ROOT / 'include'}",
        "-Llib",
        f"-Wl,-rpath,{folder / 'lib'}",
    ]
    return [[*compiler[language], *flags, f"example.{language}", "-lsmoothtopk", "-o", "example"], ["./example"]]


def stated(pattern: str, text: str) -> str:
    """What the pattern's group has in a text that must have it."""
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise WrongError(f"found no {pattern}")
    return match[1]


def run_all(found: list[Example]) -> Iterator[tuple[Example, str | None]]:
    """Runs programs, each in a folder of its own and those of sh in one; gives with each what is wrong with it."""
    with tempfile.TemporaryDirectory(prefix="readme-") as scratch:
        for number, example in enumerate(found):
            folder = Path(scratch) / ("sh" if example.language == "sh" else str(number))
            folder.mkdir(exist_ok=True)
            try:
                run(example, folder)
                yield example, None
            except WrongError as error:
                yield example, str(error)


def run(example: Example, folder: Path) -> None:
    """Runs a program in a folder; raises what is wrong with it."""
    for name in ("demo", "tests"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    inside = example.language == "go" and not re.search(r"^package ", example.program, re.MULTILINE)
    program = GO_MAIN % example.program if inside else example.program
    (folder / f"example.{example.language}".replace(".python", ".py")).write_text(program)
    for command in commands(example.language, folder):
        if shutil.which(command[0], path=environment()["PATH"]) is None and not command[0].startswith("./"):
            raise WrongError(f"needs {command[0]}, which is not there")
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=environment(),
                text=True,
                capture_output=True,
                timeout=LIMIT,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise WrongError(f"not finished after {LIMIT} seconds") from None
        if done.returncode != 0:
            raise WrongError(f"exit code {done.returncode} of {' '.join(command)}\n{done.stdout}{done.stderr}".rstrip())
    if example.prints is not None and trimmed(done.stdout) != trimmed(example.prints):
        raise WrongError(f"prints\n{done.stdout}and not\n{example.prints}".rstrip())


def trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Runs the examples in Markdown files as they are printed.")
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--only", action="append", choices=LANGUAGES, help="run the examples of this language alone")
    options = parser.parse_args(arguments)
    wanted = tuple(options.only or LANGUAGES)
    chosen: dict[Path, list[Example]] = {}
    file = options.files[0]
    try:
        for file in options.files:
            chosen[file] = [each for each in examples(file.read_text()) if each.language in wanted]
        check_languages([each for found in chosen.values() for each in found], wanted)
    except (OSError, WrongError) as error:
        print(f"{file}: {error}", file=sys.stderr)
        return 1
    failed = 0
    for file, found in chosen.items():
        for example, wrong in run_all(found):
            failed += wrong is not None
            where = f"{file}:{example.line}: {example.language}"
            print(f"{where}: {wrong or 'runs as printed'}", file=sys.stderr if wrong else sys.stdout)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
