"""Small spaces for a controller, and the released controller of the macro space written out for one walk."""

import itertools
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nasctl import walk
from nasctl.config.build import make
from nasctl.config.settings import conf_dir
from nasctl.core import Decision, Task
from nasctl.strategy.policy.lstm import Lstm
from tests.strategy.table import Growing, Table

IMAGES = Task("image_classification", (3, 8, 8), 10)
SETTINGS = {
    "units": 6,
    "layers": 1,
    "init": 1.0,  # so that walks differ much in probability
    "shared": True,
    "temperature": None,
    "tanh_constant": None,
    "tanh_reduce": 1.0,
    "bias": None,
    "fixed_bias": {},
}


def controller(space, seed=0, **changes):
    return Lstm(space, seed, **(SETTINGS | changes))


def published(name, **changes):
    """Return a space of conf/space with ``changes``."""
    with initialize_config_dir(str(Path(conf_dir())), version_base="1.3"):
        node = OmegaConf.to_container(compose("config", [f"space={name}"]).space, resolve=True)
    return make(node | changes, IMAGES)


def macro(layers=3):
    return published("enas_macro", layers=layers, operations=["conv_3x3", "max_pool_3x3"])


def micro(nodes=2):
    return published("enas_micro", nodes=nodes, operations=["sep_conv_3x3"])


class Forked:
    """Two skip bits of an input, the second closed to yes where the first was taken, then a choice of three."""

    kinds = (Decision("choice", "choice", ("a", "b", "c")),)

    def decision(self, prefix):
        if len(prefix) < 2:
            open_ = (0,) if list(prefix) == [1] else None
            return Decision(f"bit{len(prefix)}", "skip", ("no", "yes"), open_, (-1,))
        return self.kinds[0] if len(prefix) == 2 else None

    def complete(self, prefix):
        return len(prefix) == 3


SPACES = {"table": lambda: Table(4, 3), "macro": macro, "micro": micro, "growing": Growing, "forked": Forked}


def every(space, prefix=()):
    options = walk.options(space, prefix)
    return [arch for k in options for arch in every(space, (*prefix, k))] if options else [prefix]


def released(tried, arch, layers):
    """Return the log-probability of a walk through the macro space, and the penalty at a target of 0.4.

    As in src/cifar10/general_controller.py of https://github.com/melodyguan/enas, with the ``tried`` weights.
    """
    weights, cell = dict(tried.named_parameters()), tried.cells[0]
    softmax, embedding = weights["tables.0.softmax.weight"], weights["tables.0.embedding.weight"]
    w1, w2, v = weights["to_key.weight"], weights["to_query.weight"], weights["attend"]
    taken, inputs, state, anchors = iter(arch), weights["start"][None], None, []
    total, kl = torch.zeros(()).double(), []

    def shape(logits):
        logits = logits if tried.temperature is None else logits / tried.temperature
        return logits if tried.tanh_constant is None else tried.tanh_constant * torch.tanh(logits)

    for layer in range(layers):
        state = cell(inputs, state)
        option = next(taken)
        total = total + shape(state[0] @ softmax.T).log_softmax(1)[0, option]
        state = cell(embedding[option][None], state)
        inputs = weights["start"][None]
        if layer:
            bits = torch.tensor(list(itertools.islice(taken, layer)))
            query = torch.tanh(torch.cat(anchors) @ w1.T + state[0] @ w2.T) @ v
            logits = shape(torch.stack([-query, query], 1))
            total = total + logits.log_softmax(1)[torch.arange(layer), bits].sum()
            p = logits.sigmoid()
            kl.append((p * (p / torch.tensor([0.6, 0.4])).log()).sum())
            inputs = (bits.double() @ torch.cat(anchors))[None] / (1 + bits.sum())
        anchors.append(state[0])
    return total, torch.stack(kl).mean()
