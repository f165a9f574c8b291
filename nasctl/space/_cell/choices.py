"""The list of operations that a space's YAML gives."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nasctl.errors import RequestError, unknown


def check_choices(
    place: str, names: Sequence[str], known: Collection[str], what: str, *, after_none: bool = False
) -> None:
    """Raise `RequestError` unless the list is one or more different known names, ``after_none`` after ``none``."""
    own = names[1:] if after_none else names
    if not own or len(set(names)) < len(names) or (after_none and names[0] != "none"):
        shape = "none and then one or more different" if after_none else "one or more different"
        raise RequestError(f"{place}={list(names)} must be {shape} {what}; correct the list")
    for name in own:
        if name not in known:
            raise unknown(place, name, known)
