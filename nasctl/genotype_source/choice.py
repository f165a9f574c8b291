"""Which genotype of a text is meant: the only one, the one of a name, or the last one of a log."""

from __future__ import annotations

from collections.abc import Sequence

from nasctl.core import Remark
from nasctl.errors import RequestError, unknown
from nasctl.genotype_source.entries import Entry, Found


def choose(found: Found, name: str | None, place: str, remark: Remark) -> Entry | None:
    """Return the genotype that ``name`` names, or the only one; None where there are none without a name.

    Of a log, and of those that were given one name after another, it is the last one, with a remark. `RequestError`
    if there are several, or none of that name; ``place`` says where.
    """
    names = list(dict.fromkeys(name for entry in found.entries for name in entry.names))
    if name is not None:
        return _named(found.entries, name, names, place, remark)
    several = len(found.entries) > 1
    if several and (len({entry.names[:1] for entry in found.entries}) > 1 or not (names or found.log)):
        raise _ambiguous(found, place)
    return _last(found.entries, place, remark) if found.entries else None


def _named(entries: Sequence[Entry], name: str, names: Sequence[str], place: str, remark: Remark) -> Entry:
    matching = [entry for entry in entries if name in entry.names]
    if not matching:
        raise unknown(f"{place}: genotype", name, names)
    return _last(matching, place, remark)


def _last(entries: Sequence[Entry], place: str, remark: Remark) -> Entry:
    last = entries[-1]
    if len(entries) > 1:
        remark(f"{place}: the last of {len(entries)} genotypes was taken, that of line {last.line}")
    return last


def _shown(entry: Entry) -> str:
    return entry.names[0] if entry.names else "one without a name"


def _ambiguous(found: Found, place: str) -> RequestError:
    listed = [f"{_shown(entry)} (line {entry.line})" if entry.line else _shown(entry) for entry in found.entries]
    first = next((entry.names[0] for entry in found.entries if entry.names), None)
    remedy = f"choose one, as in from={place}:{first}" if first else "keep one, or give each a name, as in A = ..."
    shown = ", ".join(listed[:12]) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")
    return RequestError(f"{place}: holds {len(listed)} genotypes, {shown}; {remedy}")
