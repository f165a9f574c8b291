"""No constraint: every architecture of the space is feasible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import PositiveInt

from nasctl.core import Chain, ConstraintContext, Genotype
from nasctl.errors import RequestError


class Unconstrained:
    """Accepts every genotype; ``tries`` counts for an estimator that does not cover all of them."""

    resources: tuple[str, ...] = ()

    def __init__(self, context: ConstraintContext, *, tries: PositiveInt) -> None:
        self.tries = tries

    def __call__(self, genotype: Genotype) -> bool:
        return True

    def margin(self, genotype: Genotype) -> None:
        return None

    def chain(self) -> None:
        return None

    def relaxed(self) -> Sequence[Chain]:
        return ()

    def remark(self) -> None:
        return None

    def refusal(self, refused: Iterable[Genotype]) -> RequestError:
        raise NotImplementedError("nothing is refused without a limit")
