"""Samples of the present policies that final architectures are chosen from, the same numbers at each call."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from nasctl.errors import RequestError
from nasctl.strategy._uniforms import Uniforms
from nasctl.strategy.feasibility import FeasibleSets
from nasctl.strategy.feasibility._set import FeasibleSet
from nasctl.strategy.policy import VectorizedPolicy
from nasctl.strategy.policy._categorical import choose, log_probability


class FinalSamples:
    """``count`` samples of the policy of each seed; ``sets`` says which are feasible."""

    def __init__(self, policy: VectorizedPolicy, sets: FeasibleSets, seeds: Sequence[int], count: int) -> None:
        self.policy, self.sets = policy, sets
        self.stream = Uniforms(seeds, "pick", (len(policy.sizes), count), torch.float64)

    def modes(self) -> Tensor:
        """Return each policy's most probable architecture, feasible or not, ``(replicas, decisions)``."""
        return self.policy.log_probabilities().argmax(2)

    def most_probable(self, accepted: FeasibleSet, otherwise: Tensor) -> Tensor:
        """Return the most probable accepted sample of each replica, that of ``otherwise`` where there is none."""
        archs, scores = self.scored(accepted)
        best = archs[torch.arange(len(archs)), scores.argmax(1)]
        found = torch.where(scores.isfinite().any(1)[:, None], best, otherwise)
        if bool((found < 0).any()):
            raise self.refusal(int((found < 0).any(1).int().argmax()))
        return found

    def scored(self, accepted: FeasibleSet) -> tuple[Tensor, Tensor]:
        """Return samples ``(replicas, samples, decisions)`` and their log-probabilities, -inf where not accepted."""
        log_probabilities = self.policy.log_probabilities()
        archs = choose(log_probabilities.exp(), self.stream.together(0), self.policy.sizes)
        scores = log_probability(log_probabilities, archs)
        return archs, scores.masked_fill(~accepted(archs), -math.inf)

    def feasible_share(self) -> Tensor:
        """Return the share of feasible samples, ``(replicas,)``."""
        return self.scored(self.sets.members)[1].isfinite().double().mean(1)

    def refusal(self, replica: int) -> RequestError:
        """Return the error for a limit that no sample of a replica meets."""
        archs, scores = self.scored(self.sets.members)
        refused = archs[replica][scores[replica].isinf()].tolist()
        return self.sets.feasible.refusal([tuple(arch) for arch in refused])
