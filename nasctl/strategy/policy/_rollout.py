"""A batch of walks through a space that takes the same decisions in every walk, led by an LSTM controller.

Pham et al. 2018 (ENAS), https://arxiv.org/abs/1802.03268, section 2. All tensors are float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nasctl.core import Decision
from nasctl.strategy.policy._decisions import groups, is_skip
from nasctl.strategy.policy._samples import Samples, worth

if TYPE_CHECKING:
    from nasctl.strategy.policy.lstm import Lstm

SampleFn = Callable[[range, Tensor, Tensor], Tensor]
"""(positions, rows ``(batch,)``, log-probabilities ``(batch, positions, options)``) -> options chosen
``(batch, positions)``; ``rows`` are the walks' numbers in the whole batch."""


class Rollout:
    """One batch on its way through the decisions of a fixed space; groups of skip bits are chosen together."""

    def __init__(self, controller: Lstm, batch: int, sample: SampleFn) -> None:
        self.controller, self.sample = controller, sample
        self.rows = torch.arange(batch)
        self.start = controller.start.expand(batch, -1)
        self.inputs = self.start
        self.state = [(torch.zeros_like(self.start), torch.zeros_like(self.start)) for _ in controller.cells]
        self.keys: dict[int, tuple[Tensor, Tensor]] = {}  # hidden state and attention key of each input
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
            chosen = self._take(group, logits[:, None])
            self.inputs = self.controller.embedded(group[0], first, chosen[:, 0])
        following = self.controller.decisions[group.stop : group.stop + 1]
        if group[0] in self.controller.pointed_at or any(map(is_skip, following)):
            self._add_key(group[0])

    def _step(self) -> Tensor:
        """Feed the pending input to the LSTM; return the hidden state ``(batch, units)`` of its last layer."""
        h = self.inputs
        for i, cell in enumerate(self.controller.cells):
            self.state[i] = cell(h, self.state[i])
            h = self.state[i][0]
        self.inputs = self.start
        return h

    def _add_key(self, position: int) -> None:
        """Run one LSTM step whose hidden state later decisions attend to."""
        h = self._step()
        self.keys[position] = h, self.controller.to_key(h)

    def _attend_to_cell_inputs(self, decision: Decision) -> None:
        """Run one LSTM step per cell input to obtain its attention key; choosing it feeds a zero vector."""
        for position in decision.inputs:
            if position not in self.keys:
                self.keys[position] = torch.zeros_like(self.start), self.controller.to_key(self._step())

    def _gathered(self, positions: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return hidden states and attention keys of inputs, each ``(batch, inputs, units)``."""
        inputs, keys = zip(*(self.keys[position] for position in positions), strict=True)
        return torch.stack(inputs, 1), torch.stack(keys, 1)

    def _point(self, group: range) -> None:
        decision = self.controller.decisions[group[0]]
        self._attend_to_cell_inputs(decision)
        inputs, keys = self._gathered(decision.inputs)
        logits = self.controller.shaped(self.controller.attention(keys, self._step()))
        chosen = self._take(group, logits[:, None])
        self.inputs = inputs[torch.arange(len(chosen)), chosen[:, 0]]

    def _decide_skips(self, group: range) -> None:
        skips = self.controller.decisions[group.start : group.stop]
        for skip in skips:
            self._attend_to_cell_inputs(skip)
        inputs, keys = self._gathered([skip.inputs[0] for skip in skips])
        wanted = self.controller.attention(keys, self.state[-1][0])
        logits = self.controller.shaped(torch.stack([-wanted, wanted], 2))
        self.skips.append((logits, torch.ones(len(logits), dtype=torch.bool)))
        chosen = self._take(group, logits).double()
        self.inputs = (chosen[:, None] @ inputs)[:, 0] / (1 + chosen.sum(1, keepdim=True))

    def _take(self, group: range, logits: Tensor) -> Tensor:
        """Take the options ``(batch, positions)`` by logits ``(batch, positions, options)``, and record them."""
        log_p = logits.log_softmax(2)
        chosen = self.sample(group, self.rows, log_p)
        self.found.append((chosen, *worth(log_p, chosen)))
        return chosen
