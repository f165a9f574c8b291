"""Rejection sampling of what a strategy may ask for."""

from __future__ import annotations

from collections.abc import Callable

from nasctl.core import Architecture, Feasible


def first_feasible(feasible: Feasible, propose: Callable[[], Architecture]) -> Architecture:
    """Return the first feasible proposal, or raise `RequestError` after ``feasible.tries`` infeasible ones."""
    return feasible_of(feasible, lambda: [propose()])[0]


def feasible_of(feasible: Feasible, propose: Callable[[], list[Architecture]]) -> list[Architecture]:
    """Return the feasible architectures of the first batch that has one, or raise `RequestError`."""
    refused: list[Architecture] = []
    while len(refused) < feasible.tries:
        batch = propose()
        kept = [arch for arch in batch if feasible(arch)]
        if kept:
            return kept
        refused += batch
    raise feasible.refusal(refused)
