"""Elitism: the member of the lowest reward dies; of several equal ones the oldest."""

from __future__ import annotations

from nasctl.strategy.parent_selection import Population


class Worst:
    """The best member never dies."""

    def dies(self, population: Population) -> int:
        return min(range(len(population)), key=lambda position: population[position][1])
