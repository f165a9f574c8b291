"""An LSTM that decides an architecture step by step, each step in the light of the ones before.

Pham et al. 2018 (ENAS), https://arxiv.org/abs/1802.03268, section 2 and its released code; before it Zoph and Le
2017, https://arxiv.org/abs/1611.01578, section 3. It walks any space: what is not open has probability 0, and walks
may differ in length. All tensors are float64 and begin with the batch of walks.

A plain decision takes a step of the LSTM, a softmax over its options, and the embedding of the option as the next
input. What a decision with inputs connects to is found by attention, ``v . tanh(W1 a + W2 h)``, over the hidden
states ``a`` of its inputs. Skip bits, which have one input each, are decided together where they follow
one another in a fixed space; the next LSTM input is the sum of the chosen states over one more than their number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from nasctl.core import Architecture, Choices, Decision, FixedChoices
from nasctl.seeds import position_seed
from nasctl.strategy.policy import Numbers
from nasctl.strategy.policy._decisions import check_names, plain_decisions
from nasctl.strategy.policy._open_rollout import OpenRollout
from nasctl.strategy.policy._rollout import Rollout, SampleFn
from nasctl.strategy.policy._samples import Samples


class Lstm(nn.Module):
    """The controller. Its weights start uniform within ``init`` of 0, from the ``seed`` alone.

    ``shared``: decisions of one kind share embedding and softmax, as they always do where walks differ. Logits are
    divided by ``temperature``, then bounded by ``tanh_constant``, that of plain decisions divided by ``tanh_reduce``.
    ``bias`` is where learned biases of options start, None where there are none; ``fixed_bias`` is what is added to the
    bounded logits of plain decisions whose name begins with its key.
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
        self.space, self.decisions = space, plain_decisions(space)
        check_names(self.decisions, bias or {}, fixed_bias)
        self.fixed = isinstance(space, FixedChoices)  # every walk takes the same decisions
        self.rollout = Rollout if self.fixed else OpenRollout
        self.shared = shared or not self.fixed
        self.temperature, self.tanh_constant, self.tanh_reduce = temperature, tanh_constant, tanh_reduce
        with torch.random.fork_rng(devices=[]):  # what torch draws here is overwritten
            self.cells = nn.ModuleList(nn.LSTMCell(units, units, bias=False) for _ in range(layers))
            self.start, self.attend = nn.Parameter(torch.empty(units)), nn.Parameter(torch.empty(units))
            self.to_key, self.to_query = (nn.Linear(units, units, bias=False) for _ in range(2))
            self.tables = nn.ModuleDict()
            plain = [(i, decision) for i, decision in enumerate(self.decisions) if not decision.inputs]
            self.first = {decision.kind: i for i, decision in reversed(plain)}
            self.names = [self._table(i, units, bias is not None) for i in range(len(self.decisions))]
        self.double()
        self._initialise(position_seed(seed, "controller"), init, bias)
        self.fixed_bias = fixed_bias
        self.pointed_at = {position for decision in self.decisions for position in decision.inputs}

    def _table(self, position: int, units: int, bias: bool) -> str:
        """Make embedding and softmax of a plain decision if there are none yet, and return their name."""
        decision = self.decisions[position]
        if decision.inputs:
            return ""
        name = self._name(position, decision)
        if name not in self.tables:
            count = len(decision.options)
            softmax, embedding = nn.Linear(units, count, bias=bias), nn.Embedding(count, units)
            self.tables[name] = nn.ModuleDict({"softmax": softmax, "embedding": embedding})
        return name

    def _name(self, position: int, decision: Decision) -> str:
        """Return the name of a plain decision's embedding and softmax: the place where its kind is first met."""
        return str(self.first[decision.kind] if self.shared else position)

    @torch.no_grad()
    def _initialise(self, seed: int, init: float, bias: Mapping[str, float] | None) -> None:
        generator = torch.Generator().manual_seed(seed)
        for parameter in self.parameters():
            parameter.uniform_(-init, init, generator=generator)
        for decision, key in zip(self.decisions, self.names, strict=True):
            if key and bias is not None:
                values = [bias.get(option, 0.0) for option in decision.options]
                self.tables[key]["softmax"].bias.copy_(torch.tensor(values))  # type: ignore[index]

    def sample(self, batch: int, numbers: Numbers) -> list[Architecture]:
        return self.sample_walks(batch, numbers).architectures()

    def sample_walks(self, batch: int, numbers: Numbers) -> Samples:
        """Return the walks that uniform ``numbers`` choose by inverting each softmax."""

        def take(group: range, rows: Tensor, log_probabilities: Tensor) -> Tensor:
            reached = log_probabilities.exp().cumsum(2)
            passed = (numbers(group)[rows][..., None] * reached[..., -1:] >= reached).sum(2)
            last = (log_probabilities > -torch.inf).long() * torch.arange(1, reached.shape[2] + 1)
            return torch.minimum(passed, last.argmax(2))  # rounding must not take what is not open

        with torch.no_grad():
            return self._walk(batch, take)

    def score(self, archs: Sequence[Sequence[int]]) -> Samples:
        """Return the given walks, with gradients."""
        longest = max(map(len, archs))
        padded = torch.tensor([[*arch, *[0] * (longest - len(arch))] for arch in archs])
        return self._walk(len(archs), lambda group, rows, log_probabilities: padded[rows, group.start : group.stop])

    def _walk(self, batch: int, sample: SampleFn) -> Samples:
        return self.rollout(self, batch, sample).run()

    def plain_logits(self, position: int, decision: Decision, h: Tensor) -> Tensor:
        """Return the logits ``(batch, options)`` of a decision without inputs."""
        constant = self.tanh_constant and self.tanh_constant / self.tanh_reduce
        table = self.tables[self._name(position, decision)]
        logits = self._shaped(table["softmax"](h), constant)  # type: ignore[index]
        added = _fixed(decision, self.fixed_bias)
        return logits if added is None else logits + added

    def attention(self, keys: Tensor, h: Tensor) -> Tensor:
        """Return how much ``h (batch, units)`` wants each of the ``keys (batch, inputs, units)``."""
        wanted: Tensor = (keys + self.to_query(h)[:, None]).tanh() @ self.attend
        return wanted

    def shaped(self, logits: Tensor) -> Tensor:
        """Return the logits of a decision with inputs as the softmax takes them."""
        return self._shaped(logits, self.tanh_constant)

    def _shaped(self, logits: Tensor, constant: float | None) -> Tensor:
        logits = logits if self.temperature is None else logits / self.temperature
        return logits if constant is None else constant * logits.tanh()

    def embedded(self, position: int, decision: Decision, chosen: Tensor) -> Tensor:
        """Return the embeddings ``(batch, units)`` of options of a plain decision."""
        found: Tensor = self.tables[self._name(position, decision)]["embedding"](chosen)  # type: ignore[index]
        return found


def _fixed(decision: Decision, fixed_bias: Mapping[str, Mapping[str, float]]) -> Tensor | None:
    own = [values for prefix, values in fixed_bias.items() if decision.name.startswith(prefix) and not decision.inputs]
    if not own:
        return None
    return torch.tensor([sum(values.get(option, 0.0) for values in own) for option in decision.options]).double()
