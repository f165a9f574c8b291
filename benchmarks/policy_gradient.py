"""Policy gradients on tables: replicas in one batch, P(V) exactly or by samples, and long chains.

The plain replica is a tidy loop as one would write it for a single search: torch's Adam, autograd through the
estimate of P(V) from 200 samples, a look-up of each reward. All run on one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import torch
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from torch import Tensor

from benchmarks.pairs import alternate
from nasctl.config.build import make
from nasctl.config.settings import conf_dir
from nasctl.constraint.limit import Limit
from nasctl.core import Chain, ConstraintContext, ResourceContext, SearchSpace, Task
from nasctl.resource.macs import Macs
from nasctl.resource.params import Params
from nasctl.search.feasible import Feasible
from nasctl.space.toy import Toy
from nasctl.strategy.feasibility._meet_in_the_middle import MeetInTheMiddle
from nasctl.strategy.feasibility._set import Chained
from nasctl.strategy.reinforce import Reinforce

REPLICAS, SAMPLES, STEPS = 512, 200, 10
CIFAR100 = Task("image_classification", (3, 32, 32), 100)
WIDTHS = [8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 384, 512]


def rows() -> Iterator[tuple[str, float, float, float]]:
    """Yield seconds of ours and of the plain way, and their ratio."""
    torch.set_num_threads(1)
    size = space("nats_size"), "macs", 75e6
    for kind, label in (("exact", "exact P(V)"), ("monte_carlo", f"N={SAMPLES}")):
        ours, theirs, ratio = alternate(batch(*size, kind, REPLICAS), plain(*size), pairs=5)
        name = f"a step of {REPLICAS} replicas, {label} / of a plain one (ratio: of steps a second)"
        yield name, ours / STEPS, theirs / STEPS, ratio * REPLICAS
    problems = (ffn(3), "params", 41_153.0), (space("nasbench201"), "macs", 82.5e6), size
    for problem in problems:
        exact, sampled = (batch(*problem, kind, REPLICAS) for kind in ("exact", "monte_carlo"))
        ours, theirs, ratio = alternate(exact, sampled, pairs=5)
        name = f"{problem[0].size:,} architectures, {REPLICAS} replicas: exact P(V) / N={SAMPLES}"
        yield name, ours / STEPS, theirs / STEPS, ratio
    yield ("P(V) and its gradient over 20^5 chains / summed over all", *alternate(*chains(), pairs=5))


def space(name: str) -> SearchSpace:
    return make(yaml.safe_load((conf_dir() / "space" / f"{name}.yaml").read_text()), CIFAR100)


def ffn(layers: int) -> Toy:
    return Toy(Task("none", (), 0), widths=WIDTHS, layers=layers, inputs=1027, outputs=1)


def limited(made: SearchSpace, resource: str, limit: float, tries: int) -> Limit:
    """Return an upper limit on a resource that the space counts."""
    context = ResourceContext(made, CIFAR100, torch.device("cpu"))
    resources = {"params": Params(context), "macs": Macs(context)}
    return Limit(ConstraintContext(made, resources), resource=resource, limit=limit, tries=tries)


def batch(made: SearchSpace, resource: str, limit: float, kind: str, replicas: int) -> Callable[[], None]:
    """Return a function that takes ``STEPS`` steps of a batch whose rewards are random numbers."""
    settings = strategy_node(kind)
    constraint = limited(made, resource, limit, 10**9)
    strategy: Reinforce = make(settings, made, Feasible(made, constraint, lambda arch: True), list(range(replicas)))
    rewards, active = torch.rand(replicas, dtype=torch.float64), torch.ones(replicas, dtype=torch.bool)

    def run() -> None:
        for _ in range(STEPS):
            archs, wanted = strategy.draw(active)
            strategy.learn(archs, rewards, wanted)

    return run


def strategy_node(kind: str) -> dict[str, Any]:
    """Return the settings of REINFORCE that rejects infeasible samples, with P(V) of a ``kind``."""
    choices = ["strategy=reinforce", f"strategy/feasibility={kind}", "strategy.horizon=null"]
    samples = [f"strategy.feasibility.samples={SAMPLES}"] if kind == "monte_carlo" else []
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return OmegaConf.to_container(compose("config", choices + samples).strategy)  # type: ignore[return-value]


def plain(made: SearchSpace, resource: str, limit: float) -> Callable[[], None]:
    """Return a function that takes ``STEPS`` steps of one replica, written for one replica."""
    count, options = len(made.decisions), len(made.decisions[0].options)
    constraint = limited(made, resource, limit, 1)
    every = product(range(options), repeat=count)
    accepted = torch.tensor([constraint(made.genotype(arch)) for arch in every]).view([options] * count)
    logits = torch.zeros(count, options, requires_grad=True)
    optimizer = torch.optim.Adam([logits], 0.1, maximize=True)
    average = [0.0, 0.0]

    def step() -> None:
        log_p = logits.log_softmax(1)
        arch = torch.multinomial(log_p.detach().exp(), 1)[:, 0]
        if not accepted[tuple(arch)]:
            return
        drawn = torch.multinomial(log_p.detach().exp(), SAMPLES, replacement=True)
        log_drawn = log_p.gather(1, drawn).sum(0)
        mass = ((log_drawn - log_drawn.detach()).exp() * accepted[tuple(drawn)]).mean()
        reward = float(torch.rand(()))
        average[0], average[1] = 0.9 * average[0] + 0.1 * reward, 0.9 * average[1] + 0.1
        optimizer.zero_grad()
        ((reward - average[0] / average[1]) * (log_p.gather(1, arch[:, None]).sum() - mass.log())).backward()
        optimizer.step()

    def run() -> None:
        for _ in range(STEPS):
            step()

    return run


def chains() -> tuple[Callable[[], object], Callable[[], object]]:
    """Return P(V) with its gradient over five layers of twenty widths: met in the middle, and summed over all."""
    chain = Chain(ffn(5).chain("params"), 41_153.0)
    log_p = torch.randn(1, 5, 20, dtype=torch.float64).log_softmax(-1)
    every = torch.cartesian_prod(*[torch.arange(20)] * 5)
    accepted = Chained(chain)(every).double()

    def summed() -> Tensor:
        logits = log_p.clone().requires_grad_()
        joint = logits.log_softmax(-1)[0].exp()
        products = joint[0]
        for row in joint[1:]:
            products = (products[:, None] * row).flatten()
        (gradient,) = torch.autograd.grad((products * accepted).sum(), logits)
        return gradient

    return partial(MeetInTheMiddle([20] * 5, chain), log_p), summed
