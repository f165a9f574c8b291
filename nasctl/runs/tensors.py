"""Files of tensors (checkpoint.pt, weights.pt): read without unpickling, and only if their checksums hold.

torch writes a zip archive with a CRC-32 of each part and does not look at it when it reads, so that a flipped bit would
become another weight.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from nasctl.runs.plain import FaultError, short
from nasctl.runs.reader import RunFiles


def load(path: Path) -> Any:
    """Return the tensors of a file on the CPU, or raise `FaultError`."""
    import torch

    try:
        _check_sums(path)
        return torch.load(path, weights_only=True, map_location="cpu")
    except FaultError:
        raise
    except Exception as error:  # whatever a damaged file makes zipfile and torch raise
        raise FaultError(f"cannot be read ({type(error).__name__}: {short(error)})") from error


def read(files: RunFiles, name: str) -> Any:
    """Return the tensors of a file of a run, or raise `DamagedError`; it is compared with the hash in status.json."""
    files.verify(name)
    try:
        return load(files.folder / name)
    except FaultError as fault:
        raise files.damaged(name, str(fault)) from fault


def _check_sums(path: Path) -> None:
    if not path.is_file():  # a device would never end
        raise FaultError("is no regular file")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        if any(member.compress_type != zipfile.ZIP_STORED for member in members) or unpacked > path.stat().st_size:
            raise FaultError("is packed, which torch.save does not do")
        wrong = archive.testzip()
    if wrong is not None:
        raise FaultError(f"is damaged, the checksum of its part {short(wrong)} does not hold")
