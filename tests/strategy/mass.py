"""Small problems of a feasible mass: random policies, a limit that is a chain, and brute force over all of them."""

from itertools import pairwise, product

import torch

from nasctl.core import Chain
from nasctl.strategy.feasibility._set import Chained, feasible_set
from tests.strategy.table import Limit


def chain(sizes, seed=0, share=0.4):
    """Return random integer tables over neighbours, and a limit that about ``share`` of the sums meet."""
    generator = torch.Generator().manual_seed(seed)
    shapes = pairwise(sizes)
    tables = [torch.randint(1, 50, shape, generator=generator).double() for shape in shapes]
    costs = torch.stack(
        [sum(t[a, b] for t, a, b in zip(tables, arch, arch[1:], strict=False)) for arch in every(sizes)]
    )
    return Chain([table.tolist() for table in tables], float(costs.quantile(share, interpolation="lower")))


def every(sizes):
    return list(product(*map(range, sizes)))


class ChainLimit(Limit):
    """A limit that says of itself that it is a chain."""

    def __init__(self, limit):
        super().__init__(lambda arch: bool(Chained(limit)(torch.tensor(arch))))
        self.limit = limit

    def chain(self):
        return self.limit


def members(sizes, limit):
    return feasible_set(sizes, Limit(ChainLimit(limit).accepts))


def logits(sizes, replicas=3, seed=1, scale=1.0):
    """Return random log-probabilities ``(replicas, decisions, options)``; -inf where an option is missing."""
    generator = torch.Generator().manual_seed(seed)
    values = scale * torch.randn(replicas, len(sizes), max(sizes), generator=generator, dtype=torch.float64)
    missing = torch.arange(max(sizes)) >= torch.tensor(sizes)[:, None]
    return values.masked_fill(missing, float("-inf"))


def brute_force(values, sizes, limit):
    """Return P(V) of each replica with its graph to the logits ``values``, one product an architecture."""
    log_p = values.log_softmax(-1)
    accepted = [arch for arch in every(sizes) if ChainLimit(limit).accepts(arch)]
    places = torch.arange(len(sizes))
    return torch.stack([log_p[:, places, torch.tensor(arch)].sum(1).exp() for arch in accepted]).sum(0)


def uniforms(replicas, samples, decisions, seed=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(replicas, decisions + 1, samples, generator=generator)
