"""A batch of walks whose length and options depend on what was decided before, led by an LSTM controller.

The walks go step by step. At each step those that meet decisions of one kind share a softmax; an option that is not
open has probability 0. A decision attends to earlier ones by the hidden state with which they were decided, and to an
input of the cell by that of a step of its own. All tensors are float64.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nasctl import walk
from nasctl.core import Decision
from nasctl.strategy.policy._decisions import is_skip
from nasctl.strategy.policy._rollout import SampleFn
from nasctl.strategy.policy._samples import Samples, worth

if TYPE_CHECKING:
    from nasctl.strategy.policy.lstm import Lstm


class OpenRollout:
    """One batch on its way through a space, each walk to its own end."""

    def __init__(self, controller: Lstm, batch: int, sample: SampleFn) -> None:
        self.controller, self.sample = controller, sample
        self.start = controller.start.expand(batch, -1)
        self.inputs = self.start
        self.state = [(torch.zeros_like(self.start), torch.zeros_like(self.start)) for _ in controller.cells]
        self.keys: list[dict[int, tuple[Tensor, Tensor]]] = [{} for _ in range(batch)]
        self.prefixes: list[list[int]] = [[] for _ in range(batch)]
        self.found: list[tuple[Tensor, Tensor, Tensor]] = []
        self.skips: list[tuple[Tensor, Tensor]] = []

    def run(self) -> Samples:
        """Take decisions until all walks have ended."""
        while alive := self._alive():
            self._step(alive)
        options, log_probabilities, entropies = (torch.stack(parts, 1) for parts in zip(*self.found, strict=True))
        return Samples(options, log_probabilities, entropies, self.skips)

    def _alive(self) -> dict[int, Decision]:
        """Return the next decision of each walk that has not ended, by its row."""
        space = self.controller.space
        met = {row: walk.following_decision(space, prefix) for row, prefix in enumerate(self.prefixes)}
        return {row: decision for row, decision in met.items() if decision is not None}

    def _step(self, alive: dict[int, Decision]) -> None:
        for row, decision in alive.items():
            self._attend_to_cell_inputs(row, decision)
        h, position, batch = self._advance(list(alive)), len(self.found), len(self.prefixes)
        places = {row: place for place, row in enumerate(alive)}
        options, inputs = torch.full((batch,), -1), self.inputs
        log_p, entropies = torch.zeros(batch).double(), torch.zeros(batch).double()
        for rows in _grouped(alive):
            index, own = torch.tensor(rows), h[[places[row] for row in rows]]
            chosen, values, following = self._decide(position, rows, alive[rows[0]], [alive[r] for r in rows], own)
            options = options.index_put((index,), chosen)
            log_p, entropies = log_p.index_put((index,), values[0]), entropies.index_put((index,), values[1])
            inputs = inputs.index_put((index,), following)
            for row, option, state in zip(rows, chosen.tolist(), own, strict=True):
                self.prefixes[row].append(option)
                self.keys[row][position] = state, self.controller.to_key(state)
        self.inputs = inputs
        self.found.append((options, log_p, entropies))

    def _advance(self, rows: Sequence[int]) -> Tensor:
        """Feed the pending inputs of ``rows`` to the LSTM; return the hidden states ``(rows, units)``."""
        index = torch.tensor(rows)
        h = self.inputs[index]
        for i, cell in enumerate(self.controller.cells):
            after = cell(h, tuple(part[index] for part in self.state[i]))
            h = after[0]
            self.state[i] = tuple(  # type: ignore[assignment]
                old.index_put((index,), new) for old, new in zip(self.state[i], after, strict=True)
            )
        self.inputs = self.inputs.index_put((index,), self.start[index])
        return h

    def _attend_to_cell_inputs(self, row: int, decision: Decision) -> None:
        """Run one LSTM step per cell input to obtain its attention key; choosing it feeds a zero vector."""
        for position in decision.inputs:
            if position < 0 and position not in self.keys[row]:
                h = self._advance([row])[0]
                self.keys[row][position] = torch.zeros_like(h), self.controller.to_key(h)

    def _decide(
        self, position: int, rows: list[int], decision: Decision, met: list[Decision], h: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor]:
        """Return options chosen, their log-probabilities and entropies, each ``(rows,)``, and the next LSTM inputs."""
        inputs, logits = self._logits(position, rows, decision, h)
        closed = torch.tensor([[k not in own.open_options() for k in range(logits.shape[1])] for own in met])
        log_p = logits.masked_fill(closed, -torch.inf).log_softmax(1)[:, None]
        chosen = self.sample(range(position, position + 1), torch.tensor(rows), log_p)
        log_chosen, entropies = worth(log_p, chosen)
        return (
            chosen[:, 0],
            (log_chosen[:, 0], entropies[:, 0]),
            self._following(position, decision, chosen[:, 0], inputs),
        )

    def _logits(self, position: int, rows: list[int], decision: Decision, h: Tensor) -> tuple[Tensor | None, Tensor]:
        """Return the hidden states of the inputs ``(rows, inputs, units)``, if any, and logits ``(rows, options)``."""
        if not decision.inputs:
            return None, self.controller.plain_logits(position, decision, h)
        met = [[self.keys[row][i] for i in decision.inputs] for row in rows]
        inputs, keys = (torch.stack([torch.stack([pair[k] for pair in own]) for own in met]) for k in (0, 1))
        wanted = self.controller.attention(keys, h)
        if not is_skip(decision):
            return inputs, self.controller.shaped(wanted)
        logits = self.controller.shaped(torch.cat([-wanted, wanted], 1))
        self._record_skips(rows, logits)
        return inputs, logits

    def _record_skips(self, rows: list[int], logits: Tensor) -> None:
        batch, index = len(self.prefixes), torch.tensor(rows)
        whole = torch.zeros(batch, 1, 2).double().index_put((index,), logits[:, None])
        self.skips.append((whole, torch.zeros(batch, dtype=torch.bool).index_fill(0, index, True)))

    def _following(self, position: int, decision: Decision, chosen: Tensor, inputs: Tensor | None) -> Tensor:
        """Return what the LSTM reads next, ``(rows, units)``."""
        if inputs is None:
            return self.controller.embedded(position, decision, chosen)
        if is_skip(decision):
            return inputs[:, 0] * (chosen[:, None] / (1 + chosen[:, None]))
        return inputs[torch.arange(len(chosen)), chosen]


def _grouped(alive: dict[int, Decision]) -> list[list[int]]:
    """Return the rows that one softmax decides: those of one kind and the same inputs."""
    found: dict[Hashable, list[int]] = {}
    for row, decision in alive.items():
        found.setdefault((decision.kind, decision.inputs), []).append(row)
    return list(found.values())
