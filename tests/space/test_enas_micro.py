"""The micro space of ENAS: the released cells' counts, their text, loose ends, what a path runs, and bad input."""

import json
import math
from pathlib import Path

import pytest
import torch
from torch import nn

import nasctl
from nasctl import walk
from nasctl.core import Candidate, Task
from nasctl.errors import RequestError
from nasctl.space._count import on_meta, params
from tests.space.contract import test_contract as contract
from tests.space.contract.subject import Subject

RELEASED = Path(nasctl.__file__).parent / "space" / "genotypes" / "enas_micro" / "ENAS_micro.json"
TEXT = "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1 1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1"
ONE_NODE = "0 0 1 4 0 3 0 4"  # a normal and a reduction cell; the latter does not read its later input


def released():
    return json.loads(RELEASED.read_text())["genotype"]


def test_a_picked_path_equals_its_own_network_where_normal_cells_come_first(space):
    made = space("enas_micro", small=True, search={"layers": 8})
    contract.TestSharedPaths().test_a_path_equals_its_own_network(Subject("enas_micro", made, {}, made.task))


# Counted from networks built by the authors' code, https://github.com/melodyguan/enas: 15 and 17 cells, 2 reductions
@pytest.mark.parametrize(("layers", "weights"), [(17, 3_894_372), (19, 4_924_836)])
def test_the_released_genotype_has_the_authors_number_of_weights(space, layers, weights):
    made = space("enas_micro", final={"layers": layers})
    genotype = made.format.check(released())
    network = on_meta(lambda: made.build(genotype, "final", auxiliary=False))
    assert made.cost(genotype, "params") == weights
    assert made.count(network) == {name: made.cost(genotype, name) for name in ("params", "macs")}


def test_the_auxiliary_head_reads_the_cell_after_the_second_reduction(space):
    made = space("enas_micro")
    network = on_meta(lambda: made.build(released(), "final"))
    assert network.auxiliary_after == 12 and network.auxiliary[2].in_channels == 144 * 5
    assert params(network) - params(network.auxiliary) == 3_894_372


@pytest.mark.parametrize(("side", "heads"), [(32, 1), (28, 0), (8, 0)])
def test_auto_gives_an_auxiliary_head_where_its_map_is_large_enough(space, side, heads):
    made = space("enas_micro", Task("image_classification", (3, side, side), 10), small=True)
    network = made.build(made.format.parse(ONE_NODE), "final")
    assert (network.auxiliary is not None) == heads
    outputs = network.train()(torch.randn(2, 3, side, side))
    assert [tuple(y.shape) for y in (outputs if heads else [outputs])] == [(2, 10)] * (1 + heads)
    assert tuple(network.eval()(torch.randn(2, 3, side, side)).shape) == (2, 10)


def test_the_space_counts_every_walk(space):
    """Two states and two operations for each of five nodes, in two cells."""
    made = space("enas_micro")
    assert made.size == (5**5 * math.factorial(6)) ** 4
    assert len(made.decisions) == 40 and made.num_operations == 5


def test_the_released_genotype_is_its_text(space):
    made = space("enas_micro")
    assert made.format.notation(released()) == TEXT
    assert made.format.parse(TEXT[:40] + "\n" + TEXT[40:]) == released()


def test_what_no_node_reads_leaves_the_cell(space):
    made = space("enas_micro")
    edges = made.format.edges(released())
    assert [a for a, b, name in edges["normal"] if b == "c_{k}"] == ["2", "3", "4", "5", "6"]
    assert [a for a, b, name in edges["reduce"] if b == "c_{k}"] == ["2", "4", "5", "6"]
    one = made.format.edges(made.format.parse(ONE_NODE))
    assert one["reduce"] == [
        ("c_{k-2}", "2", "max_pool_3x3"),
        ("c_{k-2}", "2", "skip_connect"),
        ("c_{k-1}", "c_{k}", "concat"),
        ("2", "c_{k}", "concat"),
    ]


def test_an_input_that_leaves_a_reduction_cell_is_halved(space):
    made = space("enas_micro", small=True)
    network = made.build(made.format.parse(ONE_NODE), "final").eval()
    assert list(network.cells[0].halves) == ["1"] and not network.cells[2].halves
    shapes = []
    for cell in network.cells:
        cell.register_forward_hook(lambda module, inputs, output: shapes.append(tuple(output[1].shape[1:])))
    network(torch.randn(1, 3, 16, 16))
    assert shapes == [(16, 8, 8), (32, 4, 4), (16, 4, 4)]  # two, two and one loose ends of 8, 16 and 16 channels


def test_the_search_form_keeps_node_channels_and_halves_before_its_reductions(space):
    made = space("enas_micro", small=True, search={"layers": 5})
    network = made.build(made.format.parse(ONE_NODE), "search").eval()
    seen = []
    for cell in network.cells:
        cell.register_forward_hook(lambda m, inputs, output: seen.append((output[0].shape[1:], output[1].shape[1:])))
        strides = {c.stride for edge in cell.edges.values() for c in edge.modules() if isinstance(c, nn.Conv2d)}
        assert strides <= {(1, 1)}
    network(torch.randn(1, 3, 16, 16))
    assert seen == [
        ((12, 16, 16), (4, 16, 16)),
        ((8, 8, 8), (8, 8, 8)),  # a reduction: what the next cell reads as the earlier input is halved, too
        ((8, 8, 8), (8, 8, 8)),
        ((16, 4, 4), (16, 4, 4)),
        ((16, 4, 4), (16, 4, 4)),
    ]


def test_drop_path_drops_whole_examples_of_all_but_skips(space):
    made = space("enas_micro", small=True)
    network = made.build(made.format.parse(ONE_NODE), "final")
    network.drop_path.probability = 0.5
    cell, picks = network.cells[2], network.genotype["normal"]
    torch.manual_seed(0)
    terms = [cell._term(k, [torch.randn(64, 16, 8, 8)] * 2, picks) for k in range(2)]
    kept = [(term.abs().amax((1, 2, 3)) > 0).float().mean().item() for term in terms]
    assert 0.3 < kept[0] < 0.7 and kept[1] == 1.0
    assert [cell.depth for cell in network.cells] == pytest.approx([1 / 3, 2 / 3, 1])


def test_the_supernet_trains_only_the_path(space):
    made = space("enas_micro", small=True, nodes=2)
    supernet, arch = made.supernet(), (0, 1, 0, 2, 2, 0, 1, 4) * 2
    supernet(torch.randn(4, 3, 8, 8), Candidate(arch)).sum().backward()
    trained = {name for name, p in supernet.named_parameters() if p.grad is not None and name.startswith("cells.2")}
    edges = {name.split(".")[3] for name in trained if ".edges." in name}
    assert edges == {"0-0", "2-2"}  # of four picks two have weights
    assert {name.split(".")[3] for name in trained if ".projections." in name} == {"3"}


def test_each_pick_has_weights_of_its_own_for_each_state_and_operation(space):
    made = space("enas_micro", small=True)
    cell = made.supernet().cells[0]
    assert list(cell.edges) == [f"{k}-{state}" for k in range(10) for state in range(k // 2 + 2)]
    assert all(list(edge) == list(made.operations) for edge in cell.edges.values())


def test_states_point_at_the_last_decisions_of_their_nodes(space):
    made = space("enas_micro")
    at = {decision.name: i for i, decision in enumerate(made.decisions)}
    for cell, kind in enumerate(("normal", "reduce")):
        for node in range(2, 7):
            nodes = [at[f"{kind}/{earlier}/second_operation"] for earlier in range(2, node)]
            for which in ("first", "second"):
                found = made.decisions[at[f"{kind}/{node}/{which}_input"]]
                assert found.inputs == (-2 * cell - 2, -2 * cell - 1, *nodes)
                assert found.options == tuple(map(str, range(node)))
                assert made.decisions[at[f"{kind}/{node}/{which}_operation"]].inputs == ()


def test_a_walk_becomes_the_genotype_of_its_names(space):
    made, generator = space("enas_micro"), torch.Generator().manual_seed(0)
    arch = walk.uniform(made, generator)
    taken = {d.name: d.options[option] for d, option in zip(made.decisions, arch, strict=True)}
    for kind in ("normal", "reduce"):
        expected = [
            [taken[f"{kind}/{node}/{which}_operation"], int(taken[f"{kind}/{node}/{which}_input"])]
            for node in range(2, 7)
            for which in ("first", "second")
        ]
        assert made.genotype(arch)[kind] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "genotype text: 0 numbers are not two cells of as many nodes with four numbers each; add or remove some"),
        (
            TEXT[:-2],
            "genotype text: 39 numbers are not two cells of as many nodes with four numbers each; add or remove some",
        ),
        (
            "0 0 1 4 0 3 0 4 1 1 0 0",
            "genotype text: 12 numbers are not two cells of as many nodes with four numbers each; add or remove some",
        ),
        (
            "0 0 1 5 0 3 0 4",
            "genotype text: normal operation 1 is operation 5, which is none of 0 sep_conv_3x3, 1 sep_conv_5x5, "
            "2 avg_pool_3x3, 3 max_pool_3x3, 4 skip_connect; correct it",
        ),
        (
            "0 0 1 4 2 3 0 4",
            "genotype: reduce operation 0 reads state 2, but node 2 can only read states 0 to 1; correct the input",
        ),
        ("0 0 1 4 0 3 0 sep", "genotype text: 'sep' is not a number; write numbers with spaces between them"),
    ],
)
def test_text_that_is_no_genotype_is_refused(space, text, message):
    with pytest.raises(RequestError) as refused:
        space("enas_micro").format.parse(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("reduce", "message"),
    [
        (
            [["sep_conv_3x3", 0], ["sep_conv_7x7", 1]],
            "genotype: reduce operation 1: unknown 'sep_conv_7x7'; did you mean 'sep_conv_5x5'? choose from "
            "sep_conv_3x3, sep_conv_5x5, avg_pool_3x3, max_pool_3x3, skip_connect",
        ),
        (
            [["skip_connect", 0], ["skip_connect", -1]],
            "genotype: reduce operation 1 reads state -1, but node 2 can only read states 0 to 1; correct the input",
        ),
        (
            [["skip_connect", 0]],
            "genotype: reduce lists 1 operations, but each node sums 2; add or remove some",
        ),
        ([], "genotype: reduce lists 0 operations, but each node sums 2; add or remove some"),
    ],
)
def test_data_that_is_no_genotype_is_refused(space, reduce, message):
    with pytest.raises(RequestError) as refused:
        space("enas_micro").format.check({"normal": [["skip_connect", 0], ["skip_connect", 1]], "reduce": reduce})
    assert str(refused.value) == message


@pytest.mark.parametrize("genotype", [{}, {"normal": "0 1"}, {"normal": [["skip_connect", "0"]]}])
def test_data_of_another_shape_is_refused(space, genotype):
    with pytest.raises(RequestError, match=r"genotype: normal must list \[operation, state\] pairs, which "):
        space("enas_micro").format.check(genotype)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"search": {"combine": "concatenate"}},
            "space.search.combine=concatenate: shared weights need cells whose shape does not depend on their loose "
            "ends; set space.search.combine=project",
        ),
        (
            {"search": {"auxiliary": "auto"}},
            "space.search.auxiliary=auto: shared weights are trained with one classifier; set false",
        ),
        (
            {"operations": ["skip_connect", "skip_connect"]},
            "space.operations=['skip_connect', 'skip_connect'] must be one or more different ones; correct the list",
        ),
    ],
)
def test_a_space_that_cannot_be_built_is_refused_at_the_door(space, changes, message):
    with pytest.raises(RequestError) as refused:
        space("enas_micro", **changes)
    assert str(refused.value) == message


def test_an_auxiliary_head_that_does_not_fit_is_refused(space):
    with pytest.raises(RequestError) as refused:
        space("enas_micro", Task("image_classification", (3, 16, 16), 10), final={"auxiliary": True})
    assert str(refused.value) == (
        "space.final.auxiliary=true needs a map of 8x8, here it is 4x4; use auxiliary=auto or auxiliary=false"
    )
