"""Text in the quotes of Hydra's grammar, which reads ``# & ; ! ( = ,`` and letters beyond ASCII as something else."""

from __future__ import annotations

import re
from pathlib import Path

from nasctl.command_line.commas import apart

PLAIN = re.compile(r"[A-Za-z0-9_./+%-]*")  # what means itself
SWEEPS = ("choice", "range", "interval", "glob", "sort", "shuffle", "tag", "int", "float", "str", "bool", "json_str")
FUNCTION = re.compile(rf"({'|'.join(SWEEPS)})\(.*\)")  # as choice(a,b), range(0,3), glob(*)


def in_quotes(value: str) -> str:
    """Return ``value`` in single quotes; only backslashes before a quote are doubled, as the grammar has it."""
    escaped = re.sub(r"(\\*)'", lambda found: found[1] * 2 + r"\'", value)
    return "'" + re.sub(r"(\\+)$", lambda found: found[1] * 2, escaped) + "'"


def unquoted(value: str) -> str:
    """Return what `in_quotes` was given; a value without quotes as it is."""
    if len(value) < 2 or value[0] != value[-1] or value[0] not in "'\"":
        return value
    text = re.sub(r"(\\+)$", lambda found: found[1][::2], value[1:-1])
    return re.sub(rf"(\\+){value[0]}", lambda found: "\\" * (len(found[1]) // 2) + value[0], text)


def quoted_text(value: str, sweep: bool) -> str:
    """Return free text, such as a path, so that the grammar reads it as it is; in a sweep commas separate texts.

    What exists is a path, whatever it looks like. Other text that is in quotes, a list or null is left alone.
    """
    if _exists(value):
        return value if PLAIN.fullmatch(value) and value != "null" else in_quotes(value)
    if value.isdecimal():  # a genotype or a label, not a number
        return in_quotes(value)
    if PLAIN.fullmatch(value) or _is_in_quotes(value) or value[:1] + value[-1:] == "[]":
        return value
    if sweep and FUNCTION.fullmatch(value):
        return value
    if sweep and "," in value:
        return ",".join(quoted_text(part, sweep=False) for part in apart(value))
    return in_quotes(value)


def _is_in_quotes(value: str) -> bool:
    return re.fullmatch(r"""'(\\.|[^'\\])*'|"(\\.|[^"\\])*\"""", value) is not None


def _exists(value: str) -> bool:
    try:
        return value != "" and Path(value).exists()
    except (OSError, ValueError):  # too long, or with a NUL
        return False
