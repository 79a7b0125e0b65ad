#!/usr/bin/env python3
"""Derive src/smoothtopk/_abi.py, the ctypes declarations, from include/smoothtopk.h.

    python make_abi.py            writes the file
    python make_abi.py --check    exits 1 when the file is not what the header gives

Needs a C preprocessor (`cc`, or $CC) and pycparser. Anything in the header that it does not understand is an error, so
that no function is left without a declaration.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from pycparser import c_ast, c_parser  # type: ignore[import-untyped]

HERE = Path(__file__).resolve().parent
HEADER = HERE.parent.parent / "include" / "smoothtopk.h"
TARGET = HERE / "src" / "smoothtopk" / "_abi.py"

# C's types, as ctypes calls them.
SCALARS = {
    "bool": "c_bool",
    "char": "c_char",
    "float": "c_float",
    "double": "c_double",
    "size_t": "c_size_t",
    **{f"{sign}int{bits}_t": f"c_{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


class Header:
    """What the header declares, in its order."""

    def __init__(self, text: str) -> None:
        self.types: dict[str, str] = dict(SCALARS)
        self.constants: dict[str, int] = macros(text)
        self.structs: list[tuple[str, list[tuple[str, str]]]] = []
        self.opaque: list[str] = []
        self.callbacks: list[tuple[str, str]] = []
        self.functions: list[tuple[str, str, list[str]]] = []
        # What <stdint.h> and its like declare, so that no system header is read.
        known = "".join(
            f"typedef {'_Bool' if name == 'bool' else 'int'} {name};\n"
            for name in self.types
            if "_" in name or name == "bool"
        )
        for node in c_parser.CParser().parse(known + preprocessed(text)).ext:
            if getattr(node, "name", None) not in SCALARS:
                self.read(node)

    def read(self, node: c_ast.Node) -> None:
        if isinstance(node, c_ast.Typedef):
            self.read_typedef(node)
        elif isinstance(node, c_ast.Decl) and isinstance(node.type, c_ast.FuncDecl):
            result, arguments = self.signature(node.type)
            self.functions.append((node.name, result, arguments))
        elif isinstance(node, c_ast.Decl) and isinstance(node.type, c_ast.Enum):
            self.read_enum(node.type)
        elif isinstance(node, c_ast.Decl) and isinstance(node.type, c_ast.Struct):
            self.read_struct(node.type)
        else:
            raise SystemExit(f"make_abi: {node.coord}: not understood: {type(node).__name__}")

    def read_typedef(self, node: c_ast.Typedef) -> None:
        kind = node.type
        if isinstance(kind, c_ast.PtrDecl) and isinstance(kind.type, c_ast.FuncDecl):
            result, arguments = self.signature(kind.type)
            self.callbacks.append((node.name, f"CFUNCTYPE({', '.join([result, *arguments])})"))
            self.types[node.name] = node.name
        elif isinstance(kind, c_ast.TypeDecl) and isinstance(kind.type, c_ast.Struct):
            self.read_struct(kind.type)
        elif isinstance(kind, c_ast.TypeDecl) and isinstance(kind.type, c_ast.Enum):
            raise SystemExit(f"make_abi: {node.name}: an enum of no fixed width")
        else:
            self.types[node.name] = self.type_of(kind)

    def read_enum(self, node: c_ast.Enum) -> None:
        value = -1
        for item in node.values.enumerators:
            value = value + 1 if item.value is None else integer(item.value)
            self.constants[item.name] = value

    def read_struct(self, node: c_ast.Struct) -> None:
        if self.types.setdefault(node.name, node.name) != node.name:
            raise SystemExit(f"make_abi: struct {node.name} is declared as something else too")
        if node.decls is None:
            self.opaque.append(node.name)
        else:
            self.structs.append((node.name, [(field.name, self.type_of(field.type)) for field in node.decls]))

    def signature(self, node: c_ast.FuncDecl) -> tuple[str, list[str]]:
        arguments = [self.type_of(argument.type) for argument in (node.args.params if node.args else [])]
        return self.type_of(node.type), [] if arguments == ["None"] else arguments

    def type_of(self, node: c_ast.Node) -> str:
        if isinstance(node, c_ast.ArrayDecl):
            return f"{self.type_of(node.type)} * {integer(node.dim)}"
        if isinstance(node, c_ast.PtrDecl):
            target = self.type_of(node.type)
            return {"None": "c_void_p", "c_char": "c_char_p"}.get(target, f"POINTER({target})")
        if isinstance(node, c_ast.TypeDecl):
            kind = node.type
            name = kind.name if isinstance(kind, c_ast.Struct) else " ".join(kind.names)
            if name == "void":
                return "None"
            if name in self.types:
                return self.types[name]
        raise SystemExit(f"make_abi: {node.coord}: a type that is not understood")


def macros(text: str) -> dict[str, int]:
    value = r"\(?(-?\d+|UINT64_MAX)[uUlL]*\)?"
    found = re.findall(rf"^[ \t]*#[ \t]*define[ \t]+(STK_\w+)[ \t]+{value}", text, re.MULTILINE)
    return {name: int(value.replace("UINT64_MAX", str(2**64 - 1))) for name, value in found}


def preprocessed(text: str) -> str:
    """The header as a C compiler sees it, with no system header's contents."""
    text = re.sub(r"^[ \t]*#[ \t]*include.*$", "", text, flags=re.MULTILINE)
    command = [os.environ.get("CC", "cc"), "-E", "-P", "-DSTK_MUST_CHECK=", "-xc", "-std=c11", "-"]
    return subprocess.run(command, input=text, text=True, stdout=subprocess.PIPE, check=True).stdout


def integer(node: c_ast.Node) -> int:
    if isinstance(node, c_ast.UnaryOp) and node.op == "-":
        return -integer(node.expr)
    if isinstance(node, c_ast.Constant):
        return int(node.value.rstrip("uUlL"), 0)
    raise SystemExit(f"make_abi: {node.coord}: a constant that is not understood")


def generate(text: str) -> str:
    header = Header(text)
    lines = [
        '"""The C ABI as ctypes declarations. Made by make_abi.py from include/smoothtopk.h: change that, not this."""',
        "",
        "from ctypes import CFUNCTYPE, POINTER, Structure, c_bool, c_char_p, c_double, c_float, c_int32, c_int64",
        "from ctypes import c_size_t, c_uint8, c_uint32, c_uint64, c_void_p",
        "from typing import Any",
        "",
    ]
    lines += [f"{name} = {value}" for name, value in header.constants.items()]
    complete = {name for name, _ in header.structs}
    # By name, so that a header in another order makes no other file.
    for name in sorted(set(header.opaque)):
        if name not in complete:
            lines += ["", "", f"class {name}(Structure):", "    pass"]
    # Structs may hold callbacks, which may point at other structs.
    callbacks = {name for name, _ in header.callbacks}
    holds_callbacks = [any(kind in callbacks for _, kind in fields) for _, fields in header.structs]
    lines += structs([s for s, holds in zip(header.structs, holds_callbacks) if not holds])
    lines += ["", ""]
    lines += [f"{name} = {kind}" for name, kind in header.callbacks]
    lines += structs([s for s, holds in zip(header.structs, holds_callbacks) if holds])
    lines += ["", ""]
    lines += [
        "",
        "# Every function: what it returns, what it takes.",
        "FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {",
    ]
    lines += [
        f'    "{name}": ({result}, [{", ".join(arguments)}]),' for name, result, arguments in sorted(header.functions)
    ]
    lines += ["}", ""]
    return "\n".join(lines)


def structs(of: list[tuple[str, list[tuple[str, str]]]]) -> list[str]:
    lines = []
    for name, fields in of:
        lines += ["", "", f"class {name}(Structure):", "    _fields_ = ("]
        lines += [f'        ("{field}", {kind}),' for field, kind in fields]
        lines += ["    )"]
    return lines


def main() -> None:
    text = generate(HEADER.read_text())
    if sys.argv[1:] == ["--check"]:
        if not TARGET.is_file() or TARGET.read_text() != text:
            sys.exit(f"make_abi: {TARGET.name} is not what {HEADER.name} gives: run {Path(__file__).name}")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        TARGET.write_text(text)


if __name__ == "__main__":
    main()
