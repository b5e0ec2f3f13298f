"""A .tgz with the same bytes for the same files, on any machine and at any time."""

import io
import struct
import tarfile
import zlib
from collections.abc import Mapping

_TIME = 499162500  # 1985-10-26T08:15:00Z, as npm gives each file: some tools take no time before 1980
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # RFC 1952: deflate; no name, no time, no operating system
_BLOCK = 65535


def tgz(files: Mapping[str, bytes]) -> bytes:
    """The gzipped tar of ``files`` (path -> content), in their order; no owner, one fixed time and mode."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime, entry.mode = len(content), _TIME, 0o644
            tar.addfile(entry, io.BytesIO(content))
    return _gzip(out.getvalue())


def _gzip(data: bytes) -> bytes:
    """Stored, not compressed: zlib and zlib-ng, which Pythons are built with, compress to different bytes."""
    blocks = [data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK)] or [b""]
    stored = [
        struct.pack("<BHH", number == len(blocks), len(block), len(block) ^ 0xFFFF) + block
        for number, block in enumerate(blocks, 1)
    ]
    return _HEADER + b"".join(stored) + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
