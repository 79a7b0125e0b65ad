"""Markdown of the C and the C++ header: what stands in their comments, beside what it is about."""

import re
from collections.abc import Iterator
from pathlib import Path

COMMENT = re.compile(
    r"^/\*\*\n(?P<words>.*?)^ \*/\n(?P<code>.*?)(?=^/\*\*|^#ifdef|^#endif|\Z)", re.DOTALL | re.MULTILINE
)
NAMED = (
    re.compile(r"^#define (\w+)"),
    re.compile(r"^}\s*(\w+);", re.MULTILINE),
    re.compile(r"^typedef .*?\(\*(\w+)\)", re.DOTALL),
    re.compile(r"^typedef .*?(\w+);", re.DOTALL),
    re.compile(r"\b(stk_\w+)\("),
)
PARTS = ("Types", "Constants", "Functions")


def plain(text: str) -> str:
    """Text in which stars and angle brackets mean nothing to Markdown, save in code."""
    parts = re.split(r"(`[^`]*`|^ {4}.*$)", text, flags=re.MULTILINE)
    return "".join(part if number % 2 else re.sub(r"[*<]", r"\\\g<0>", part) for number, part in enumerate(parts))


def head(text: str) -> str:
    """The words of a header's first comment, without its stars or slashes."""
    lines = [re.sub(r"^(/\* ?| \* ?|/// ?)", "", line).removesuffix(" */") for line in text.splitlines()]
    return plain("\n".join("" if line.strip() in ("*/", "/") else line for line in lines))


def words(comment: str) -> str:
    """A comment as Markdown: parameters and what is returned as a list."""
    text = plain("\n".join(line.removeprefix(" *").removeprefix(" ") for line in comment.splitlines()))
    text = re.sub(r"^@param (\w+) ", r"\n- `\1`: ", text, flags=re.MULTILINE)
    return re.sub(r"^@return ", r"\n- *returns*: ", text, flags=re.MULTILINE).strip()


def c_reference(header: Path) -> str:
    """Every type, constant and function of smoothtopk.h."""
    text = header.read_text()
    first = head(text.split("#ifndef")[0]).strip()
    found: dict[str, list[str]] = {part: [] for part in PARTS}
    for match in COMMENT.finditer(text):
        code = match["code"].strip()
        if name := next((each[1] for pattern in NAMED if (each := pattern.search(code))), None):
            part = "Constants" if code.startswith("#define") else "Types" if "typedef" in code else "Functions"
            found[part].append(f"### {name}\n\n```c\n{code}\n```\n\n{words(match['words'])}\n")
    assert all(found.values()), "a part of smoothtopk.h was not understood"
    parts = "\n".join(f"## {part}\n\n" + "\n".join(found[part]) for part in PARTS)
    return f"# C: smoothtopk.h\n\n{first}\n\n{parts}"


def public_lines(lines: Iterator[str]) -> Iterator[str]:
    """A class without what is private, and functions without their bodies."""
    hidden, depth = False, 0
    for line in lines:
        if line.startswith("};"):
            yield line
            return
        if depth == 0 and line.strip() in ("public:", "private:", "protected:"):
            hidden = line.strip() != "public:"
        opened, before = line.count("{") - line.count("}"), depth
        depth += opened
        if not hidden and before == 0 and not line.strip().startswith("// "):
            body = opened > 0 or re.search(r"\) (const |noexcept |& |&& )*\{.*\}$", line)
            yield re.sub(r" (: \w+\(.*)?\{.*$", ";", line) if body else line
        depth = max(depth, 0)


def cpp_reference(header: Path) -> str:
    """Every class, enumeration and function of smoothtopk.hpp that has a comment."""
    text = header.read_text()
    first = head(text.split("#ifndef SMOOTHTOPK_HPP")[0])
    first = re.sub(r"^Conventions$", "## Conventions\n", first, flags=re.MULTILINE)
    text = re.sub(r"^namespace detail \{.*?^\}  // namespace detail$", "", text, flags=re.DOTALL | re.MULTILINE)
    parts, comment = [], []
    lines = iter(text.split("#define SMOOTHTOPK_HPP")[-1].split("namespace smoothtopk {", 1)[-1].splitlines())
    for line in lines:
        if line.startswith("/// "):
            comment.append(line[4:])
        elif line.startswith("///"):
            comment.append("")
        elif not line.strip() or line.startswith(("#", "template")) or not comment:
            if not line.startswith("template"):
                comment = []
        else:
            named = re.match(r"(?:class|struct|enum class) (?:\[\[nodiscard\]\] )?(\w+(?:<void>)?)", line)
            named = named or re.search(r"(\w+)(?= =|\()", line)
            code = [line, *public_lines(lines)] if line.endswith("{") and not line.startswith("inline") else [line]
            if named:
                name, about = named[1].replace("<", r"\<"), plain("\n".join(comment))
                parts.append(f"### {name}\n\n{about}\n\n```cpp\n" + "\n".join(code) + "\n```\n")
            comment = []
    assert len(parts) > 20, "smoothtopk.hpp was not understood"
    return f"# C++: smoothtopk.hpp\n\n{first}\n\n## Names\n\n" + "\n".join(parts)
