#!/usr/bin/env python3
"""Compile src/sampler/cuda/kernels.cu to the PTX beside it, with NVRTC; no GPU and no CUDA toolkit is needed.

    python scripts/make_ptx.py            writes kernels.ptx
    python scripts/make_ptx.py --check    compares it with what NVRTC makes now; ptxas assembles it for sm_75, 80, 90

NVRTC and ptxas are those of scripts/requirements-gpu-build.txt, found in this Python's site-packages. NVRTC 12.1 because
PTX loads only in drivers as new as the compiler that made it: this one loads from driver 530 on. compute_75 is the oldest
architecture that CUDA 13, and so ONNX Runtime's build for it, supports; the driver compiles it for whatever GPU it finds.
"""

import ctypes
import hashlib
import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "src" / "sampler" / "cuda"
SOURCE, PTX = FOLDER / "kernels.cu", FOLDER / "kernels.ptx"
# Contraction and flushing would change bits; src/sampler/cuda/kernels.rs gives NVRTC the same options at run time.
OPTIONS = ["--gpu-architecture=compute_75", "--std=c++17"]
OPTIONS += ["--fmad=false", "--ftz=false", "--prec-div=true", "--prec-sqrt=true"]
ARCHITECTURES = ["sm_75", "sm_80", "sm_90"]


def fail(message: str) -> None:
    sys.exit(f"make_ptx: {message}")


def packaged(pattern: str) -> Path:
    found = sorted((Path(sysconfig.get_path("purelib")) / "nvidia").glob(pattern))
    if not found:
        fail(f"no nvidia/{pattern} in this Python: pip install -r scripts/requirements-gpu-build.txt")
    return found[0]


def compile_ptx(source: bytes) -> str:
    nvrtc = ctypes.CDLL(str(packaged("cuda_nvrtc/lib/libnvrtc.so.12")))
    nvrtc.nvrtcGetErrorString.restype = ctypes.c_char_p

    def check(status: int) -> None:
        if status != 0:
            fail(nvrtc.nvrtcGetErrorString(status).decode())

    program = ctypes.c_void_p()
    check(nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, b"kernels.cu", 0, None, None))
    options = (ctypes.c_char_p * len(OPTIONS))(*(option.encode() for option in OPTIONS))
    status = nvrtc.nvrtcCompileProgram(program, len(OPTIONS), options)
    size = ctypes.c_size_t()
    check(nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size)))
    log = ctypes.create_string_buffer(size.value)
    check(nvrtc.nvrtcGetProgramLog(program, log))
    if status != 0:
        fail(log.value.decode())
    check(nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size)))
    ptx = ctypes.create_string_buffer(size.value)
    check(nvrtc.nvrtcGetPTX(program, ptx))
    check(nvrtc.nvrtcDestroyProgram(ctypes.byref(program)))
    return ptx.value.decode()


def assemble(file: Path) -> None:
    ptxas = packaged("cuda_nvcc/bin/ptxas")
    for architecture in ARCHITECTURES:
        with tempfile.TemporaryDirectory() as folder:
            # Without -v it says nothing of registers that spill into memory.
            command = [ptxas, "-v", f"-arch={architecture}", file, "-o", Path(folder) / "kernels.cubin"]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"ptxas does not take it for {architecture}: {done.stderr}")
        spills = re.findall(r"([1-9][0-9]*) bytes spill", done.stderr)
        registers = [int(count) for count in re.findall(r"Used (\d+) registers", done.stderr)]
        if spills:
            fail(f"kernels spill registers on {architecture}: {done.stderr}")
        print(f"{architecture}: {len(registers)} kernels, at most {max(registers)} registers, no spills")


def main() -> None:
    source = SOURCE.read_bytes()
    text = f"// sha256 of kernels.cu: {hashlib.sha256(source).hexdigest()}\n{compile_ptx(source)}"
    if sys.argv[1:] == ["--check"]:
        if PTX.read_text() != text:
            fail("kernels.ptx is not what NVRTC makes of kernels.cu: run scripts/make_ptx.py")
        assemble(PTX)
    elif sys.argv[1:]:
        fail(f"unknown arguments {sys.argv[1:]}")
    else:
        PTX.write_text(text)
        print(f"{PTX.name}: {len(text)} bytes")


if __name__ == "__main__":
    main()
