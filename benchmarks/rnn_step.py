"""A search step and a retraining step of recurrent cells at the paper's sizes, against the plain loop over nodes.

The plain search step is that of the original code: a full backward pass of the validation loss for the rows, one of
the training loss for the weights. Dropout is the paper's in both. Sizes: 300 units and 10,000 words in search, 850 in
retraining, 35 tokens back-propagated through (Liu et al. 2019, https://arxiv.org/abs/1806.09055, appendix A).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
import yaml
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.pairs import alternate
from benchmarks.plain_rnn import PlainLanguage, chosen_step, relaxed_step
from benchmarks.problem import DEVICE, Rows, composed
from nasctl.config.build import make
from nasctl.config.settings import conf_dir
from nasctl.core import Candidate, EstimatorContext, Genotype, SearchSpace, Task
from nasctl.genotype_source import find

WORDS, STEPS, UNITS, FINAL_UNITS, NODES = 10_000, 35, 300, 850, 8
EDGES = NODES * (NODES + 1) // 2
CASES = [(64, False, 5), (256, False, 3), (64, True, 5), (256, True, 3)]  # columns, compile, alternated pairs


def rows() -> Rows:
    """Yield the seconds of a step, ours as it is and compiled."""
    for columns, compile, pairs in CASES:
        name = f"rnn search step, first order, batch {columns}{', compiled' if compile else ''} / plain"
        yield name, *alternate(search_step(columns, compile), PlainSearch(columns), pairs)
    for compile in (False, True):
        name = f"rnn retraining step, DARTS_V2, batch 64{', compiled' if compile else ''} / plain"
        yield name, *alternate(training_step(64, compile), PlainTraining(64), 5)


def space() -> SearchSpace:
    """Return the recurrent space of DARTS at the sizes of the paper."""
    return make(load("space", "rnn_darts"), Task("language", (STEPS,), WORDS))


def load(group: str, name: str) -> dict[str, Any]:
    """Return a YAML file of conf/."""
    return yaml.safe_load((conf_dir() / group / f"{name}.yaml").read_text())


class Words:
    """A data set of one batch of random tokens, over and over; satisfies what a search uses of a `Dataset`."""

    def __init__(self, columns: int) -> None:
        text = torch.randint(WORDS, (STEPS + 1, columns), generator=torch.Generator().manual_seed(0)).to(DEVICE)
        self.tokens, self.targets = text[:-1], text[1:].flatten()

    def __len__(self) -> int:
        return len(self.targets)

    def train(self) -> Words:
        return self

    val = full = train

    def steps(self, size: int, epoch: int) -> int:
        return 1000

    def batch(self, size: int, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        return self.tokens, self.targets

    loss = staticmethod(cross_entropy)

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return {"loss": cross_entropy(outputs, targets, reduction="sum")}

    def metrics(self, sums: dict[str, float], examples: int) -> dict[str, float]:
        return {"loss": sums["loss"] / examples}


def search_step(columns: int, compile: bool) -> Callable[[], None]:
    """Return a function that takes an architecture step and a weight step as a search does."""
    words = [f"estimator.batch_size={columns}", "estimator.epochs=null", f"estimator.speed.compile={compile}".lower()]
    node = composed("estimator=supernet_language", "estimator/unroll=first_order", *words)
    estimator = make(node, EstimatorContext(space(), Words(columns), DEVICE, 0, lambda shown: None))
    logits = torch.zeros(EDGES, 5, device=DEVICE, requires_grad=True)

    def step() -> None:
        loss = estimator.evaluate(Candidate((0,) * 16, list(logits.softmax(1).unbind())), 0).loss
        torch.autograd.grad(loss, logits)
        estimator.fit(lambda: Candidate((0,) * 16, list(logits.detach().softmax(1).unbind())))

    return step


def training_step(columns: int, compile: bool) -> Callable[[], None]:
    """Return a function that takes a weight step on the network that is retrained."""
    network = space().build(genotype(), "final").to(DEVICE)
    if compile:
        network.compile_step("trainer.compile")
    state = SimpleNamespace(hidden=network.init_hidden(columns))
    data, sgd = Words(columns), torch.optim.SGD(network.parameters(), 20.0)

    def step() -> None:
        spoken = network(data.tokens, state.hidden)
        state.hidden = [h.detach() for h in spoken.hidden]
        descend(sgd, network, cross_entropy(spoken.logits, data.targets) + slowness(spoken.raw))

    return step


def genotype() -> Genotype:
    """Return the cell of DARTS's second order."""
    return find("DARTS_V2", space()).genotype


def slowness(outputs: Tensor) -> Tensor:
    """Return the regulariser of both steps."""
    return 1e-3 * (outputs[1:] - outputs[:-1]).square().mean()


def descend(sgd: torch.optim.Optimizer, network: nn.Module, loss: Tensor) -> None:
    """Take a step of SGD with the paper's clipping."""
    sgd.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 0.25)
    sgd.step()


def mask(shape: Sequence[int], share: float) -> Tensor:
    """Return a mask of variational dropout."""
    return torch.bernoulli(torch.full(tuple(shape), 1 - share, device=DEVICE)) / (1 - share)


class PlainLoss:
    """The loss of the plain network on one batch, with the paper's dropout; carries the hidden state."""

    def __init__(self, columns: int, units: int, words: float) -> None:
        self.network = PlainLanguage(WORDS, units, NODES).to(DEVICE)
        self.sgd = torch.optim.SGD(self.network.parameters(), 20.0)
        self.data, self.words = Words(columns), words
        self.hidden = torch.zeros(columns, units, device=DEVICE)

    def __call__(self, step: Callable) -> tuple[Tensor, Tensor]:
        columns, units = self.hidden.shape
        masks = {"mask_x": mask((columns, units), 0.75), "mask_h": mask((columns, units), 0.25)}
        embedding = self.network.embedding * mask((WORDS, 1), self.words)
        x = embedding[self.data.tokens] * mask((1, columns, units), 0.2)
        h, outputs = self.hidden, []
        for row in x:
            h = step(row, h, self.network.w0, self.network.w, **masks)
            outputs.append(h)
        self.hidden, raw = h.detach(), torch.stack(outputs)
        dropped = raw * mask((1, columns, units), 0.75)
        logits = dropped.flatten(0, 1) @ self.network.embedding.t() + self.network.bias
        return cross_entropy(logits, self.data.targets), raw


class PlainSearch:
    """A search step of the first order, row by row and node by node."""

    def __init__(self, columns: int) -> None:
        self.loss = PlainLoss(columns, UNITS, 0.0)
        self.logits = torch.zeros(EDGES, 5, device=DEVICE, requires_grad=True)

    def __call__(self) -> None:
        loss, _ = self.loss(partial(relaxed_step, rows=self.logits.softmax(1)))
        loss.backward()
        loss, raw = self.loss(partial(relaxed_step, rows=self.logits.detach().softmax(1)))
        descend(self.loss.sgd, self.loss.network, loss + slowness(raw))


class PlainTraining:
    """A step of the network that is retrained, node by node."""

    def __init__(self, columns: int) -> None:
        self.loss = PlainLoss(columns, FINAL_UNITS, 0.1)
        self.step = partial(chosen_step, **genotype())

    def __call__(self) -> None:
        loss, raw = self.loss(self.step)
        descend(self.loss.sgd, self.loss.network, loss + slowness(raw))
