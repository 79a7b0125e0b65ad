#!/usr/bin/env python3
"""Puts the pages of the site together for Sphinx: `make docs` calls it.

    python scripts/site/assemble.py FOLDER | --check

A page is written once, where a reader of the repository looks for it. Links are written for the repository, too: a link
to a file that is a page here leads to the page, and one to another file becomes its path. A link to nothing is an
error, and so is a page of docs/ that NAVIGATION does not name. With --check, which needs Python alone,
that is all that is done.
"""

import argparse
import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from headers import c_reference, cpp_reference

ROOT = Path(__file__).resolve().parents[2]
# The site's contents: pages, with a title where theirs is long. A page that a checkout has not is left out.
NAVIGATION = {
    "Start": [
        "Tutorial <tutorial>",
        "Notebook: a certificate <notebooks/certificate>",
        "Notebook: runs <notebooks/runs>",
        "Words <glossary>",
        "Changes <changes>",
    ],
    "How to": [
        "Your model <models>",
        "A model that was not trained with noise <denoiser>",
        "Choose sigma, n, k, the rule <choosing>",
        "Which certificate for which attacker <attackers>",
        "Read a certificate <reading>",
        "Certify overnight, and resume <overnight>",
        "Certify on many machines <cluster>",
        "Put certificates to the test <verify>",
        "C and C++ <cpp>",
        "Python <python>",
        "Python at scale <python-at-scale>",
        "Go <go>",
        "Rust <rust>",
        "A C++ server <cpp-server>",
        "A Go service <go-service>",
        "Triton <triton>",
        "Run a service <deploy>",
        "Come from another tool <compare>",
    ],
    "Reference": [
        "Command line <cli>",
        "C <reference-c>",
        "C++ <reference-cpp>",
        "Go <reference-go>",
        "Python <reference-python>",
        "Records and counts <record>",
        "Errors and exit codes <errors>",
    ],
    "Explanation": [
        "What is promised <promises>",
        "Statistics <statistics>",
        "Noise <noise>",
        "What counts may prove <counts>",
        "Threat model <security>",
        "Benchmarks <benchmarks>",
        "GPUs <gpu>",
        "Status and limits <status>",
    ],
    "Maintain": [
        "Architecture <architecture>",
        "Design <design>",
        "Contribute <contributing>",
        "Extend <extending>",
        "Release <releasing>",
    ],
}
# Pages that lie elsewhere in the repository.
ELSEWHERE = {
    "index": "README.md",
    "architecture": "ARCHITECTURE.md",
    "changes": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "releasing": "RELEASING.md",
    "security": "SECURITY.md",
    "python": "bindings/python/README.md",
    "go": "bindings/go/README.md",
    "cpp-server": "examples/cpp-server/README.md",
    "go-service": "examples/go-service/README.md",
}
FENCE = re.compile(r"^(```+).*?^\1$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#]*)(?P<anchor>#[^)\s]*)?\)")
TYPE_LINK = re.compile(r"\[([^\]]*)\]\(#[^)]*\)")
RUN = re.compile(r"^<!-- *(run|not run|prints).*-->\n", re.MULTILINE)


def go_reference() -> str:
    """What `go doc` prints, as it is."""
    command = [os.environ.get("GO", "go"), "doc", "-all", "."]
    done = subprocess.run(command, cwd=ROOT / "bindings" / "go", text=True, capture_output=True, check=True)
    return f"# Go: package smoothtopk\n\n```go\n{done.stdout}```\n"


def python_reference() -> str:
    """What the docstrings say, which are Markdown, of every public name."""
    from griffe2md import ConfigDict, render_package_docs  # `--check` does without

    logging.getLogger("griffe").setLevel(logging.CRITICAL)  # docstrings of several parameters at once
    options = ConfigDict(
        search_paths=[str(ROOT / "bindings" / "python" / "src")],
        heading_level=2,
        filters=["!^_"],
        docstring_section_style="list",
        annotations_path="brief",
        signature_crossrefs=False,
        summary=False,
        **dict.fromkeys(("show_submodules", "show_if_no_docstring", "show_category_heading"), False),
        **dict.fromkeys(("show_root_heading", "show_object_full_path", "show_root_members_full_path"), False),
    )
    text = render_package_docs("smoothtopk", options)
    text = re.sub(r"</?code>", "`", TYPE_LINK.sub(r"\1", text))
    return f"# Python: package smoothtopk\n\n{text}"


MADE = {
    "reference-c": lambda: c_reference(ROOT / "include" / "smoothtopk.h"),
    "reference-cpp": lambda: cpp_reference(ROOT / "include" / "smoothtopk.hpp"),
    "reference-go": go_reference,
    "reference-python": python_reference,
}


class Pages:
    """The pages, and what is wrong with their links."""

    def __init__(self) -> None:
        own = {path.stem: f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
        self.files = {**own, **{page: file for page, file in ELSEWHERE.items()}}
        self.page_of = {file: page for page, file in self.files.items()}
        self.wrong: list[str] = []
        named = {entry.split("<")[1].strip(">") for entries in NAVIGATION.values() for entry in entries}
        notebooks = {
            f"notebooks/{path.stem}": f"docs/notebooks/{path.name}" for path in ROOT.glob("docs/notebooks/*.ipynb")
        }
        files = own | notebooks
        self.wrong += [f"{files[page]}: NAVIGATION does not name it" for page in sorted(files.keys() - named)]

    def relinked(self, file: str, match: re.Match[str]) -> str:
        """A link of the repository as a link of the site."""
        target, anchor, text = match["target"], match["anchor"] or "", match["text"]
        if not target or "://" in target or target.startswith("mailto:"):
            return match[0]
        path = os.path.normpath(Path(file).parent / target)
        if not (ROOT / path).exists():
            self.wrong.append(f"{file}: links to {target}, which does not exist")
        elif path in self.page_of:
            return f"[{text}]({self.page_of[path]}.md{anchor})"
        elif path.startswith("docs/"):
            return f"{match['image']}[{text}]({path.removeprefix('docs/')}{anchor})"
        return text if path.rstrip("/").endswith(text.strip("`")) else f"{text} (`{path}`)"

    def markdown(self, file: str) -> str:
        """A page with the site's links, without the notes to those who run its programs."""
        text, parts, end = RUN.sub("", (ROOT / file).read_text()), [], 0
        for fence in FENCE.finditer(text):
            parts += [LINK.sub(lambda each: self.relinked(file, each), text[end : fence.start()]), fence[0]]
            end = fence.end()
        return "".join([*parts, LINK.sub(lambda each: self.relinked(file, each), text[end:])])


def navigation(present: set[str]) -> str:
    """The site's contents, which the first page holds."""
    parts = []
    for title, entries in NAVIGATION.items():
        lines = "\n".join(entry for entry in entries if entry.split("<")[1].strip(">") in present)
        parts.append(f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n{lines}\n```\n")
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Puts the pages of the site together.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("folder", type=Path, nargs="?", help="where to, made anew")
    what.add_argument("--check", action="store_true", help="only check the links between files")
    options = parser.parse_args(arguments)
    pages = Pages()
    written = {page: pages.markdown(file) for page, file in sorted(pages.files.items())}
    if pages.wrong:
        print("\n".join(pages.wrong), file=sys.stderr)
        return 1
    if options.check:
        return 0
    written |= {page: make() for page, make in MADE.items()}
    notebooks = {f"notebooks/{path.stem}" for path in (ROOT / "docs/notebooks").glob("*.ipynb")}
    written["index"] += "\n" + navigation(set(written) | notebooks)
    shutil.rmtree(options.folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", options.folder, ignore=shutil.ignore_patterns("*.md"))
    for page, text in written.items():
        (options.folder / f"{page}.md").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
