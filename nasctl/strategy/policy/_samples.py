"""A batch of walks with their log-probabilities and entropies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Samples:
    """A batch of walks. ``options`` is -1 where a walk is over; log-probabilities and entropies are 0 there.

    The first three are ``(batch, decisions)``; ``skips`` holds, for each group of skip bits, logits
    ``(batch, bits, 2)`` and which walks took it, ``(batch,)``.
    """

    options: Tensor
    log_probabilities: Tensor
    entropies: Tensor
    skips: Sequence[tuple[Tensor, Tensor]]

    def architectures(self) -> list[tuple[int, ...]]:
        """Return the options chosen, as strategies know them."""
        return [tuple(option for option in row if option >= 0) for row in self.options.tolist()]

    def skip_penalty(self, target: float) -> Tensor:
        """Return how far skip bits are from being yes with probability ``target``, ``(batch,)``: the mean over groups.

        As in the released code, of each group ``sum(p log(p / t))`` over both logits' sigmoids p, which only near the
        target is a divergence.
        """
        goals = torch.tensor([1 - target, target], dtype=torch.float64)
        terms = [(p * (p / goals).log()).sum((1, 2)) for p in (logits.sigmoid() for logits, _ in self.skips)]
        if not terms:
            return self.log_probabilities.new_zeros(len(self.options))
        chosen = torch.stack([alive for _, alive in self.skips])
        return torch.stack(terms).where(chosen, 0.0).sum(0) / chosen.sum(0).clamp_min(1)


def worth(log_p: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Return the log-probability of what was chosen, and the entropy of the softmax, each ``(batch, positions)``."""
    entropies = -(log_p.exp() * log_p.masked_fill(log_p == -torch.inf, 0.0)).sum(2)
    return log_p.gather(2, chosen[..., None])[..., 0], entropies
