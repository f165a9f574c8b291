"""Digests of files, each read once while its size, time and inode stay."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

Stamp = tuple[str, int, int, int]
"""Path, size in bytes, time of the last change in nanoseconds, and inode of a file."""


def file_digest(path: Path, algorithm: str) -> str:
    """Return the digest of a file, in hexadecimal; a process reads it once while its size, time and inode stay."""
    return _file_digest(path, algorithm, stamp_of(path))


@lru_cache(maxsize=4096)
def _file_digest(path: Path, algorithm: str, stamp: Stamp) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def stamp_of(path: Path) -> Stamp:
    """Return path, size, time of the last change and inode of a file: what a digest may be remembered by."""
    found = path.stat()
    return str(path.absolute()), found.st_size, found.st_mtime_ns, found.st_ino
