"""The rule by which the README's examples are found, and that an example that fails is seen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from run_readme import LANGUAGES, ROOT, Example, WrongError, check_languages, examples, main, run

GOOD = """# Title

<!-- run: sh -->

```sh
echo "three   "
```

It prints:

<!-- prints -->
```text
three
```

<!-- not run: no machine has it -->
```python
no program
```

```text
anything
```
"""


def test_the_rule(tmp_path: Path) -> None:
    [found] = examples(GOOD)
    assert found == Example("sh", 5, 'echo "three   "\n', "three\n")
    run(found, tmp_path)
    check_languages([found], ("sh",))
    with pytest.raises(WrongError, match="no example is run in: c, cpp, go, python"):
        check_languages([found], LANGUAGES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```python\n1\n```\n", "neither"),
        ("<!-- run: python -->\ntext\n", "no block follows"),
        ("<!-- run: python -->\n", "no block follows"),
        ("<!-- run: python -->\n<!-- run: python -->\n```python\n```\n", "no block follows"),
        ("<!-- run: python -->\n```sh\n```\n", "stands before a block of sh"),
        ("<!-- run: ruby -->\n```ruby\n```\n", "stands before a block of ruby"),
        ("<!-- run python -->\n```python\n```\n", "not understood"),
        ("<!-- not run: -->\n```python\n```\n", "not understood"),
        ("<!-- run: python -->\n```python\n", "does not end"),
        ("<!-- prints -->\n```text\n```\n", "follows a program"),
        ("<!-- run: sh -->\n```sh\n```\n<!-- prints -->\n```sh\n```\n", "follows a program"),
    ],
)
def test_what_breaks_the_rule(text: str, message: str) -> None:
    with pytest.raises(WrongError, match=message):
        examples(text)


@pytest.mark.parametrize(
    ("language", "program", "prints"),
    [
        ("sh", "false\ntrue\n", None),
        ("sh", "echo one\n", "two\n"),
        ("python", "import smoothtopk.absent\n", None),
        ("c", "int main(void) { return 1; }\n", None),
        ("c", "#include <smoothtopk.h>\nint main(void) { unused(); }\n", None),
        ("cpp", "int main() { return 2; }\n", None),
    ],
)
def test_a_program_that_fails(tmp_path: Path, language: str, program: str, prints: str | None) -> None:
    with pytest.raises(WrongError):
        run(Example(language, 1, program, prints), tmp_path)


@pytest.mark.parametrize(
    ("language", "program"),
    [
        ("sh", "test -f demo/digits_test200.npz\n"),
        ("python", "import smoothtopk\nprint(smoothtopk.Counts.assuming([5, 90, 5], sigma=0.25).certify(1).label)\n"),
        (
            "c",
            "#include <smoothtopk.h>\n#include <stdio.h>\n"
            'int main(void) { printf("%d\\n", (int)stk_abi_version()); return 0; }\n',
        ),
        ("cpp", "#include <smoothtopk.h>\nint main() { return stk_abi_version() != STK_ABI_VERSION; }\n"),
    ],
)
def test_a_program_that_works(tmp_path: Path, language: str, program: str) -> None:
    run(Example(language, 1, program, "1\n" if "print" in program else None), tmp_path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "README.md"
    assert main([str(file)]) == 1 and "No such file" in capsys.readouterr().err
    file.write_text(GOOD)
    assert main([str(file)]) == 1 and "no example is run in" in capsys.readouterr().err
    blocks = "".join(f"<!-- run: {language} -->\n```{language}\n\n```\n" for language in LANGUAGES)
    file.write_text(blocks)
    assert main([str(file), "--only", "sh", "--only", "python"]) == 0
    assert capsys.readouterr().out.count("runs as printed") == 2
    file.write_text(blocks.replace("```sh\n\n", "```sh\nexit 3\n"))
    assert main([str(file), "--only", "sh"]) == 1 and "exit code 3" in capsys.readouterr().err
    file.write_text("<!-- run: sh -->\n```sh\ntouch kept\n```\n<!-- run: sh -->\n```sh\ntest -f kept\n```\n")
    assert main([str(file), "--only", "sh"]) == 0


def test_the_programs_of_each_framework_can_be_read() -> None:
    """`make test-exports` runs them, with the frameworks that they need."""
    found = examples((ROOT / "docs" / "models.md").read_text())
    for needed in ("import torch", "import keras", "import jax", "from skl2onnx"):
        assert any(needed in each.program for each in found), needed
    for each in found:
        compile(each.program, f"docs/models.md:{each.line}", "exec")


def test_the_readme_is_short() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    for each in examples(text):
        assert len(each.program.splitlines()) <= 10, f"README.md:{each.line}"


def test_the_rust_example_is_the_crates_own() -> None:
    """cargo runs that of src/lib.rs: the README's is the same, but for what rustdoc hides."""
    readme = (ROOT / "README.md").read_text().split("```rust\n")[1].split("```")[0]
    crate = (ROOT / "src" / "lib.rs").read_text().split("//! ```\n")[1]
    lines = [line.removeprefix("//!").removeprefix(" ") for line in crate.splitlines()]
    assert readme.splitlines() == [line for line in lines if not line.startswith(("# ", "// ", "let json"))]


def test_every_status_is_on_the_page_of_errors() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    for name in re.findall(r"^#define STK_STATUS_(\w+)", (ROOT / "include" / "smoothtopk.h").read_text(), re.MULTILINE):
        assert f"| `{name}` |" in page, name
