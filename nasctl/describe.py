"""What an architecture is and costs, without training it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from nasctl import walk
from nasctl.config.collaborators import trainable
from nasctl.core import Genotype, PathSupernet, RecurrentNetwork, SearchSpace, Task, TrainableSpace
from nasctl.errors import unknown
from nasctl.genotype_source import Source, architecture_record

FORMATS = ("table", "json", "dot")
FORMS = ("search", "final")


def inspect(space: SearchSpace, task: Task, source: Source | None, form: str, output: str) -> str:
    """Return the text that shows a space, or the architecture ``source`` of it."""
    if output not in FORMATS:
        raise unknown("format", output, FORMATS)
    if form not in FORMS:
        raise unknown("form", form, FORMS)
    facts = network_facts(trainable(space), task, source, form) if source else space_facts(space)
    if output == "dot":
        return dot(space, source.genotype) if source else dot_of_space(space)
    return json.dumps(facts, indent=1) + "\n" if output == "json" else table(facts)


def space_facts(space: SearchSpace) -> dict[str, Any]:
    """Return the decisions of a space, its size, and the weights of its supernet."""
    shared = {"supernet_params": _supernet_params(space)} if isinstance(space, PathSupernet) else {}
    return {
        "family": space.format.family,
        "architectures": space.size,
        "operations": space.num_operations,
        **shared,
        "decisions": {d.name: list(d.options) for d in walk.decisions(space, walk.first(space))},
    }


def _supernet_params(space: PathSupernet) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in space.supernet().parameters())


def network_facts(space: TrainableSpace, task: Task, source: Source, form: str) -> dict[str, Any]:
    """Return an architecture's decisions, costs and the shapes of its network's parts, for a batch of one."""
    with torch.device("meta"):
        network = space.build(source.genotype, form)
    head = sum(p.numel() for name, p in network.named_parameters() if name.startswith("auxiliary."))
    params = sum(p.numel() for p in network.parameters())
    record = architecture_record(space, source.genotype, source.arch)
    facts = {name: value for name, value in record.items() if name not in ("edges", "features")}
    counted = dict(space.count(network))
    embeddings = counted.get("embedding_params", 0)
    counted |= {"params": params - head - embeddings, "params_with_auxiliary": params - embeddings}
    facts |= {"form": form} | counted
    return facts | dict(space.format.features(source.genotype)) | {"shapes": shapes(network, task)}


def shapes(network: nn.Module, task: Task) -> dict[str, list[int]]:
    """Return the output shape of each part of a network on the meta device."""
    found: dict[str, list[int]] = {}
    parts = [(n, m) for n, m in network.named_modules() if n.count(".") <= 1 and not isinstance(m, nn.ModuleList)]
    for name, module in parts:
        if name and ("." not in name or name.startswith(("cells.", "layers."))):
            module.register_forward_hook(lambda m, i, out, name=name: found.update({name: _shape(out, m)}))
    with torch.no_grad():
        out = run(network.eval(), task)
    return found | {"output": _shape(out, network)}


def run(network: Any, task: Task) -> Any:
    """Return what a network on the meta device makes of one example; of a text that is one column."""
    hidden = network.init_hidden(1) if isinstance(network, RecurrentNetwork) else None
    if hidden is None:
        return network(torch.empty(1, *task.input_shape, device="meta"))
    tokens = torch.empty(*task.input_shape, 1, dtype=torch.int64, device="meta")
    return network(tokens, hidden).logits


def _shape(out: Any, module: nn.Module) -> list[int]:
    """Return the shape of an output, of several the last one; a recurrent layer's stands before its state."""
    if not isinstance(out, tuple):
        return list(out.shape)
    return list(out[0 if isinstance(module, RecurrentNetwork) else -1].shape)


def table(facts: Mapping[str, Any]) -> str:
    """Return facts as lines of name and value."""
    lines: list[str] = []
    for name, value in facts.items():
        if name == "genotype" or value is None:
            continue
        if isinstance(value, Mapping):
            lines.append(f"{name}:")
            lines += [f"  {key:<24}{_plain(item)}" for key, item in value.items()]
        else:
            lines.append(f"{name:<26}{_plain(value)}")
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return (" x " if value and isinstance(value[0], int) else " ").join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def dot(space: SearchSpace, genotype: Genotype) -> str:
    """Return the cells as a Graphviz graph."""
    lines = ["digraph genotype {", "  rankdir=LR; node [shape=box];"]
    for cell, edges in space.format.edges(genotype).items():
        lines.append(f'  subgraph "cluster_{cell}" {{ label="{cell}";')
        lines += [f'    "{cell}/{a}" -> "{cell}/{b}" [label="{name}"];' for a, b, name in edges]
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def dot_of_space(space: SearchSpace) -> str:
    """Return the graph of the space's first architecture."""
    return dot(space, space.genotype(walk.first(space)))
