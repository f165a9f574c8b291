"""The data of a run then and now, compared by their hashes.

Only hashes that both records have are compared: one that an older version did not take says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from nasctl.errors import MissingDataError, RequestError, RunError

Fingerprint = Mapping[str, str]
"""Hashes and facts of data by name, as environment.json holds them."""


def check(path: Path, before: Fingerprint, now: Fingerprint, began: str) -> None:
    """Raise `RequestError` if the data of the run ``path`` have changed since it ``began``, a verb in the past."""
    if names := differing(before, now):
        first = names[0]
        raise RequestError(
            f"{path}: the data differ from those the run {began} with (by {', '.join(names)}); restore them or use "
            f"another run_dir; {first} was {before.get(first, 'not read')} and is {now.get(first, 'not read')}"
        )


def differing(before: Fingerprint, now: Fingerprint) -> list[str]:
    """Return the names of the hashes that are not equal; all of them where none is common to both."""
    common = [name for name in before if name in now]
    if not common and before and now:
        return [*before, *now]
    return [name for name in common if before[name] != now[name]]


def check_finished(path: Path, before: Fingerprint, read: Callable[[], Fingerprint]) -> None:
    """Raise `RequestError` if the data of a finished run have changed; print a note if they are not there any more."""
    try:
        now = read()
    except (MissingDataError, RunError, OSError) as error:
        print(f"note: {path}: its data cannot be read any more, so it is not known whether they changed ({error})")
    except RequestError as error:
        hashes = ", ".join(f"{name} was {value}" for name, value in before.items())
        raise RequestError(f"{path}: the data are not those the run was made with ({hashes}): {error}") from error
    else:
        check(path, before, now, "was made")
