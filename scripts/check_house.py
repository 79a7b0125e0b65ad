#!/usr/bin/env python3
"""Check how the house is kept, and print all that is wrong: lines that are too long, logic in a mod.rs, import circles.

    python scripts/check_house.py [width] [mod] [circles]

Without a name, all three are checked. The exit status is 1 where something was found.

A line may be too long where rustfmt cannot break it: the excess is the end of a string literal, perhaps with brackets
and commas after it, or the line is a row of a table in a doc comment. What is compiled for tests or imported for type
checkers alone makes no circle. An item counts for the file that has it, not for one that re-exports.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CRATES = ("src/lib.rs", "cli/src/main.rs", "cli/src/bin/gpu-check/main.rs")
PACKAGE = ROOT / "bindings/python/src/smoothtopk"

NAME = r"(?:r#)?[A-Za-z_]\w*"
NOT_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|\b[bc]?r(#*)".*?"\1|\b[bc]?"(?:\\.|[^"\\])*"|"(?:\\.|[^"\\])*"'
    r"|'(?:\\(?:u\{\w+\}|x\w\w|.)|[^'\\])'",
    re.DOTALL,
)
TEST = re.compile(r"#\[cfg\((?:all\()?test\b.*?\)\]")
ATTRIBUTE = re.compile(r"#!?\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]")
VISIBLE = r"(?:pub(?:\([^)]*\))?\s+)?"
MOD = re.compile(rf"{VISIBLE}\bmod\s+({NAME})\s*;")
USE = re.compile(rf"{VISIBLE}\buse\s+([^;]+);")
ITEM = re.compile(rf"\b(?:fn|struct|enum|union|trait|type|const|static|macro_rules!)\s+(?:mut\s+)?({NAME})")
CLOSING = re.compile(r"[\s,;?)\]}]*")
TABLE = re.compile(r"\s*//[/!] \|.*\|$")
PATH = re.compile(rf"(?<![\w:])({NAME}(?:\s*::\s*{NAME})+)")


def blank(text: str) -> str:
    """Spaces in the place of a text, which keep the numbers of lines."""
    return re.sub(r"[^\n]", " ", text)


def code(text: str) -> str:
    """Rust without comments, strings and what is compiled for tests alone."""
    text = NOT_CODE.sub(lambda found: blank(found[0]), text)
    while found := TEST.search(text):
        end, depth = found.end(), 0
        while end < len(text) and not (depth == 0 and text[end] == ";"):
            depth += {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}.get(text[end], 0)
            if depth == 0 and text[end] == "}":
                break
            end += 1
        text = text[: found.start()] + blank(text[found.start() : end + 1]) + text[end + 1 :]
    return text


def outermost(text: str) -> str:
    """Rust without what stands in braces."""
    while (shorter := re.sub(r"\{[^{}]*\}", lambda found: blank(found[0]), text)) != text:
        text = shorter
    return text


def leaves(tree: str) -> Iterator[tuple[list[str], str]]:
    """The paths of a use tree, and the name that each is given."""
    head, brace, rest = tree.partition("{")
    if brace:
        prefix = [part.strip() for part in head.split("::") if part.strip()]
        depth, start, inner = 0, 0, rest.rpartition("}")[0] + ","
        for i, letter in enumerate(inner):
            depth += {"{": 1, "}": -1}.get(letter, 0)
            if letter == "," and depth == 0:
                if inner[start:i].strip():
                    yield from ((prefix + path, name) for path, name in leaves(inner[start:i]))
                start = i + 1
        return
    path, _, renamed = tree.partition(" as ")
    parts = [part.strip() for part in path.split("::") if part.strip()]
    if len(parts) > 0 and parts[-1] == "self" and (tree.strip() == "self" or len(parts) > 1):
        yield [*parts[:-1], "self"], renamed.strip() or "self"
    else:
        yield parts, renamed.strip() or parts[-1]


@dataclass(eq=False)
class Module:
    """A file of Rust: its submodules, what it imports, and the items that it has."""

    file: Path
    parent: "Module | None" = None
    text: str = ""
    children: dict[str, "Module"] = field(default_factory=dict)
    imports: dict[str, list[str]] = field(default_factory=dict)
    globs: list[list[str]] = field(default_factory=list)
    items: set[str] = field(default_factory=set)
    paths: list[tuple[int, list[str]]] = field(default_factory=list)

    def root(self) -> "Module":
        return self.parent.root() if self.parent else self


def read(file: Path, parent: Module | None = None) -> Module:
    module = Module(file, parent, code(file.read_text()))
    text = module.text
    own = file.name in ("lib.rs", "main.rs", "mod.rs")
    folder = file.parent if own else file.parent / file.stem
    for found in MOD.finditer(text):
        places = [folder / f"{found[1]}.rs", folder / found[1] / "mod.rs"]
        if place := next((place for place in places if place.exists()), None):
            module.children[found[1]] = read(place, module)
    for found in USE.finditer(text):
        line = text.count("\n", 0, found.start(1)) + 1
        for path, name in leaves(found[1]):
            if path[-1] == "self":
                path = path[:-1]
                name = path[-1] if name == "self" and path else name
            if path[-1:] == ["*"]:
                if path[0] in ("crate", "super", "self", *module.children):
                    module.globs.append(path[:-1])
            elif path:
                module.imports.setdefault(name, path)
                module.paths.append((line, path))
    text = USE.sub(lambda found: blank(found[0]), text)
    module.items = set(ITEM.findall(outermost(text)))
    for found in PATH.finditer(text):
        line = text.count("\n", 0, found.start(1)) + 1
        module.paths.append((line, [part.strip() for part in found[1].split("::")]))
    return module


def resolve(module: Module, path: list[str], seen: frozenset = frozenset()) -> tuple[Module, bool] | None:
    """Whose file has what a path names, and whether that is a module. None for what is of another crate."""
    if (module, tuple(path)) in seen:
        return None
    seen |= {(module, tuple(path))}
    here, first = module, True
    for i, part in enumerate(path):
        if part == "crate" and first:
            here = module.root()
        elif part == "super":
            if here.parent is None:
                return None
            here = here.parent
        elif part == "self":
            pass
        elif part in here.items:
            return here, False
        elif part in here.children:
            here = here.children[part]
        elif part in here.imports and here.imports[part] != path:
            target = resolve(here, here.imports[part], seen)
            if target is None or not target[1]:
                return target or (None if first else (here, False))
            here = target[0]
        else:
            found = (resolve(here, [*glob, *path[i:]], seen) for glob in here.globs)
            found = next((target for target in found if target), None)
            return found or (None if first else (here, False))
        first = False
    return here, True


def every(module: Module) -> Iterator[Module]:
    yield module
    for child in module.children.values():
        yield from every(child)


Edges = dict[Path, dict[Path, str]]


def rust_edges(root: Path) -> Edges:
    edges: Edges = {}
    for module in every(read(root)):
        to = edges.setdefault(module.file, {})
        for line, path in module.paths:
            found = resolve(module, path)
            if found and not found[1] and found[0] is not module:
                to.setdefault(found[0].file, f"line {line}: {'::'.join(path)}")
        for glob in module.globs:
            if (found := resolve(module, glob)) and found[0] is not module:
                to.setdefault(found[0].file, f"{'::'.join(glob)}::*")
    return edges


def imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """What is imported when a program runs, in functions too."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        children = list(node.orelse)
    for child in children:
        yield from imports(child)


def python_edges() -> Edges:
    files = {file.stem: file for file in PACKAGE.glob("*.py")}
    edges: Edges = {}
    for file in files.values():
        to = edges.setdefault(file, {})
        for node in imports(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                base = (PACKAGE.name if node.level else "") + ("." if node.level and node.module else "")
                base += node.module or ""
                names = [f"{base}.{alias.name}" for alias in node.names]
            for name in names:
                package, _, rest = name.partition(".")
                if package == PACKAGE.name:
                    target = files.get(rest.split(".")[0], files["__init__"])
                    if target != file:
                        to.setdefault(target, f"line {node.lineno}: {name}")
    return edges


def reached(edges: Edges, start: Path) -> set[Path]:
    seen: set[Path] = set()
    todo = [start]
    while todo:
        for target in edges.get(todo.pop(), {}):
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def short(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def check_circles() -> Iterator[str]:
    for edges in [*(rust_edges(ROOT / root) for root in CRATES), python_edges()]:
        reach = {file: reached(edges, file) for file in edges}
        left = sorted(file for file in edges if file in reach[file])
        while left:
            circle = [file for file in left if file in reach[left[0]] and left[0] in reach[file]]
            left = [file for file in left if file not in circle]
            yield f"{len(circle)} files import each other in a circle:"
            for file in circle:
                for target, how in sorted(edges[file].items()):
                    if target in circle:
                        yield f"  {short(file)} imports from {short(target)} ({how})"


def check_mod() -> Iterator[str]:
    for file in tracked():
        if file.name == "mod.rs":
            text = NOT_CODE.sub(lambda found: blank(found[0]), file.read_text())
            for allowed in (ATTRIBUTE, MOD, USE):
                text = allowed.sub(lambda found: blank(found[0]), text)
            lines = [number for number, line in enumerate(text.splitlines(), 1) if line.strip()]
            if lines:
                yield f"{short(file)}:{lines[0]}: {len(lines)} lines are neither docs, mod nor use"


def check_width() -> Iterator[str]:
    found = re.search(r"^max_width = (\d+)", (ROOT / "rustfmt.toml").read_text(), re.MULTILINE)
    if not found:
        sys.exit("check_house: rustfmt.toml has no max_width")
    width = int(found[1])
    for file in tracked():
        text, start = file.read_text(), 0
        strings = [found.span() for found in NOT_CODE.finditer(text) if found[0][0] not in "/'"]
        for number, line in enumerate(text.splitlines(), 1):
            edge, end = start + width, start + len(line)
            literal = any(a < edge <= b and CLOSING.fullmatch(text[b:end]) for a, b in strings)
            if len(line) > width and not literal and not TABLE.match(line):
                yield f"{short(file)}:{number}: {len(line)} letters, {width} are allowed"
            start = end + 1


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.rs"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [file for name in listed.stdout.splitlines() if (file := ROOT / name).exists()]


CHECKS = {"width": check_width, "mod": check_mod, "circles": check_circles}


def main() -> None:
    if unknown := set(sys.argv[1:]) - CHECKS.keys():
        sys.exit(f"check_house: {', '.join(sorted(unknown))}: not one of {', '.join(CHECKS)}")
    found = [line for name in sys.argv[1:] or CHECKS for line in CHECKS[name]()]
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
