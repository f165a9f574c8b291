"""A space of feed-forward networks of any depth up to ``deepest``; the walk ends early by the option stop."""

from itertools import pairwise
from math import prod

from torch import nn

from nasctl.core import Decision, Task
from nasctl.errors import RequestError

STOP = "stop"


class ChainFormat:
    family, marks = "chain", ()

    def __init__(self, widths):
        self.widths = widths

    def notation(self, genotype):
        return "-".join(map(str, genotype["widths"]))

    def canonical(self, genotype):
        return genotype

    def parse(self, text, remark=None):
        return self.check({"widths": [int(width) for width in text.split("-")]})

    def check(self, genotype):
        if not set(genotype["widths"]) <= set(self.widths):
            raise RequestError(f"genotype: {genotype!r} has other widths; use {', '.join(map(str, self.widths))}")
        return genotype

    def features(self, genotype):
        return {"layers": len(genotype["widths"])}

    def edges(self, genotype):
        return {"network": [(str(i), str(i + 1), f"linear_{w}") for i, w in enumerate(genotype["widths"])]}


class Chain:
    """A network is complete after any layer, or with ``must_stop`` only after stop or the deepest layer."""

    size, num_operations = None, 1

    def __init__(self, task: Task, *, widths: list[int], deepest: int, must_stop: bool) -> None:
        self.task, self.options, self.deepest, self.must_stop = task, (STOP, *map(str, widths)), deepest, must_stop
        self.kinds, self.format = (self.decision(()),), ChainFormat(widths)
        self.inputs, self.outputs = (prod(task.input_shape), task.num_outputs) if task.input_shape else (2, 1)

    def decision(self, prefix):
        if len(prefix) == self.deepest or 0 in prefix:
            return None
        open_ = tuple(range(0 if prefix and self.must_stop else 1, len(self.options)))
        return Decision(f"layer{len(prefix)}", "layer", self.options, open_)

    def complete(self, prefix):
        return bool(prefix) and (not self.must_stop or self.decision(prefix) is None)

    def state(self, prefix):
        return len(prefix), prefix[-1] if prefix else None

    def genotype(self, arch):
        return {"widths": [int(self.options[option]) for option in arch if option]}

    def cost(self, genotype, name):
        return sum(a * b + b * (name == "params") for a, b in self.sides(genotype))

    def sides(self, genotype):
        return list(pairwise([self.inputs, *genotype["widths"], self.outputs]))

    def count(self, network):
        layers = [layer for layer in network if isinstance(layer, nn.Linear)]
        weights = sum(layer.weight.numel() for layer in layers)
        return {"params": weights + sum(layer.bias.numel() for layer in layers), "macs": weights}

    def build(self, genotype, form, **size):
        return nn.Sequential(nn.Flatten(), *(nn.Linear(a, b) for a, b in self.sides(genotype)))
