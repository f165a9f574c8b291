"""Walk a space decision by decision: the few lines by which any space is sampled, mutated and enumerated.

An architecture is a complete prefix of a walk. A strategy that stops before the walk ends says so by ``stop``, which
is asked at complete prefixes only.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

import torch

from nasctl.core import Architecture, Choices, Decision, FixedChoices, TabularState
from nasctl.errors import RequestError

MAX_DECISIONS = 10_000  # of one walk; more of them are taken for a walk that never ends

Stop = Callable[[Sequence[int]], bool]
Take = Callable[[Sequence[int], Sequence[int]], int]
T = TypeVar("T")


def to_the_end(prefix: Sequence[int]) -> bool:
    """Stop nowhere before the walk ends."""
    return False


def following_decision(space: Choices | FixedChoices, prefix: Sequence[int]) -> Decision | None:
    """Return the decision after ``prefix``, None where the walk ends, or raise `RequestError` for a faulty space."""
    decision = space.decision(prefix)
    if decision is None:
        if not space.complete(prefix):
            raise _fault(prefix, "ends where no network can be built; have complete() accept it or decide more")
        return None
    if len(prefix) >= MAX_DECISIONS:
        raise _fault(prefix[:3], f"goes on after {MAX_DECISIONS} decisions; have decision() return None at its end")
    if not decision.open_options():
        raise _fault(prefix, f"has no option open in decision {decision.name!r}; open one or end the walk before it")
    return decision


def _fault(prefix: Sequence[int], fault: str) -> RequestError:
    return RequestError(f"space: the walk that begins with {list(prefix)} {fault}")


def fixed(space: Choices | FixedChoices, who: str, remedy: str) -> FixedChoices:
    """Return ``space``, or raise `RequestError` if its walks differ in their decisions, which ``who`` cannot have."""
    if isinstance(space, FixedChoices):
        return space
    raise RequestError(
        f"{who} needs decisions of which none depends on another, which this space's do; choose {remedy} or another "
        "space"
    )


def options(space: Choices | FixedChoices, prefix: Sequence[int]) -> Sequence[int]:
    """Return the options open after ``prefix``; empty where the walk ends."""
    decision = following_decision(space, prefix)
    return () if decision is None else decision.open_options()


def decisions(space: Choices | FixedChoices, arch: Sequence[int]) -> list[Decision]:
    """Return the decisions that ``arch`` takes, in order."""
    found = [following_decision(space, arch[:position]) for position in range(len(arch))]
    return [decision for decision in found if decision is not None]


def state_of(space: Choices | FixedChoices) -> Callable[[Sequence[int]], Hashable]:
    """Return what gives the state after a prefix: equal states have equal decisions ahead. Else it is the prefix."""
    return space.state if isinstance(space, TabularState) else tuple


def names(space: Choices | FixedChoices, arch: Sequence[int]) -> Mapping[str, str]:
    """Return the option taken, by the name of its decision."""
    taken = zip(decisions(space, arch), arch, strict=True)
    return {decision.name: decision.options[option] for decision, option in taken}


def belongs(space: Choices | FixedChoices, arch: Sequence[int]) -> bool:
    """Return whether ``arch`` is an architecture of the space."""
    for position, option in enumerate(arch):
        decision = space.decision(arch[:position])
        if decision is None or option not in decision.open_options():
            return False
    return space.complete(arch)


def pick(options: Sequence[T], generator: torch.Generator) -> T:
    """Return one of ``options``, uniformly."""
    return options[int(torch.randint(len(options), (), generator=generator))]


def picks(options: Sequence[T], count: int, generator: torch.Generator) -> list[T]:
    """Return ``count`` of ``options``, each uniformly, with replacement: what as many calls of `pick` return."""
    return [options[i] for i in torch.randint(len(options), (count,), generator=generator).tolist()]


def permutation(count: int, generator: torch.Generator) -> list[int]:
    """Return the numbers below ``count`` in random order."""
    order: list[int] = torch.randperm(count, generator=generator).tolist()
    return order


def extend(space: Choices | FixedChoices, prefix: Sequence[int], take: Take, stop: Stop) -> Architecture:
    """Return the architecture to which ``take(prefix, open options)`` leads from ``prefix``."""
    arch = list(prefix)
    while not (space.complete(arch) and stop(arch)) and (open_ := options(space, arch)):
        arch.append(take(arch, open_))
    return tuple(arch)


def uniform(space: Choices | FixedChoices, generator: torch.Generator, stop: Stop = to_the_end) -> Architecture:
    """Return an architecture whose every decision is uniform over what is open."""
    return extend(space, (), lambda prefix, open_: pick(open_, generator), stop)


def first(space: Choices | FixedChoices, prefix: Sequence[int] = ()) -> Architecture:
    """Return the first architecture, in lexicographic order, that begins with ``prefix``."""
    return extend(space, prefix, lambda prefix, open_: min(open_), stop=lambda prefix: True)


def following(space: Choices | FixedChoices, arch: Architecture) -> Architecture | None:
    """Return the architecture after ``arch`` in lexicographic order, or None after the last one."""
    if further := options(space, arch):
        return first(space, (*arch, min(further)))
    for position in reversed(range(len(arch))):
        later = [option for option in options(space, arch[:position]) if option > arch[position]]
        if later:
            return first(space, (*arch[:position], min(later)))
    return None


def every(space: Choices | FixedChoices) -> Iterator[Architecture]:
    """Yield every architecture of a space, in lexicographic order."""
    arch: Architecture | None = first(space)
    while arch is not None:
        yield arch
        arch = following(space, arch)


def mutate(
    space: Choices | FixedChoices, arch: Architecture, generator: torch.Generator, stop: Stop = to_the_end
) -> Architecture:
    """Return ``arch`` with one decision changed; later decisions that are no longer open are sampled again."""
    position = pick([i for i in range(len(arch)) if len(options(space, arch[:i])) > 1], generator)
    others = [option for option in options(space, arch[:position]) if option != arch[position]]
    return changed(space, arch, position, pick(others, generator), generator, stop)


def neighbours(space: Choices | FixedChoices, arch: Architecture, generator: torch.Generator) -> list[Architecture]:
    """Return ``arch`` with one decision changed, in every way."""
    ways = [(i, option) for i in range(len(arch)) for option in options(space, arch[:i]) if option != arch[i]]
    return [changed(space, arch, position, option, generator) for position, option in ways]


def changed(
    space: Choices | FixedChoices,
    arch: Architecture,
    position: int,
    option: int,
    generator: torch.Generator,
    stop: Stop = to_the_end,
) -> Architecture:
    """Return ``arch`` with ``option`` at ``position``; later decisions that are no longer open are sampled again."""

    def take(prefix: Sequence[int], open_: Sequence[int]) -> int:
        inherited = [option for option in arch[len(prefix) : len(prefix) + 1] if option in open_]
        return inherited[0] if inherited else pick(open_, generator)

    return extend(space, (*arch[:position], option), take, stop)
