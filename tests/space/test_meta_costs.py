"""A new space gets its costs without writing any: its final network is counted on the meta device."""

import torch
from torch import nn

from nasctl.core import Decision, Task
from nasctl.space._shared import FixedWalk, MetaCosts


class Attended(nn.Module):
    """A linear layer and a product of activations, which no layer holds; an auxiliary head does not count."""

    def __init__(self, width, outputs):
        super().__init__()
        self.embed, self.classifier = nn.Linear(48, width), nn.Linear(width, outputs, bias=False)
        self.auxiliary = nn.Linear(width, outputs)

    def forward(self, x):
        y = self.embed(x.flatten(2).transpose(1, 2).flatten(1).unflatten(1, (4, 48)))
        return self.classifier((y @ y.transpose(1, 2) @ y).mean(1))


class Own(FixedWalk, MetaCosts):
    def __init__(self):
        self.task = Task("image_classification", (3, 8, 8), 10)
        self.decisions = (Decision("width", "width", ("2", "5")),)

    def build(self, genotype, form, **size):
        return Attended(genotype["width"], self.task.num_outputs)


def test_layers_and_products_of_any_kind_are_counted():
    for width in (2, 5):
        cost = {name: Own().cost({"width": width}, name) for name in ("params", "macs")}
        assert cost == {"params": 48 * width + width + 10 * width, "macs": 4 * 48 * width + 2 * 16 * width + 10 * width}


def test_nothing_is_allocated_and_nothing_is_counted_twice():
    own, built = Own(), []
    own.build = lambda genotype, form, **size: built.append(torch.get_default_device()) or Attended(3, 10)
    assert own.cost({"width": 3}, "params") and own.cost({"width": 3}, "macs")
    assert [device.type for device in built] == ["meta"]
