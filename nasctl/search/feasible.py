"""The constraint of a search and the coverage of its estimator, as strategies see both: on architectures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nasctl.core import Architecture, Chain, Constraint, Covering, Estimator, SearchSpace
from nasctl.errors import RequestError


class Feasible:
    """What strategies may ask for: architectures within the constraint that the estimator covers."""

    def __init__(
        self,
        space: SearchSpace,
        constraint: Constraint,
        covers: Callable[[Architecture], bool] = lambda arch: True,
        partial: bool = False,
    ) -> None:
        self.space, self.constraint, self.covers, self.tries = space, constraint, covers, constraint.tries
        self.partial = partial  # whether there are architectures that the estimator does not cover

    def __call__(self, arch: Architecture) -> bool:
        return self.covers(arch) and self.constraint(self.space.genotype(arch))

    def refusal(self, refused: Sequence[Architecture]) -> RequestError:
        covered = [self.space.genotype(arch) for arch in refused if self.covers(arch)]
        if covered:
            return self.constraint.refusal(covered)
        return RequestError(
            f"estimator: covers none of {self.tries} sampled architectures, such as "
            f"{self.space.format.notation(self.space.genotype(refused[0]))}; "
            "give a table of this space or raise constraint.tries"
        )

    @classmethod
    def of(cls, space: SearchSpace, constraint: Constraint, estimator: Estimator) -> Feasible:
        """Return what a strategy may ask ``estimator`` for."""
        if isinstance(estimator, Covering):
            return cls(space, constraint, estimator.covers, estimator.partial)
        return cls(space, constraint)

    def chain(self) -> Chain | None:
        return None if self.partial else self.constraint.chain()

    def relaxed(self) -> Sequence[Chain] | None:
        return self.constraint.relaxed()
