"""An LSTM that decides an architecture step by step, each step in the light of the ones before.

Pham et al. 2018 (ENAS), https://arxiv.org/abs/1802.03268, section 2 and its released code; before it Zoph and Le
2017, https://arxiv.org/abs/1611.01578, section 3. It walks any space through ``legal``: what is not open has
probability 0, and walks may end early. All tensors are float64 and begin with the batch of walks.

A plain decision takes a step of the LSTM, a softmax over its options, and the embedding of the option as the next
input. What a decision with anchors connects to is found by attention, ``v . tanh(W1 a + W2 h)``, over the hidden
states ``a`` that the LSTM had after its anchors. Bits, which have one anchor each, are decided together where they
follow one another; the next input is the sum of the anchors taken over one more than their number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from nasctl.core import Choices, Decision
from nasctl.strategy._decisions import check_names, check_walkable, runs
from nasctl.strategy._pass import Pass, Take, Walks


class Controller(nn.Module):
    """The policy. Its weights start uniform within ``init`` of 0, from the ``seed`` alone.

    ``shared``: decisions with the same options share embedding and softmax. Logits are divided by ``temperature``,
    then bounded by ``tanh_constant``, that of plain decisions divided by ``tanh_reduce``. ``bias`` is where learned
    biases of options start, None where there are none; ``fixed_bias`` is what is added to the bounded logits of plain
    decisions whose name begins with its key.
    """

    def __init__(
        self,
        space: Choices,
        seed: int,
        *,
        units: PositiveInt,
        layers: PositiveInt,
        init: PositiveFloat,
        shared: bool,
        temperature: PositiveFloat | None,
        tanh_constant: PositiveFloat | None,
        tanh_reduce: PositiveFloat,
        bias: Mapping[str, float] | None,
        fixed_bias: Mapping[str, Mapping[str, float]],
    ) -> None:
        super().__init__()
        check_walkable(space)
        check_names(space, bias or {}, fixed_bias)
        self.space, self.decisions = space, space.decisions
        self.temperature, self.tanh_constant, self.tanh_reduce = temperature, tanh_constant, tanh_reduce
        with torch.random.fork_rng(devices=[]):  # what torch draws here is overwritten
            self.cells = nn.ModuleList(nn.LSTMCell(units, units, bias=False) for _ in range(layers))
            self.start, self.attend = nn.Parameter(torch.empty(units)), nn.Parameter(torch.empty(units))
            self.to_anchor, self.to_state = (nn.Linear(units, units, bias=False) for _ in range(2))
            self.tables = nn.ModuleDict()
            self.keys = [self._table(i, units, shared, bias is not None) for i in range(len(space.decisions))]
        self.double()
        self._initialise(seed, init, bias)
        self.fixed = [_fixed(decision, fixed_bias) for decision in space.decisions]
        self.anchors = {anchor for decision in space.decisions for anchor in decision.anchors}

    def _table(self, position: int, units: int, shared: bool, bias: bool) -> str:
        """Make embedding and softmax of a plain decision if there are none yet, and return their name."""
        decision = self.decisions[position]
        if decision.anchors:
            return ""
        alike = [i for i, d in enumerate(self.decisions) if not d.anchors and d.options == decision.options]
        name = str(alike[0] if shared else position)
        if name not in self.tables:
            count = len(decision.options)
            softmax, embedding = nn.Linear(units, count, bias=bias), nn.Embedding(count, units)
            self.tables[name] = nn.ModuleDict({"softmax": softmax, "embedding": embedding})
        return name

    @torch.no_grad()
    def _initialise(self, seed: int, init: float, bias: Mapping[str, float] | None) -> None:
        generator = torch.Generator().manual_seed(seed)
        for parameter in self.parameters():
            parameter.uniform_(-init, init, generator=generator)
        for decision, key in zip(self.decisions, self.keys, strict=True):
            if key and bias is not None:
                values = [bias.get(option, 0.0) for option in decision.options]
                self.tables[key]["softmax"].bias.copy_(torch.tensor(values))  # type: ignore[index]

    def sample(self, uniforms: Tensor) -> Walks:
        """Return the walks that ``uniforms (batch, decisions)`` in [0, 1) pick by inverting each softmax."""

        def take(run: range, log_probabilities: Tensor) -> Tensor:
            reached = log_probabilities.exp().cumsum(2)
            passed = (uniforms[:, run.start : run.stop, None] * reached[..., -1:] >= reached).sum(2)
            last = (log_probabilities > -torch.inf).long() * torch.arange(1, reached.shape[2] + 1)
            return torch.minimum(passed, last.argmax(2))  # rounding must not take what is not open

        with torch.no_grad():
            return self._walk(len(uniforms), take)

    def score(self, archs: Sequence[Sequence[int]]) -> Walks:
        """Return the given walks, with gradients."""
        padded = torch.tensor([[*arch, *[0] * (len(self.decisions) - len(arch))] for arch in archs])
        return self._walk(len(archs), lambda run, log_probabilities: padded[:, run.start : run.stop])

    def _walk(self, batch: int, take: Take) -> Walks:
        passing = Pass(self, batch, take)
        for run in runs(self.decisions):
            passing.decide(run)
        return passing.walks()

    def plain_logits(self, position: int, h: Tensor) -> Tensor:
        """Return the logits ``(batch, options)`` of a decision without anchors."""
        constant = self.tanh_constant and self.tanh_constant / self.tanh_reduce
        logits = self._shaped(self.tables[self.keys[position]]["softmax"](h), constant)  # type: ignore[index]
        fixed = self.fixed[position]
        return logits if fixed is None else logits + fixed

    def attention(self, keys: Tensor, h: Tensor) -> Tensor:
        """Return how much ``h (batch, units)`` wants each of the ``keys (batch, anchors, units)``."""
        return (keys + self.to_state(h)[:, None]).tanh() @ self.attend

    def shaped(self, logits: Tensor) -> Tensor:
        """Return the logits of a decision with anchors as the softmax takes them."""
        return self._shaped(logits, self.tanh_constant)

    def _shaped(self, logits: Tensor, constant: float | None) -> Tensor:
        logits = logits if self.temperature is None else logits / self.temperature
        return logits if constant is None else constant * logits.tanh()

    def embedded(self, position: int, taken: Tensor) -> Tensor:
        """Return the embeddings ``(batch, units)`` of options of a plain decision."""
        return self.tables[self.keys[position]]["embedding"](taken)  # type: ignore[index]


def _fixed(decision: Decision, fixed_bias: Mapping[str, Mapping[str, float]]) -> Tensor | None:
    own = [values for prefix, values in fixed_bias.items() if decision.name.startswith(prefix) and not decision.anchors]
    if not own:
        return None
    return torch.tensor([sum(values.get(option, 0.0) for values in own) for option in decision.options]).double()
