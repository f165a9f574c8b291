"""What counts as the same architecture: the networks of two such genotypes compute the same."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from nasctl import walk
from nasctl.core import Task
from nasctl.space.darts.network import Network
from tests.genotype_source import dress
from tests.genotype_source.made import space
from tests.space.text import TEXT, tokens

IMAGES = Task("image_classification", (3, 8, 8), 10)
SMALL = {"channels": 4, "layers": 3}


def small_darts(genotype: Any) -> nn.Module:
    form: Any = space("darts").forms["final"]  # type: ignore[attr-defined]
    return Network(genotype, IMAGES, replace(form, auxiliary=False, **SMALL)).double().eval()


def shuffled(cell: dress.Cell, draw: random.Random) -> dress.Cell:
    """Return the cell with the inputs of each node, and the nodes that leave it, in another order."""
    found = {kind: list(content) for kind, content in cell.items()}
    for kind in ("normal", "reduce"):
        found[kind] = [pick for k in range(0, len(cell[kind]), 2) for pick in draw.sample(cell[kind][k : k + 2], 2)]
        found[f"{kind}_concat"] = draw.sample(cell[f"{kind}_concat"], len(cell[f"{kind}_concat"]))
    return found


def carried(network: nn.Module, given: dress.Cell, canonical: dress.Cell) -> dict[str, torch.Tensor]:
    """Return the weights of the network of ``given`` under the names and in the order of ``canonical``'s."""
    kinds = ["normal", "reduce", "reduce"]  # of three layers
    state: dict[str, torch.Tensor] = {}
    for name, value in network.state_dict().items():
        parts = name.split(".")
        layer = int(parts[1]) if parts[0] == "cells" else len(kinds)
        if parts[0] == "cells" and parts[2] == "operations":
            parts[3] = str(places(given[kinds[layer]], canonical[kinds[layer]])[int(parts[3])])
        source = layer - 1 if parts[0] == "classifier" or "last" in parts else layer - 2 if "before" in parts else -1
        if source >= 0 and value.dim() > 1:  # reads the concatenation of an earlier cell
            value = in_order(value, given[f"{kinds[source]}_concat"], canonical[f"{kinds[source]}_concat"])
        state[".".join(parts)] = value
    return state


def places(given: list[Any], canonical: list[Any]) -> list[int]:
    """Return where each operation of ``given`` stands in ``canonical``, node by node."""
    found: list[int] = []
    for k in range(0, len(given), 2):
        swapped = given[k : k + 2] != canonical[k : k + 2]
        found += [k + 1, k] if swapped else [k, k + 1]
    return found


def in_order(weight: torch.Tensor, given: list[int], canonical: list[int]) -> torch.Tensor:
    blocks = dict(zip(given, weight.chunk(len(given), 1), strict=True))
    return torch.cat([blocks[node] for node in canonical], 1)


@pytest.mark.parametrize("seed", range(4))
def test_cells_of_one_canonical_form_compute_the_same(seed: int) -> None:
    draw, darts = random.Random(seed), space("darts")
    cell = dress.random_cell(draw)
    other = shuffled(cell, draw)
    canonical = darts.format.canonical(other)
    assert canonical == darts.format.canonical(cell) == darts.format.canonical(canonical)
    torch.manual_seed(seed)
    given, sorted_one = small_darts(other), small_darts(canonical)
    sorted_one.load_state_dict(carried(given, other, dict(canonical)))
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(sorted_one(x), given(x), rtol=1e-12, atol=1e-12)
    assert darts.cost(other, "params") == darts.cost(canonical, "params")


@pytest.mark.parametrize("seed", range(3))
def test_micro_cells_of_one_canonical_form_compute_the_same(seed: int) -> None:
    draw, made = random.Random(seed), space("enas_micro")
    genotype = dress.random_genotype(made, draw)
    canonical = made.format.canonical(genotype)
    torch.manual_seed(seed)
    sizes = {"channels": 4, "layers": 4}
    given, sorted_one = (made.build(g, "final", **sizes).double().eval() for g in (genotype, canonical))
    names = {}
    for name in given.state_dict():
        parts = name.split(".")
        if parts[0] == "cells" and parts[2] == "edges":
            kind = given.kinds[int(parts[1])]  # type: ignore[union-attr,index]
            pick, _, state = parts[3].partition("-")
            parts[3] = f"{places(genotype[kind], canonical[kind])[int(pick)]}-{state}"
        names[name] = ".".join(parts)
    sorted_one.load_state_dict({names[name]: value for name, value in given.state_dict().items()})
    x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(sorted_one(x), given(x), rtol=1e-12, atol=1e-12)


def test_the_order_of_a_recurrent_mean_does_not_matter() -> None:
    made: Any = space("rnn_darts")
    cell = dress.random_recurrent(random.Random(3)) | {"concat": [3, 1, 2]}
    cell["recurrent"] = [["relu", 0], ["tanh", 1], ["sigmoid", 1]]
    networks = [made.build(g, "final", units=6).double().eval() for g in (cell, made.format.canonical(cell))]
    networks[1].load_state_dict(networks[0].state_dict())
    assert made.format.canonical(cell)["concat"] == [1, 2, 3]
    with torch.no_grad():
        a, b = (network(tokens(), network.init_hidden(tokens().shape[1])).logits for network in networks)
    torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    assert TEXT.kind == "language"


@pytest.mark.parametrize(
    "change",
    [
        {"normal": [["skip_connect", 0], ["sep_conv_3x3", 1], ["skip_connect", 0], ["skip_connect", 2]]},
        {"normal": [["sep_conv_3x3", 0], ["skip_connect", 0], ["skip_connect", 0], ["skip_connect", 2]]},
        {"normal_concat": [2]},
        {"normal_concat": [3]},
        {"normal": [["skip_connect", 0], ["skip_connect", 2], ["sep_conv_3x3", 0], ["skip_connect", 1]]},
    ],
)
def test_other_cells_have_another_form(change: dict[str, Any]) -> None:
    darts, two = space("darts"), [["sep_conv_3x3", 0], ["skip_connect", 1], ["skip_connect", 0], ["skip_connect", 2]]
    cell = {"normal": two, "normal_concat": [2, 3], "reduce": two, "reduce_concat": [2, 3]}
    assert darts.format.canonical(cell | change) != darts.format.canonical(cell)


@pytest.mark.parametrize("family", ["darts", "rnn_darts", "enas_macro", "nasbench201", "ffn"])
def test_a_walk_gives_the_canonical_form(family: str) -> None:
    """So the runs and tables of earlier versions keep their keys; of enas_micro they do not."""
    made, draw = space(family), random.Random(0)
    for _ in range(20):
        arch = walk.extend(made, (), lambda prefix, options: draw.choice(list(options)), walk.to_the_end)
        assert made.format.canonical(made.genotype(arch)) == made.genotype(arch)
