"""The list of operations that a space's YAML gives."""

from __future__ import annotations

from collections.abc import Sequence

from nasctl.errors import RequestError, unknown


def check_operations(operations: Sequence[str], known: Sequence[str]) -> None:
    """Raise `RequestError` unless the list is one or more different known operations."""
    if not operations or len(set(operations)) < len(operations):
        raise RequestError(f"space.operations={list(operations)} must be one or more different ones; correct the list")
    for name in operations:
        if name not in known:
            raise unknown("space.operations", name, known)
