"""The decisions of a space as a controller reads them: which it takes together, and whether it can walk them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from nasctl.core import Choices, Decision, RequestError, unknown
from nasctl.strategy import _walk


def is_bit(decision: Decision) -> bool:
    """Return whether a decision is no or yes to its single anchor."""
    return len(decision.anchors) == 1 and len(decision.options) == 2


def runs(decisions: Sequence[Decision]) -> list[range]:
    """Return the positions that are decided together: bits that follow one another, else one by one."""
    found: list[range] = []
    for bit, places in groupby(range(len(decisions)), key=lambda i: is_bit(decisions[i])):
        run = list(places)
        found += [range(run[0], run[-1] + 1)] if bit else [range(i, i + 1) for i in run]
    return found


def too_long(decisions: int) -> RequestError:
    """Return the error for a space whose walks go on after its last decision."""
    return RequestError(
        f"strategy: a controller needs the name and options of every decision, but a walk of this space goes on after "
        f"its {decisions} decisions; choose random_search, regularized_evolution or another space"
    )


def check_walkable(space: Choices) -> None:
    """Raise `RequestError` unless the decisions say all that a walk of the space may meet."""
    for i, decision in enumerate(space.decisions):
        if decision.anchors and not is_bit(decision) and len(decision.anchors) != len(decision.options):
            raise _refusal(decision, f"has {len(decision.options)} options and {len(decision.anchors)} anchors")
        if any(anchor >= i or (anchor >= 0 and is_bit(space.decisions[anchor])) for anchor in decision.anchors):
            raise _refusal(decision, "is anchored at a later one or at a bit")
    walk = _walk.first(space)
    if len(walk) > len(space.decisions):
        raise too_long(len(space.decisions))
    for i, decision in enumerate(space.decisions[: len(walk)]):
        last = max(space.legal(walk[:i]))
        if last >= len(decision.options):
            raise _refusal(decision, f"has {len(decision.options)} options, of which one numbered {last} is open")


def _refusal(decision: Decision, fault: str) -> RequestError:
    return RequestError(
        f"strategy: a controller cannot walk this space, whose decision {decision.name} {fault}; "
        "choose random_search or another space"
    )


def check_names(space: Choices, bias: Mapping[str, float], fixed_bias: Mapping[str, Mapping[str, float]]) -> None:
    """Raise `RequestError` for a bias of an option or of decisions that the space does not have."""
    options = sorted({option for decision in space.decisions if not decision.anchors for option in decision.options})
    for prefix, values in fixed_bias.items():
        if not any(decision.name.startswith(prefix) for decision in space.decisions):
            raise unknown("strategy.fixed_bias", prefix, [decision.name for decision in space.decisions])
        check_names(space, values, {})
    for option in bias:
        if option not in options:
            raise unknown("strategy.bias", option, options)
