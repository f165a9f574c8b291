"""Independent logits of each decision, a set of them for each seed: what REINFORCE trains in TuNAS and TabNAS.

Williams 1992, https://doi.org/10.1007/BF00992696. All tensors are float64 and begin with the replicas: logits are
``(replicas, decisions, options)``, where options are those of the widest decision.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nasctl import walk
from nasctl.core import Architecture, Choices, FixedChoices
from nasctl.strategy.policy import Numbers
from nasctl.strategy.policy._categorical import choose
from nasctl.strategy.policy._samples import Samples, worth


class Independent(nn.Module):
    """Softmax policies of several replicas, one for each seed; ``sample`` and ``score`` are those of the first.

    Logits start at 0, whatever the seed.
    """

    def __init__(self, space: Choices | FixedChoices, seeds: int | Sequence[int]) -> None:
        super().__init__()
        decisions = walk.fixed(
            space, "strategy: a policy of independent logits", "random_search, regularized_evolution"
        ).decisions
        self.sizes = torch.tensor([len(decision.options) for decision in decisions])
        self.missing = torch.arange(int(self.sizes.max())) >= self.sizes[:, None]
        replicas = 1 if isinstance(seeds, int) else len(seeds)
        self.logits = nn.Parameter(torch.zeros(replicas, *self.missing.shape, dtype=torch.float64))

    def log_probabilities(self) -> Tensor:
        """Return log-probabilities ``(replicas, decisions, options)``; -inf where an option is missing."""
        return self.logits.masked_fill(self.missing, float("-inf")).log_softmax(-1)

    @torch.no_grad()
    def sample(self, batch: int, numbers: Numbers) -> list[Architecture]:
        uniforms = numbers(range(len(self.sizes))).T[None]
        return [tuple(arch) for arch in choose(self.log_probabilities()[:1].exp(), uniforms, self.sizes)[0].tolist()]

    def score(self, archs: Sequence[Architecture]) -> Samples:
        taken = torch.tensor(archs)
        log_p = self.log_probabilities()[0].expand(len(taken), -1, -1)
        return Samples(taken, *worth(log_p, taken), ())
