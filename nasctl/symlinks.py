"""Symbolic links and special files in a run directory, through which a write would land elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

from nasctl.errors import RequestError


def refuse_links(folder: Path) -> None:
    """Raise `RequestError` if ``folder`` holds a link, a pipe or a device; ``folder`` itself may be a link."""
    with os.scandir(folder) as entries:
        found = sorted(entry.name for entry in entries if not _is_plain(entry))
    if found:
        raise RequestError(
            f"{folder / found[0]}: is a link or no regular file, and nothing is written through one; put the file "
            "itself there, or remove it"
        )


def _is_plain(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)


def no_link(path: str, flags: int) -> int:
    """Open ``path`` for `open`, but fail with OSError where it is a link, or a pipe that nobody reads."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)


def open_to_append(path: Path) -> IO[Any]:
    """Open a file of bytes to append to; OSError for a link."""
    return open(path, "ab", opener=no_link)
