"""Files that a report writes: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from nasctl.errors import RequestError


def check_target(name: str, out: Path, overwrite: bool) -> None:
    """Raise `RequestError` unless the file ``out``, the setting ``name``, can be written."""
    if not out.parent.is_dir():
        raise RequestError(f"{name}={out}: there is no folder {out.parent}; create it or choose another file")
    if out.is_dir():
        raise RequestError(f"{name}={out}: is a folder; name a file in it")
    if out.exists() and not overwrite:
        raise RequestError(f"{name}={out}: exists already; choose another file or add overwrite=true")


def write(name: str, out: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Replace ``out`` by a finished file in one step, so that nobody reads half of one."""
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            write(file)
        os.replace(partial, out)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RequestError(f"{name}={out}: cannot be written ({error.strerror}); choose another file") from error
