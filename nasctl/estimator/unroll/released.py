"""The second order of recurrent cells as DARTS's released code has it, where that is not what the paper writes.

https://github.com/quark0/darts, rnn/architect.py, beside Liu et al. 2019, https://arxiv.org/abs/1806.09055, equations
6 to 8. That code copies the virtual step into a second model by name. The embedding is the decoder's matrix too, and
stands under both names; the step is written under the first, and the second, with today's values, is loaded after
it. So the validation loss is that of a model whose embedding has not moved, while the Hessian's product still takes
the embedding's gradient along. The factor by which the step clips is carried into the product without a bound of 1,
and each pass draws dropout masks of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from nasctl.core import TextSegment
from nasctl.errors import RequestError
from nasctl.estimator.unroll._bilevel import Bilevel, Mixtures, VirtualStep, Weights
from nasctl.estimator.unroll.finite_difference import FiniteDifference
from nasctl.seeds import position_seed


@runtime_checkable
class Tied(Protocol):
    """A network that reads some of its weights in two places."""

    tied: frozenset[str]  # their names


@dataclass(frozen=True)
class ReleasedStep(VirtualStep):
    """A virtual step that leaves the ``kept`` weights as they are, and carries its clipping on without a bound."""

    kept: frozenset[str] = frozenset()

    def __call__(self, weights: Weights, gradients: Sequence[Tensor]) -> dict[str, Tensor]:
        ahead = super().__call__(weights, gradients)
        return {name: weights[name] if name in self.kept else moved for name, moved in ahead.items()}

    def carried(self, gradients: Sequence[Tensor]) -> Tensor | float:
        """Return the clip over the norm, which is above 1 where nothing is clipped."""
        if self.clip is None:
            return 1.0
        return self.clip / (torch.stack([g.square().sum() for g in gradients]).sum().sqrt() + 1e-6)


class Released(FiniteDifference):
    """The finite difference of a `ReleasedStep`; each pass over a step of a text drops anew."""

    def check(self, net: nn.Module) -> None:
        _tied(net)

    def loss(self, problem: Bilevel, mixtures: Mixtures, net: nn.Module) -> Tensor:
        step = problem.step
        kept = ReleasedStep(step.lr, step.momentum, step.weight_decay, step.buffers, step.clip, _tied(net))
        return super().loss(replace(problem, step=kept), mixtures, net)

    def before_pass(self, x: TextSegment) -> TextSegment:
        """Give a segment the seed of its next pass; the first one is left to the weights' own step."""
        x.seed = position_seed(x.seed, "pass")
        return x


def _tied(net: nn.Module) -> frozenset[str]:
    """Return the weights that ``net`` reads in two places, or raise `RequestError` where it is no model of text."""
    if not isinstance(net, Tied):
        raise RequestError(
            "estimator/unroll=released is the second order that DARTS's code has for recurrent cells; for images its "
            "code does what the paper says: choose estimator/unroll=finite_difference"
        )
    return net.tied
