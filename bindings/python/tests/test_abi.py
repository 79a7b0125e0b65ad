"""The declarations, the types and the wheel."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import smoothtopk
from smoothtopk import InternalError, PanicError, PoisonedError, _abi, _convert, _errors, _statements
from smoothtopk._counts_base import counts_handle
from smoothtopk._library import call, lib
from smoothtopk._structs import values

from conftest import BINDING, MODELS, ROOT, clean_environment, given


def test_declarations_are_those_of_the_header() -> None:
    done = subprocess.run([sys.executable, BINDING / "make_abi.py", "--check"], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_the_package_under_test_has_these_declarations() -> None:
    assert Path(_abi.__file__).read_text() == (BINDING / "src" / "smoothtopk" / "_abi.py").read_text()


def test_every_status_has_an_exception() -> None:
    statuses = {value for name, value in vars(_abi).items() if name.startswith("STK_STATUS_")}
    assert set(_errors.BY_STATUS) == statuses - {_abi.STK_STATUS_OK}


def test_the_library_fills_whole_structs() -> None:
    owner, summary = given(5, 90, 5), _abi.stk_summary()
    counts = owner._handle.pointer
    query = _abi.stk_query(struct_size=ctypes.sizeof(_abi.stk_query), label=1, k=1, alpha=0.001)
    to = ctypes.byref(summary), ctypes.sizeof(summary)
    call(lib.stk_counts_certify, counts, ctypes.byref(query), *to)
    assert summary.struct_size == ctypes.sizeof(summary)
    assert (summary.n, summary.label, summary.k) == (100, 1, 1)
    guarantee = _abi.stk_guarantee()
    room = ctypes.byref(guarantee), ctypes.sizeof(guarantee)
    call(lib.stk_counts_guarantee, counts, None, 1, 0.001, None, None, None, *room)
    assert guarantee.struct_size == ctypes.sizeof(guarantee)
    assert (guarantee.n, guarantee.k, guarantee.noise_scale) == (100, 1, 0.5)


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("decision", {None, *get_args(_statements.Decision)}),
        ("generator", {None, *get_args(_convert.Generator)}),
        ("validity", {None, "fixed", "anytime", "anytime:7", "randomized:0.5", "exact"}),
    ],
)
def test_every_constant_of_a_field_has_its_name(field: str, names: set[str | None]) -> None:
    codes = {value for name, value in vars(_abi).items() if name.startswith(f"STK_{field.upper()}_")}
    found = {values(_abi.stk_summary(**{field: code}, validity_last=7, uniform=0.5))[field] for code in codes}
    assert found == names and len(codes) == len(names)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif("test_hooks" not in smoothtopk.build_info(), reason="the library was built without test-hooks")
def test_a_panic_is_an_exception() -> None:
    # No header declares it.
    lib.stk_test_panic.argtypes = [ctypes.POINTER(_abi.stk_counts), ctypes.POINTER(ctypes.POINTER(_abi.stk_error))]
    with pytest.raises(PanicError) as raised:
        call(lib.stk_test_panic, None)
    assert isinstance(raised.value, InternalError)
    handle = counts_handle()
    call(lib.stk_counts_assume, (ctypes.c_uint64 * 2)(3, 4), 2, 0, b"gaussian:1", 0.0, None, handle.out())
    with pytest.raises(PanicError):
        call(lib.stk_test_panic, handle.pointer)
    pointer, length = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_size_t()
    with pytest.raises(PoisonedError):
        call(lib.stk_counts_labels, handle.pointer, ctypes.byref(pointer), ctypes.byref(length))


def test_versions() -> None:
    cargo = (ROOT / "Cargo.toml").read_text()
    assert f'\nversion = "{smoothtopk.version()}"\n' in cargo
    assert smoothtopk.__version__ == smoothtopk.version()
    assert smoothtopk.version() in smoothtopk.build_info()


WHEELS = os.environ.get("SMOOTHTOPK_WHEELS")


@pytest.fixture(scope="module")
def wheel() -> Path:
    """The wheel that was built for the tests."""
    if not WHEELS:
        pytest.skip("SMOOTHTOPK_WHEELS does not name the folder of the wheel: run `make test-python`")
    [path] = Path(WHEELS).glob("smoothtopk-*.whl")
    return path


def test_the_wheel_installs_into_a_fresh_environment_and_works_there(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", python, "install"]
    subprocess.run([*install, "--no-deps", wheel], check=True)
    # NumPy, the one dependency, is lent by this environment; nothing else is.
    import numpy

    site = subprocess.check_output([python, "-c", "import site; print(site.getsitepackages()[0])"], text=True).strip()
    for name in ("numpy", "numpy.libs"):
        if (source := Path(numpy.__file__).parent.parent / name).exists():
            os.symlink(source, Path(site) / name)
    code = """
import sys, numpy as np, smoothtopk
assert smoothtopk.Counts.assuming([5, 90, 5], sigma=0.25).certify(1).radius > 0
with smoothtopk.SmoothedClassifier(sys.argv[1], 0.5, batch=16) as g:
    print(g.certify(np.zeros(16), n=1000, seed=1).counts.n, smoothtopk.__file__)
"""
    here = ROOT / ".deps" / "onnxruntime"
    named = os.environ.get("SMOOTHTOPK_ONNXRUNTIME") or str(here)
    environment = clean_environment() | {"SMOOTHTOPK_ONNXRUNTIME": named}
    environment.pop("SMOOTHTOPK_LIBRARY", None)
    environment.pop("PYTHONPATH", None)
    command = [python, "-c", code, MODELS / "linear.onnx"]
    printed = subprocess.check_output(command, env=environment, cwd=tmp_path, text=True)
    samples, where = printed.split()
    assert samples == "1000"
    assert Path(where).is_relative_to(tmp_path / "venv")


def test_the_wheel_is_for_any_python_on_one_platform(wheel: Path) -> None:
    from packaging.tags import sys_tags
    from packaging.utils import parse_wheel_filename

    _, _, _, tags = parse_wheel_filename(wheel.name)
    assert {(tag.interpreter, tag.abi) for tag in tags} == {("py3", "none")}
    assert "any" not in {tag.platform for tag in tags}
    assert tags & set(sys_tags())


def test_the_library_can_be_named_and_so_can_its_folder(tmp_path: Path) -> None:
    code = "import smoothtopk._library as l; print(l.lib._name)"
    file = tmp_path / Path(lib._name).name
    file.symlink_to(lib._name)
    for named in (file, tmp_path):
        environment = os.environ | {"SMOOTHTOPK_LIBRARY": str(named)}
        assert subprocess.check_output([sys.executable, "-c", code], env=environment, text=True).strip() == str(file)


def test_a_broken_library_is_an_import_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.so"
    broken.write_text("not a library")
    environment = os.environ | {"SMOOTHTOPK_LIBRARY": str(broken)}
    done = subprocess.run([sys.executable, "-c", "import smoothtopk"], env=environment, text=True, capture_output=True)
    assert done.returncode == 1 and "ImportError: smoothtopk: its library cannot be used" in done.stderr


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_a_library_of_another_abi_is_an_import_error(tmp_path: Path) -> None:
    functions = "\n".join(f"void {name}(void) {{}}" for name in _abi.FUNCTIONS if name != "stk_abi_version")
    (tmp_path / "other.c").write_text(f"unsigned stk_abi_version(void) {{ return 999; }}\n{functions}\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "other.so", "other.c"], cwd=tmp_path, check=True)
    environment = os.environ | {"SMOOTHTOPK_LIBRARY": str(tmp_path / "other.so")}
    done = subprocess.run([sys.executable, "-c", "import smoothtopk"], env=environment, text=True, capture_output=True)
    assert done.returncode == 1 and "ABI version 999" in done.stderr
