"""The decisions of a space as a controller reads them: which it takes together, and which it can walk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from nasctl.core import Choices, ChoicesByKind, Decision, FixedChoices
from nasctl.errors import RequestError, unknown


def is_skip(decision: Decision) -> bool:
    """Return whether a decision is no or yes to its single input: a skip bit."""
    return len(decision.inputs) == 1 and len(decision.options) == 2


def groups(decisions: Sequence[Decision]) -> list[range]:
    """Return the positions that are decided together: skip bits that follow one another, else one by one."""
    found: list[range] = []
    for skip, places in groupby(range(len(decisions)), key=lambda i: is_skip(decisions[i])):
        group = list(places)
        found += [range(group[0], group[-1] + 1)] if skip else [range(i, i + 1) for i in group]
    return found


def plain_decisions(space: Choices) -> list[Decision]:
    """Return the decisions that need an embedding and a softmax: all of a fixed space, else one of each kind."""
    if isinstance(space, FixedChoices):
        check_inputs(space)
        return list(space.decisions)
    if isinstance(space, ChoicesByKind):
        return list(space.kinds)
    raise RequestError(
        "strategy: a controller needs a softmax for each kind of decision, but the walks of this space differ and it "
        "has no list of kinds; give it one, or choose random_search or regularized_evolution"
    )


def check_inputs(space: FixedChoices) -> None:
    """Raise `RequestError` unless decisions connect to earlier ones, each option to one of its own."""
    for i, decision in enumerate(space.decisions):
        if decision.inputs and not is_skip(decision) and len(decision.inputs) != len(decision.options):
            raise _refusal(decision, f"has {len(decision.options)} options and {len(decision.inputs)} inputs")
        if any(source >= i or (source >= 0 and is_skip(space.decisions[source])) for source in decision.inputs):
            raise _refusal(decision, "connects to a later one or to a skip bit")


def _refusal(decision: Decision, fault: str) -> RequestError:
    return RequestError(
        f"strategy: a controller cannot walk this space, whose decision {decision.name} {fault}; "
        "choose random_search or another space"
    )


def check_names(
    decisions: Sequence[Decision], bias: Mapping[str, float], fixed_bias: Mapping[str, Mapping[str, float]]
) -> None:
    """Raise `RequestError` for a bias of an option or of decisions that the space does not have."""
    options = sorted({option for decision in decisions if not decision.inputs for option in decision.options})
    for prefix, values in fixed_bias.items():
        if not any(decision.name.startswith(prefix) for decision in decisions):
            raise unknown("strategy.fixed_bias", prefix, [decision.name for decision in decisions])
        check_names(decisions, values, {})
    for option in bias:
        if option not in options:
            raise unknown("strategy.bias", option, options)
