"""Every space of conf/space, shrunken, with a task that it accepts and inputs of that task."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from torch import nn

from nasctl import walk
from nasctl.config.build import make
from nasctl.config.settings import conf_dir
from nasctl.core import Task, TextSegment
from nasctl.errors import RequestError

NAMES = sorted(path.stem for path in Path(conf_dir(), "space").glob("*.yaml"))
TASKS = (
    Task("image_classification", (3, 8, 8), 10),
    Task("image_classification", (3, 32, 32), 10),
    Task("language", (5,), 30),
    Task("tabular_classification", (9,), 1, (5, 3, 7)),
    Task("none", (), 0),
)
OF_SPACE = {"nodes": 3, "base": 4, "deepest": 3, "layers": 4}  # the most of whichever settings a space has
OF_FORM = {"channels": 4, "layers": 3, "cells": 1, "units": 6, "embedding": 6}  # of whichever parts a form has
COLUMNS = 4  # examples of a batch, or columns of text


@dataclass(frozen=True)
class Subject:
    """A space by the name of its YAML, its settings and its task."""

    name: str
    space: Any
    node: Any
    task: Task

    def sampled(self, count, seed=0):
        """Return architectures of uniform walks."""
        generator = torch.Generator().manual_seed(seed)
        return [walk.uniform(self.space, generator) for _ in range(count)]

    def genotypes(self, count, seed=0):
        return [self.space.genotype(arch) for arch in self.sampled(count, seed)]

    def inputs(self, seed=0):
        """Return a batch: images, rows of numbers and then ids, or tokens ``(T, B)``."""
        generator = torch.Generator().manual_seed(seed)
        if self.task.kind == "language":
            return torch.randint(self.task.num_outputs, (*self.task.input_shape, COLUMNS), generator=generator)
        if self.task.kind == "image_classification":
            return torch.randn(COLUMNS, *self.task.input_shape, generator=generator, dtype=torch.float64)
        numbers = self.task.input_shape[0] - len(self.task.categories)
        ids = [torch.randint(size, (COLUMNS, 1), generator=generator) for size in self.task.categories]
        return torch.cat([torch.randn(COLUMNS, numbers, generator=generator, dtype=torch.float64), *ids], 1)

    def run(self, network, seed=0):
        """Return the outputs of a stand-alone network; its dropout is that of `mix` with the same seed."""
        torch.manual_seed(seed)
        x = self.inputs(seed)
        if self.task.kind != "language":
            return network(x.to(next(network.parameters()).dtype))
        return network(x, hidden(network, seed)).logits

    def mix(self, supernet, candidate, seed=0):
        """Return the outputs of a supernet."""
        x = self.inputs(seed)
        return supernet(TextSegment(x, hidden(supernet, seed), seed) if self.task.kind == "language" else x, candidate)

    def mixtures(self, seed):
        """Return a random mixture of each relaxed choice in float64, as leaves that want a gradient."""
        generator = torch.Generator().manual_seed(seed)
        sizes = [len(choice.options) for choice in self.space.relaxed_choices]
        logits = [torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes]
        return [row.softmax(0).requires_grad_() for row in logits]

    def settings(self):
        """Return the name of a number that says how large its networks are."""
        return next((name for name in ("channels", "units", "embedding") if name in self.node.get("search", {})), None)


def hidden(network, seed):
    """Return a random hidden state of the form that the network begins with."""
    generator = torch.Generator().manual_seed(seed)

    def noise(like):
        if isinstance(like, tuple):
            return tuple(noise(part) for part in like)
        return torch.randn(like.shape, generator=generator, dtype=like.dtype)

    return [noise(layer) for layer in network.init_hidden(COLUMNS)]


@cache
def node(name):
    """Return the settings of a YAML, shrunken."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        full = OmegaConf.to_container(compose(f"space/{name}").space, resolve=True)
    forms = {form: full[form] | _least(full[form], OF_FORM) for form in {"search", "final"} & full.keys()}
    return full | _least(full, OF_SPACE) | forms


def _least(settings, most):
    return {key: min(settings[key], limit) for key, limit in most.items() if type(settings.get(key)) is int}


@cache
def subject(name):
    """Return the space of a YAML for the first of the tasks that it accepts."""
    for task in TASKS:
        try:
            return Subject(name, make(node(name), task), node(name), task)
        except RequestError as error:
            refusal = error
    raise refusal


def one_hot(space, options):
    """Return mixtures of one option each."""
    pairs = zip(space.relaxed_choices, options, strict=True)
    return [torch.eye(len(choice.options), dtype=torch.float64)[k] for choice, k in pairs]


def near(ours, theirs):
    """Demand agreement to 1e-8 of the largest entry."""
    torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-8 * float(theirs.detach().abs().max()) + 1e-12)


def shuffle_norms(network):
    """Give each norm statistics of its own, so that a norm in the wrong place shows in evaluation."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)


def layers_run(network, run):
    """Return how often a layer of each kind runs; an identity is free, however it is written."""
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.AvgPool2d, nn.ReLU)
    ran = Counter()
    hooks = [
        module.register_forward_hook(lambda m, *_: ran.update([type(m)]))
        for module in network.modules()
        if isinstance(module, kinds)
    ]
    run()
    for hook in hooks:
        hook.remove()
    return ran
