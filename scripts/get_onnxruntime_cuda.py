#!/usr/bin/env python3
"""Put ONNX Runtime's CUDA build into a folder: pinned, checksum-verified; whole, or cut to some GPU architectures.

    python scripts/get_onnxruntime_cuda.py FOLDER              for every architecture (300 MB)
    python scripts/get_onnxruntime_cuda.py FOLDER --keep 90    machine code for sm_90 alone (compresses to less than 60 MiB)

The libraries come from the Python package `onnxruntime-gpu`, fetched by pip from the index that pip is set up with.
Nothing is installed, and no GPU is needed. CUDA's own libraries and cuDNN are not in it.
"""

import argparse
import struct
from pathlib import Path

from get_onnxruntime import LICENCES, VERSION
from pinned import Refused, Wheel, holds, put, run, unpack

WHEEL = Wheel(
    "onnxruntime-gpu",
    VERSION,
    "manylinux_2_28_x86_64",
    "05d548956197b9d01f59b625de740e0d6be3593f874e241a12dc0362650ecdf7",
    python="3.12",
)
CUDA_PROVIDER = "libonnxruntime_providers_cuda.so"
LIBRARIES = (
    f"libonnxruntime.so.{VERSION}",
    "libonnxruntime_providers_shared.so",
    "libonnxruntime_providers_tensorrt.so",
    CUDA_PROVIDER,
)

# A fatbin container in an ELF section: a header, then entries one behind the other, each for one architecture.
CONTAINER = struct.Struct("<IHHQ")  # magic, version, bytes of this header, bytes of the entries
CONTAINER_MAGIC = 0xBA55ED50
ENTRY_SIZES = struct.Struct("<IQ")  # at 4: bytes of the entry's header, bytes of what follows
ENTRY_ARCHITECTURE = struct.Struct("<I")  # at 28


def sections(data: bytes, names: set[str]) -> list[tuple[int, int]]:
    """Offset and size of the ELF sections of these names."""
    table = struct.unpack_from("<Q", data, 0x28)[0]
    size, count, of_names = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, table + i * size) for i in range(count)]
    start = headers[of_names][4]

    def name(offset: int) -> str:
        return data[start + offset : data.index(b"\0", start + offset)].decode()

    return [(header[4], header[5]) for header in headers if name(header[0]) in names]


def keep_architectures(data: bytearray, keep: set[int]) -> int:
    """Drop the machine code for other architectures, in place: the file keeps its layout, and what was dropped is zeros.

    A container that has nothing for the architectures is left alone. Returns how many entries were kept.
    """
    kept = 0
    for at, size in sections(bytes(data), {".nv_fatbin", "__nv_relfatbin"}):
        end = at + size
        while (at := data.find(struct.pack("<I", CONTAINER_MAGIC), at, end)) >= 0:
            _, version, header, length = CONTAINER.unpack_from(data, at)
            if version != 1 or header != CONTAINER.size or at + header + length > end:
                at += 4
                continue
            entry, stop = at + header, at + header + length
            wanted, entries = bytearray(), 0
            while entry < stop:
                bytes_of_entry = sum(ENTRY_SIZES.unpack_from(data, entry + 4))
                if ENTRY_ARCHITECTURE.unpack_from(data, entry + 28)[0] in keep:
                    wanted += data[entry : entry + bytes_of_entry]
                    entries += 1
                entry += bytes_of_entry
            if entries:
                data[at + header : stop] = wanted + bytes(length - len(wanted))
                struct.pack_into("<Q", data, at + 8, len(wanted))
                kept += entries
            at = stop
    return kept


def make(scratch: Path, keep: list[int], wheel: Path | None) -> Path:
    """The folder, of the pinned wheel."""
    fresh = scratch / "fresh"
    fresh.mkdir()
    wheel = WHEEL.verified(wheel) if wheel else WHEEL.download(scratch, "give a wheel that you have: --wheel")
    unpack(wheel, [*(f"onnxruntime/capi/{name}" for name in LIBRARIES), *LICENCES], fresh)
    if keep:
        data = bytearray((fresh / CUDA_PROVIDER).read_bytes())
        entries = keep_architectures(data, set(keep))
        if not entries:
            raise Refused(f"{CUDA_PROVIDER} has no machine code for {keep}")
        print(f"{CUDA_PROVIDER}: kept {entries} entries for sm_{', sm_'.join(map(str, keep))}")
        (fresh / CUDA_PROVIDER).write_bytes(data)
    for name in LIBRARIES:
        (fresh / name).chmod(0o755)
    return fresh


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", type=int, nargs="+", default=[], metavar="SM", help="architectures, such as 80 90")
    parser.add_argument("--wheel", type=Path, help="a wheel that was downloaded before; its checksum is verified")
    arguments = parser.parse_args()
    folder, keep = arguments.folder, sorted(arguments.keep)
    said = {"wheel_sha256": WHEEL.sha256, "keep": keep}
    if holds(folder, **said):
        print(f"ONNX Runtime {VERSION} for CUDA is in {folder}")
        return
    put(folder, lambda scratch: make(scratch, keep, arguments.wheel), **said)
    print(f"ONNX Runtime {VERSION} for CUDA put into {folder}")


if __name__ == "__main__":
    run(main)
