"""The widest options of an architecture: what shared weights see often in the warm-up of TuNAS."""

from __future__ import annotations

from nasctl.core import Architecture, Decision, FixedChoices


def widest(space: FixedChoices, arch: Architecture) -> Architecture:
    """Return ``arch`` with the option of the greatest number in each decision between numbers."""
    options = zip(arch, map(widest_option, space.decisions), strict=True)
    return tuple(option if most is None else most for option, most in options)


def widest_option(decision: Decision) -> int | None:
    """Return the option with the greatest number; None where options are no numbers, such as operations."""
    try:
        numbers = [float(option) for option in decision.options]
    except ValueError:
        return None
    return numbers.index(max(numbers))
