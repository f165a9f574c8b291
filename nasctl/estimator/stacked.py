"""Train many small networks at once, side by side, each from scratch.

A small network's step is over before a device is busy: most of it is the cost of starting operations. Here a whole
block of networks takes each step together by batched matrix products; they share the batch of examples and nothing
else. On a CPU the gain ends where a single network keeps the cores busy: ``python -m benchmarks stack``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.func import vmap

from nasctl import walk
from nasctl.core import Architecture, BatchedBuild, Candidate, Dataset, EstimatorContext, Evaluation, Metrics, State
from nasctl.errors import RequestError, TrialError
from nasctl.estimator._independent import IndependentEstimator
from nasctl.estimator._work import PASS
from nasctl.seeds import position_seed
from nasctl.trainer._curve import cosine


class Stacked(IndependentEstimator):
    """SGD as `nasctl.trainer.classifier` does it, on blocks of ``networks`` architectures at once.

    The blocks cut the space's lexicographic order, so ``strategy=enumeration`` meets them one after the other: the
    first architecture of a block that is asked for trains all of it, the others are looked up. Random numbers are a
    function of the search's seed and the architecture, so a result depends on these (and, in the last bits, on the
    block), not on what was asked before; it stands beside the architecture's costs, so that
    ``nasctl compare pareto=params`` shows the trade-off. Needs a space that gives ``stack(networks)``, a module whose
    parameters and outputs begin with the dimension of the networks, and whose ``macs`` are those of all of them for
    one example.
    """

    error_kind = "short training"

    def __init__(
        self,
        context: EstimatorContext,
        *,
        networks: PositiveInt,
        costs: list[str],
        form: Literal["search", "final"],
        size: dict[str, PositiveInt],
        batch_size: PositiveInt,
        eval_batch_size: PositiveInt,
        epochs: PositiveInt,
        lr: PositiveFloat,
        lr_min: NonNegativeFloat,
        momentum: Annotated[float, Field(ge=0, lt=1)],
        nesterov: bool,
        weight_decay: NonNegativeFloat,
        clip: PositiveFloat,
    ) -> None:
        space = context.space
        choices = walk.fixed(space, "estimator=stacked", "estimator=from_scratch")
        self.options = [len(decision.options) for decision in choices.decisions]
        if not isinstance(space, BatchedBuild) or math.prod(self.options) != space.size:
            raise RequestError(
                "estimator=stacked trains networks side by side, which those of the family "
                f"{space.format.family} cannot be; choose estimator=from_scratch or space=ffn"
            )
        self.space: Any = context.space
        self.dataset, self.device, self.seed, self.report = context.data, context.device, context.seed, context.report
        self.networks, self.costs, self.form, self.size = networks, costs, form, size
        self.batch_size, self.eval_batch_size, self.epochs = batch_size, eval_batch_size, epochs
        self.lr, self.lr_min, self.clip = lr, lr_min, clip
        self.sgd = partial(torch.optim.SGD, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)
        self.found: dict[Architecture, Metrics] = {}  # of the block trained last

    def evaluate(self, candidate: Candidate, index: int) -> Evaluation:
        if candidate.fidelity is not None:
            raise RequestError(
                "estimator=stacked trains every network for the same number of epochs, but the strategy asks for a "
                "part of it; choose estimator=from_scratch"
            )
        work = 0 if candidate.arch in self.found else self._train(self._block(candidate.arch))
        metrics = self.found[candidate.arch]
        if not math.isfinite(metrics["loss"]):
            raise TrialError(
                f"loss is {metrics['loss']} after the last step; lower estimator.lr or estimator.clip", work
            )
        return Evaluation(metrics, work=work)

    def _block(self, arch: Architecture) -> list[Architecture]:
        rank = 0
        for option, count in zip(arch, self.options, strict=True):
            rank = rank * count + option
        start = rank - rank % self.networks
        return [self._arch(r) for r in range(start, min(start + self.networks, self.space.size))]

    def _arch(self, rank: int) -> Architecture:
        arch: list[int] = []
        for count in reversed(self.options):
            rank, option = divmod(rank, count)
            arch.insert(0, option)
        return tuple(arch)

    def _build(self, arch: Architecture) -> nn.Module:
        torch.manual_seed(position_seed(self.seed, "candidate", *arch))
        network: nn.Module = self.space.build(self.space.genotype(arch), self.form, **self.size)
        return network

    def _train(self, block: list[Architecture]) -> int:
        """Train a block, keep its metrics, and return the work; that of filled-up units is not counted."""
        stack = self.space.stack([self._build(arch) for arch in block]).to(self.device)
        optimizer = self.sgd(stack.parameters())
        split = self.dataset.train()
        steps = math.ceil(len(split) / self.batch_size)
        for position in range(self.epochs * steps):
            epoch, step = divmod(position, steps)
            for group in optimizer.param_groups:
                group["lr"] = cosine(self.lr, self.lr_min, epoch / self.epochs)
            self._step(stack, optimizer, *split.batch(self.batch_size, epoch, step))
            self.report({"phase": f"networks {block[0]} to {block[-1]}", "share": None, "epoch": position / steps})
        scores = zip(block, self._validate(stack), strict=True)
        self.found = {arch: {**metrics, **self._facts(arch)} for arch, metrics in scores}
        return int(stack.macs) * (PASS * self.epochs * len(split) + len(self.dataset.val()))

    def _step(self, stack: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor) -> None:
        stack.train()
        optimizer.zero_grad(set_to_none=True)
        losses: Tensor = vmap(self.dataset.loss, in_dims=(0, None))(stack(x), y)
        losses.sum().backward()
        clip_each(list(stack.parameters()), self.clip)
        optimizer.step()

    @torch.no_grad()
    def _validate(self, stack: nn.Module) -> list[Metrics]:
        stack.eval()
        split, sums = self.dataset.val(), dict[str, Tensor]()
        for step in range(math.ceil(len(split) / self.eval_batch_size)):
            x, y = split.batch(self.eval_batch_size, 0, step)
            measured = vmap(self.dataset.measure, in_dims=(0, None))(stack(x), y)
            sums = {name: sums.get(name, 0) + value for name, value in measured.items()}
        columns = {name: value.tolist() for name, value in sums.items()}
        count = len(next(iter(columns.values())))
        return [self.dataset.metrics({n: c[i] for n, c in columns.items()}, len(split)) for i in range(count)]

    def _facts(self, arch: Architecture) -> Metrics:
        """Return what a trade-off is drawn against: the costs of the final form, and the space's features."""
        genotype = self.space.genotype(arch)
        return {name: self.space.cost(genotype, name) for name in self.costs} | dict(
            self.space.format.features(genotype)
        )

    @classmethod
    def reads(cls, settings: Mapping[str, Any], dataset: Dataset) -> Mapping[str, str]:
        return dataset.fingerprint()

    def fingerprint(self) -> Mapping[str, str]:
        return self.dataset.fingerprint()

    def state_dict(self) -> State:
        return {"found": [[list(arch), dict(metrics)] for arch, metrics in self.found.items()]}

    def load_state_dict(self, state: State) -> None:
        self.found = {tuple(arch): dict(metrics) for arch, metrics in state["found"]}


def clip_each(parameters: list[Tensor], limit: float) -> None:
    """Scale the gradient of each network of a stack down to the norm ``limit``; the first dimension is theirs."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norms = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0).sqrt()
    factors = (limit / (norms + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factors.view(-1, *[1] * (gradient.dim() - 1)))
