"""One batch of walks through the decisions of a space, led by an LSTM controller.

Pham et al. 2018 (ENAS), https://arxiv.org/abs/1802.03268, section 2. All tensors are float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nasctl.core import Decision
from nasctl.strategy._decisions import is_bit, too_long

if TYPE_CHECKING:
    from nasctl.strategy._controller import Controller

Take = Callable[[range, Tensor], Tensor]
"""(positions, log-probabilities ``(batch, positions, options)``) -> the options taken ``(batch, positions)``."""


@dataclass(frozen=True)
class Walks:
    """A batch of walks. ``options`` is -1 where a walk is over; log-probabilities and entropies are 0 there.

    The first three are ``(batch, decisions)``; ``skip_logits`` holds ``(batch, bits, 2)`` for each run of bits.
    """

    options: Tensor
    log_probabilities: Tensor
    entropies: Tensor
    skip_logits: Sequence[Tensor]

    def architectures(self) -> list[tuple[int, ...]]:
        """Return the options taken, as strategies know them."""
        return [tuple(option for option in row if option >= 0) for row in self.options.tolist()]

    def skip_penalty(self, target: float) -> Tensor:
        """Return how far bits are from being yes with probability ``target``, ``(batch,)``: the mean over their runs.

        As in the released code, of each run ``sum(p log(p / t))`` over both logits' sigmoids p, which only near the
        target is a divergence.
        """
        goals = torch.tensor([1 - target, target], dtype=torch.float64)
        runs = [(p * (p / goals).log()).sum((1, 2)) for p in (logits.sigmoid() for logits in self.skip_logits)]
        return torch.stack(runs).mean(0) if runs else self.log_probabilities.new_zeros(len(self.options))


class Pass:
    """One batch on its way through the decisions."""

    def __init__(self, controller: Controller, batch: int, take: Take) -> None:
        self.controller, self.take = controller, take
        self.start = controller.start.expand(batch, -1)
        self.inputs = self.start
        self.state = [(torch.zeros_like(self.start), torch.zeros_like(self.start)) for _ in controller.cells]
        self.anchors: dict[int, tuple[Tensor, Tensor]] = {}  # what is taken as an input, what is attended to
        self.prefixes: list[list[int]] = [[] for _ in range(batch)]
        self.found: list[tuple[Tensor, Tensor, Tensor]] = []
        self.skip_logits: list[Tensor] = []

    def decide(self, run: range) -> None:
        """Take the decisions of a run: bits that follow one another, or one of another kind."""
        first = self.controller.decisions[run[0]]
        if is_bit(first):
            self._decide_bits(run)
            return
        if first.anchors:
            self._point(run)
        else:
            taken = self._settle(run, self.controller.plain_logits(run[0], self._step())[:, None])
            self.inputs = self.controller.embedded(run[0], taken[:, 0])
        following = self.controller.decisions[run.stop : run.stop + 1]
        if run[0] in self.controller.anchors or any(map(is_bit, following)):
            self._drop_anchor(run[0])

    def _step(self) -> Tensor:
        """Feed the pending input to the LSTM; return the hidden state ``(batch, units)`` of its last layer."""
        h = self.inputs
        for i, cell in enumerate(self.controller.cells):
            self.state[i] = cell(h, self.state[i])
            h = self.state[i][0]
        self.inputs = self.start
        return h

    def _drop_anchor(self, position: int) -> None:
        h = self._step()
        self.anchors[position] = h, self.controller.to_anchor(h)

    def _mention(self, decision: Decision) -> None:
        """Give the inputs among the anchors, which nothing decided, a step each; to take one adds nothing."""
        for anchor in decision.anchors:
            if anchor not in self.anchors:
                self.anchors[anchor] = torch.zeros_like(self.start), self.controller.to_anchor(self._step())

    def _gathered(self, anchors: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return inputs and keys of anchors, each ``(batch, anchors, units)``."""
        inputs, keys = zip(*(self.anchors[anchor] for anchor in anchors), strict=True)
        return torch.stack(inputs, 1), torch.stack(keys, 1)

    def _point(self, run: range) -> None:
        decision = self.controller.decisions[run[0]]
        self._mention(decision)
        inputs, keys = self._gathered(decision.anchors)
        logits = self.controller.shaped(self.controller.attention(keys, self._step()))
        taken = self._settle(run, logits[:, None])
        self.inputs = inputs[torch.arange(len(taken)), taken[:, 0]]

    def _decide_bits(self, run: range) -> None:
        bits = self.controller.decisions[run.start : run.stop]
        for bit in bits:
            self._mention(bit)
        inputs, keys = self._gathered([bit.anchors[0] for bit in bits])
        wanted = self.controller.attention(keys, self.state[-1][0])
        logits = self.controller.shaped(torch.stack([-wanted, wanted], 2))
        self.skip_logits.append(logits)
        taken = self._settle(run, logits).double()
        self.inputs = (taken[:, None] @ inputs)[:, 0] / (1 + taken.sum(1, keepdim=True))

    def _settle(self, run: range, logits: Tensor) -> Tensor:
        """Take the options ``(batch, positions)`` by logits ``(batch, positions, options)``, and note them."""
        log_p = logits.log_softmax(2)
        taken = self.take(run, log_p)
        if self._all_open(taken, logits.shape[2]):
            self._note(log_p, taken, torch.ones(len(taken), 1, dtype=torch.bool))
            return taken
        return torch.cat([self._settle_some(position, logits[:, [i]]) for i, position in enumerate(run)], 1)

    def _all_open(self, taken: Tensor, count: int) -> bool:
        """Return whether all of ``count`` options are open at each of the decisions, for every walk of the batch."""
        for prefix, options in zip(self.prefixes, taken.tolist(), strict=True):
            for i in range(len(options)):
                if len(self.controller.space.legal([*prefix, *options[:i]])) != count:
                    return False
        return True

    def _settle_some(self, position: int, logits: Tensor) -> Tensor:
        """Do the same for one decision of which not all options are open everywhere, or some walks are over."""
        options = [self.controller.space.legal(prefix) for prefix in self.prefixes]
        closed = [bool(open_) and k not in open_ for open_ in options for k in range(logits.shape[2])]
        log_p = logits.masked_fill(torch.tensor(closed).view(logits.shape), -torch.inf).log_softmax(2)
        taken = self.take(range(position, position + 1), log_p)
        self._note(log_p, taken, torch.tensor([[bool(open_)] for open_ in options]))
        return taken

    def _note(self, log_p: Tensor, taken: Tensor, alive: Tensor) -> None:
        """Write down what was taken and what it is worth; 0 where ``alive (batch, 1)`` is false: a walk is over."""
        for prefix, options, lives in zip(self.prefixes, taken.tolist(), alive[:, 0].tolist(), strict=True):
            prefix += options if lives else []
        entropies = -(log_p.exp() * log_p.masked_fill(log_p == -torch.inf, 0.0)).sum(2)
        picked = log_p.gather(2, taken[..., None])[..., 0]
        self.found.append((taken.where(alive, -1), picked.where(alive, 0.0), entropies.where(alive, 0.0)))

    def walks(self) -> Walks:
        for prefix in self.prefixes:
            if self.controller.space.legal(prefix):
                raise too_long(len(self.controller.decisions))
        options, log_probabilities, entropies = (torch.cat(parts, 1) for parts in zip(*self.found, strict=True))
        return Walks(options, log_probabilities, entropies, self.skip_logits)
