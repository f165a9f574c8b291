"""Checkpoints and weights from files that somebody else may have made: tensors and plain values, no code, no bombs."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from nasctl.core import RequestError


def load_state(path: Path) -> Any:
    """Return what torch.save wrote to ``path``, on the CPU, or raise `RequestError`.

    torch.save stores its members uncompressed, so a file never holds more than its own size; one that does is refused
    before torch allocates anything.
    """
    import torch

    try:
        _check_size(path)
        return torch.load(path, weights_only=True, map_location="cpu")
    except RequestError:
        raise
    except Exception as error:  # whatever a damaged file makes torch raise
        raise RequestError(f"{path}: cannot be read ({type(error).__name__}); get the run again") from error


def _check_size(path: Path) -> None:
    if not path.is_file():
        raise RequestError(f"{path}: is no regular file; get the run again")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if any(member.compress_type != zipfile.ZIP_STORED for member in members) or unpacked > path.stat().st_size:
        raise RequestError(f"{path}: is packed, which torch.save does not do; get the run again")
