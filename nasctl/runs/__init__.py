"""Run directories: writing one, and reading those of others with checks.

What writes runs is imported when it is first asked for, so that reading them starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasctl.runs.directory import CHECKPOINT, PREVIOUS, Run, difference, load_checkpoint

__all__ = ["CHECKPOINT", "PREVIOUS", "Run", "difference", "load_checkpoint"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nasctl.runs import directory

    return getattr(directory, name)
