"""An archive of diverse architectures that training must not forget: novelty search based architecture selection.

Zhang et al. 2020, https://doi.org/10.1109/CVPR42600.2020.00783, section 3. Weights that one path has just
learned are changed by the next one that shares them; so each step also descends the losses of an archive of other
architectures, kept as different from each other as can be.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated

from pydantic import Field, PositiveInt

from nasctl import walk
from nasctl.core import Architecture, Candidate, SearchSpace, State
from nasctl.estimator.sampler._paths import Path, WeightStep

Edges = Mapping[str, frozenset[tuple[str, str, str]]]
"""The edges (from, to, operation) of each cell."""

KEPT = 1024  # architectures whose edges are known, before all are forgotten


class Nsas:
    """A uniform path with the factor ``1 - weight``, and the archive's with ``weight`` over their number each.

    After a step the archive takes the most novel of ``tried`` random architectures until it has ``members``; from
    then on the most novel of the ``recent`` last paths replaces the member that is most like the step's own.
    Novelty is the mean of the ``nearest`` smallest distances to members, a distance the share of edges
    that two architectures do not have in common, averaged over cells. (The paper keeps an archive for each type of
    cell; here its members are whole architectures, so that any space will do.)
    """

    def __init__(
        self,
        *,
        members: PositiveInt,
        weight: Annotated[float, Field(gt=0, lt=1)],
        tried: PositiveInt,
        nearest: PositiveInt,
        recent: PositiveInt,
    ) -> None:
        self.members, self.weight, self.tried, self.nearest = members, weight, tried, nearest
        self.archive: list[Architecture] = []
        self.recent: deque[Architecture] = deque(maxlen=recent)
        self._known: dict[Architecture, Edges] = {}

    def check(self, space: SearchSpace) -> None:
        pass

    def paths(self, step: WeightStep) -> Sequence[Path]:
        current = step.uniform()
        weight = self.weight if self.archive else 0.0
        kept: list[Path] = [(Candidate(arch), weight / len(self.archive)) for arch in self.archive]
        self.recent.append(current)
        self._renew(current, step)
        return [(Candidate(current), 1 - weight), *kept]

    def _renew(self, current: Architecture, step: WeightStep) -> None:
        """Add a member, or replace the one that is most like ``current``."""
        if len(self.archive) < self.members:
            draw = step.generator("archive", step.position)
            tried = [walk.uniform(step.space, draw) for _ in range(self.tried)]
            self.archive += self._most_novel(step.space, tried, self.archive)
            return
        old = min(range(len(self.archive)), key=lambda i: self.distance(step.space, current, self.archive[i]))
        others = [arch for i, arch in enumerate(self.archive) if i != old]
        for arch in self._most_novel(step.space, self.recent, others):
            self.archive[old] = arch

    def _most_novel(
        self, space: SearchSpace, tried: Collection[Architecture], members: Sequence[Architecture]
    ) -> list[Architecture]:
        """Return the most novel of those that are no member yet; none if all are."""
        new = [arch for arch in tried if arch not in members]
        return [max(new, key=lambda arch: self.novelty(space, arch, members))] if new else []

    def novelty(self, space: SearchSpace, arch: Architecture, members: Sequence[Architecture]) -> float:
        """Return the mean distance to the nearest members, 1 where there are none."""
        nearest = sorted(self.distance(space, arch, member) for member in members)[: self.nearest]
        return sum(nearest) / len(nearest) if nearest else 1.0

    def distance(self, space: SearchSpace, a: Architecture, b: Architecture) -> float:
        """Return the share of edges that ``a`` and ``b`` do not have in common, in [0, 1], averaged over cells."""
        first, second = self._edges(space, a), self._edges(space, b)
        cells = [(first[cell], second.get(cell, frozenset())) for cell in first]
        return sum(1 - len(x & y) / (max(len(x), len(y)) or 1) for x, y in cells) / len(cells)

    def _edges(self, space: SearchSpace, arch: Architecture) -> Edges:
        """Return the edges of an architecture; those of the last ones are kept."""
        if arch not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
            graph = space.format.edges(space.genotype(arch))
            self._known[arch] = {cell: frozenset(found) for cell, found in graph.items()}
        return self._known[arch]

    def state_dict(self) -> State:
        return {"archive": [list(arch) for arch in self.archive], "recent": [list(arch) for arch in self.recent]}

    def load_state_dict(self, state: State) -> None:
        self.archive = [tuple(arch) for arch in state["archive"]]
        self.recent.clear()
        self.recent.extend(tuple(arch) for arch in state["recent"])
