"""Replace parts of a network's form, such as channels and layers for a low fidelity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from nasctl.errors import unknown

F = TypeVar("F")


def resize(form: F, changes: Mapping[str, Any]) -> F:
    """Return ``form`` with ``changes``, or raise `RequestError` for a part that it lacks."""
    names = [field.name for field in fields(form)]  # type: ignore[arg-type]
    for name in changes:
        if name not in names:
            raise unknown("size", name, names)
    return replace(form, **changes)  # type: ignore[type-var]
