"""Archives of published data, unpacked within limits: plain files alone, so many of them, so many bytes."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from nasctl.errors import RunError

MEMBERS = 1000
BYTES = 1 << 30  # of all members together, unpacked
_CHUNK = 1 << 20


def unzip(content: bytes, wanted: Sequence[str]) -> dict[str, bytes]:
    """Return the members ``wanted`` of a zip archive by their last name."""
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in wanted:
                with archive.open(name) as member:
                    found[PurePosixPath(name).name] = _read(member, name, BYTES - sum(map(len, found.values())))
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError) as error:
        raise RunError(
            f"dataset.download: the archive cannot be unpacked ({error}); put its files there by hand"
        ) from error
    return found


def _read(member: IO[bytes], name: str, left: int) -> bytes:
    data = member.read(left + 1)
    if len(data) > left:
        raise RunError(f"dataset.download: {name} unpacks to more than {BYTES:,} bytes; put its files there by hand")
    return data


def untar(path: Path, folder: Path) -> None:
    """Unpack a tar archive, compressed or not, into ``folder``; a member that may not be is a `RunError`."""
    try:
        with tarfile.open(path, "r:*") as archive:
            _unpack(archive, path, folder)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be unpacked ({error}); unpack it by hand or fetch it again") from error


def _unpack(archive: tarfile.TarFile, path: Path, folder: Path) -> None:
    left = BYTES
    for count, member in enumerate(archive, start=1):
        left -= member.size
        if count > MEMBERS or left < 0:
            raise RunError(f"{path}: holds more than {MEMBERS:,} files or {BYTES:,} bytes; unpack it by hand")
        if member.isdir():
            continue
        target = _target(member, folder, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.tmp")
        unfinished.unlink(missing_ok=True)
        with unfinished.open("xb") as file:
            _copy(archive, member, file)
        os.replace(unfinished, target)


def _target(member: tarfile.TarInfo, folder: Path, path: Path) -> Path:
    """Return where a member goes, which lies below ``folder``."""
    target = (folder / member.name).resolve()
    if not member.isreg() or not target.is_relative_to(folder.resolve()):
        raise RunError(f"{path}: {member.name!r} is no plain file below its folder; unpack it by hand")
    return target


def _copy(archive: tarfile.TarFile, member: tarfile.TarInfo, file: IO[bytes]) -> None:
    source = archive.extractfile(member)
    while source is not None and (part := source.read(_CHUNK)):
        file.write(part)
