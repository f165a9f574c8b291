"""A batch of walks through a space that takes the same decisions in every walk, led by an LSTM controller.

Pham et al. 2018 (ENAS), https://arxiv.org/abs/1802.03268, section 2. All tensors are float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nasctl.core import Decision
from nasctl.strategy._decisions import groups, is_skip

if TYPE_CHECKING:
    from nasctl.strategy._controller import Controller

SampleFn = Callable[[range, Tensor, Tensor], Tensor]
"""(positions, rows ``(batch,)``, log-probabilities ``(batch, positions, options)``) -> options taken
``(batch, positions)``; ``rows`` are the walks' numbers in the whole batch."""


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
        """Return the options taken, as strategies know them."""
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
        taken = torch.stack([alive for _, alive in self.skips])
        return torch.stack(terms).where(taken, 0.0).sum(0) / taken.sum(0).clamp_min(1)


class Rollout:
    """One batch on its way through the decisions of a fixed space; groups of skip bits are taken together."""

    def __init__(self, controller: Controller, batch: int, sample: SampleFn) -> None:
        self.controller, self.sample = controller, sample
        self.rows = torch.arange(batch)
        self.start = controller.start.expand(batch, -1)
        self.inputs = self.start
        self.state = [(torch.zeros_like(self.start), torch.zeros_like(self.start)) for _ in controller.cells]
        self.anchors: dict[int, tuple[Tensor, Tensor]] = {}  # what is taken as an input, and its attention key
        self.found: list[tuple[Tensor, Tensor, Tensor]] = []
        self.skips: list[tuple[Tensor, Tensor]] = []

    def run(self) -> Samples:
        """Take all decisions."""
        for group in groups(self.controller.decisions):
            self._decide(group)
        options, log_probabilities, entropies = (torch.cat(parts, 1) for parts in zip(*self.found, strict=True))
        return Samples(options, log_probabilities, entropies, self.skips)

    def _decide(self, group: range) -> None:
        """Take a group of decisions: skip bits that follow one another, or a single decision of another kind."""
        first = self.controller.decisions[group[0]]
        if is_skip(first):
            self._decide_skips(group)
            return
        if first.inputs:
            self._point(group)
        else:
            logits = self.controller.plain_logits(group[0], first, self._step())
            taken = self._take(group, logits[:, None])
            self.inputs = self.controller.embedded(group[0], first, taken[:, 0])
        following = self.controller.decisions[group.stop : group.stop + 1]
        if group[0] in self.controller.pointed_at or any(map(is_skip, following)):
            self._drop_anchor(group[0])

    def _step(self) -> Tensor:
        """Feed the pending input to the LSTM; return the hidden state ``(batch, units)`` of its last layer."""
        h = self.inputs
        for i, cell in enumerate(self.controller.cells):
            self.state[i] = cell(h, self.state[i])
            h = self.state[i][0]
        self.inputs = self.start
        return h

    def _drop_anchor(self, position: int) -> None:
        """Run one LSTM step whose hidden state later decisions attend to."""
        h = self._step()
        self.anchors[position] = h, self.controller.to_anchor(h)

    def _attend_to_cell_inputs(self, decision: Decision) -> None:
        """Run one LSTM step per cell input to obtain its attention key; choosing it feeds a zero vector."""
        for position in decision.inputs:
            if position not in self.anchors:
                self.anchors[position] = torch.zeros_like(self.start), self.controller.to_anchor(self._step())

    def _gathered(self, positions: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return inputs and keys of anchors, each ``(batch, anchors, units)``."""
        inputs, keys = zip(*(self.anchors[position] for position in positions), strict=True)
        return torch.stack(inputs, 1), torch.stack(keys, 1)

    def _point(self, group: range) -> None:
        decision = self.controller.decisions[group[0]]
        self._attend_to_cell_inputs(decision)
        inputs, keys = self._gathered(decision.inputs)
        logits = self.controller.shaped(self.controller.attention(keys, self._step()))
        taken = self._take(group, logits[:, None])
        self.inputs = inputs[torch.arange(len(taken)), taken[:, 0]]

    def _decide_skips(self, group: range) -> None:
        skips = self.controller.decisions[group.start : group.stop]
        for skip in skips:
            self._attend_to_cell_inputs(skip)
        inputs, keys = self._gathered([skip.inputs[0] for skip in skips])
        wanted = self.controller.attention(keys, self.state[-1][0])
        logits = self.controller.shaped(torch.stack([-wanted, wanted], 2))
        self.skips.append((logits, torch.ones(len(logits), dtype=torch.bool)))
        taken = self._take(group, logits).double()
        self.inputs = (taken[:, None] @ inputs)[:, 0] / (1 + taken.sum(1, keepdim=True))

    def _take(self, group: range, logits: Tensor) -> Tensor:
        """Take the options ``(batch, positions)`` by logits ``(batch, positions, options)``, and record them."""
        log_p = logits.log_softmax(2)
        taken = self.sample(group, self.rows, log_p)
        self.found.append((taken, *worth(log_p, taken)))
        return taken


def worth(log_p: Tensor, taken: Tensor) -> tuple[Tensor, Tensor]:
    """Return the log-probability of what was taken, and the entropy of the softmax, each ``(batch, positions)``."""
    entropies = -(log_p.exp() * log_p.masked_fill(log_p == -torch.inf, 0.0)).sum(2)
    return log_p.gather(2, taken[..., None])[..., 0], entropies
