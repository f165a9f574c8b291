"""Texts that a sweep lists with commas between, of which one may hold commas in brackets or quotes itself."""

from __future__ import annotations

OPEN, CLOSED, QUOTES = "([{", ")]}", "'\""


def apart(text: str) -> list[str]:
    """Return the parts of ``text`` between the commas that no bracket and no quote encloses."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in QUOTES:
            quote = character
        elif character in OPEN + CLOSED:
            depth += 1 if character in OPEN else -1
        if character == "," and not quote and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
