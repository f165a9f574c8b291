"""DARTS: relax every choice to a softmax and follow the gradient of the validation loss.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 2.2 and 2.3. First or second order is the
estimator's ``unroll``: the loss that arrives here already carries the gradient. An expected cost over the limit is
added to it, as Cai et al. 2019, https://arxiv.org/abs/1812.00332, section 3.2.2, add an expected latency.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor

from nasctl.core import Architecture, Candidate, Feasible, Relaxation, State, Trial
from nasctl.errors import RunError
from nasctl.seeds import position_seed
from nasctl.strategy._penalty import Penalty

Beta = Annotated[float, Field(ge=0, lt=1)]


class Darts:
    """Adam on the logits of all relaxed choices; asks with their softmax, derives the architecture that they point to.

    Above a limit, ``penalty`` times the share by which the expected cost exceeds it is added to the loss.
    That is a surrogate: whether the limit is met is judged on the architecture that is derived.
    """

    relaxed = True
    resources: tuple[str, ...] = ()

    def __init__(
        self,
        space: Relaxation,
        feasible: Feasible,
        seed: int,
        *,
        lr: PositiveFloat,
        betas: tuple[Beta, Beta],
        weight_decay: NonNegativeFloat,
        init_std: NonNegativeFloat,
        penalty: NonNegativeFloat,
    ) -> None:
        self.space, self.feasible = space, feasible
        self.penalty = Penalty(feasible, penalty)
        self.sizes = [len(choice.options) for choice in space.relaxed_choices]
        generator = torch.Generator().manual_seed(position_seed(seed, "strategy"))
        self.logits = (init_std * torch.randn(sum(self.sizes), generator=generator)).requires_grad_()
        self.optimizer = torch.optim.Adam([self.logits], lr, betas, weight_decay=weight_decay)

    def weights(self) -> list[Tensor]:
        """Return the softmax of each row, ``(num_options,)`` each, with its graph to the logits."""
        return [row.softmax(0) for row in self.logits.split(self.sizes)]

    def sample(self) -> Candidate:
        weights = [row.detach() for row in self.weights()]
        return Candidate(self.space.discretize(weights), weights)

    def ask(self) -> Candidate:
        weights = self.weights()
        return Candidate(self.space.discretize(weights), weights)

    def tell(self, trial: Trial) -> None:
        if trial.evaluation is None or trial.evaluation.loss is None:
            raise RunError(f"trial {trial.index} brought no loss to follow: {trial.error}")
        loss, weights = trial.evaluation.loss, trial.candidate.weights or ()
        (self.logits.grad,) = torch.autograd.grad(loss + self.penalty(weights).to(loss), self.logits)
        self.optimizer.step()

    def derive(self) -> Architecture:
        return self.space.discretize(self.weights())

    def facts(self) -> Mapping[str, Any]:
        """Return the expected costs of the relaxed choices, and their limits."""
        return self.penalty.facts([row.detach() for row in self.weights()])

    def state_dict(self) -> State:
        return {"logits": self.logits.detach(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: State) -> None:
        with torch.no_grad():
            self.logits.copy_(state["logits"])
        self.optimizer.load_state_dict(state["optimizer"])
