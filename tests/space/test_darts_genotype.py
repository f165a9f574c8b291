"""The genotype of the DARTS family: its text, its graph, and what is refused."""

import pytest
import torch

from nasctl.errors import RequestError
from tests.space.published import STRAIGHT, published


def test_the_authors_text_is_read(space):
    text = (
        "Genotype(\n  normal = [\n    ('sep_conv_3x3', 1), ('skip_connect', 0),\n    (\"avg_pool_3x3\", 2), "
        "('dil_conv_5x5', 0),\n  ],\n  normal_concat = range(2, 4),\n  reduce=[('max_pool_3x3', 0), "
        "('conv_7x1_1x7', 1)], reduce_concat=[2])"
    )
    assert space("darts").format.parse(text) == {
        "normal": [["sep_conv_3x3", 1], ["skip_connect", 0], ["avg_pool_3x3", 2], ["dil_conv_5x5", 0]],
        "normal_concat": [2, 3],
        "reduce": [["max_pool_3x3", 0], ["conv_7x1_1x7", 1]],
        "reduce_concat": [2],
    }


@pytest.mark.parametrize("name", ["DARTS_V1", "DARTS_V2", "NASNet", "AmoebaNet"])
def test_published_genotypes_survive_their_notation(space, name):
    darts = space("darts")
    assert darts.format.parse(darts.format.notation(published(name))) == published(name)


def test_the_graph_names_states_and_nodes(space):
    graph = space("darts").format.edges(STRAIGHT)
    assert graph["reduce"][:2] == [("c_{k-2}", "2", "max_pool_3x3"), ("c_{k-1}", "2", "skip_connect")]
    assert graph["normal"][6:] == [
        ("c_{k-2}", "5", "sep_conv_3x3"),
        ("c_{k-1}", "5", "skip_connect"),
        *[(str(node), "c_{k}", "concat") for node in (2, 3, 4, 5)],
    ]
    assert space("darts").format.features(STRAIGHT) == {"skip_connections": 8}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"normal": [["sep_conv_3x3", 0], ["sep_conf_3x3", 1]]},
            "genotype: normal operation 1: unknown 'sep_conf_3x3'; did you mean 'sep_conv_3x3'? "
            "choose from max_pool_3x3, ",
        ),
        (
            {"reduce": [["nose", 0], ["skip_connect", 1]]},
            "genotype: reduce operation 0: unknown 'nose'; did you mean 'noise'? choose from max_pool_3x3, ",
        ),
        (
            {"normal": [["skip_connect", 0], ["skip_connect", 1], ["skip_connect", 0], ["skip_connect", 3]]},
            "genotype: normal operation 3 reads state 3, but node 3 can only read states 0 to 2; correct the input",
        ),
        (
            {"reduce": [["skip_connect", -1], ["skip_connect", 1]]},
            "genotype: reduce operation 0 reads state -1, but node 2 can only read states 0 to 1; correct the input",
        ),
        (
            {"normal": [["skip_connect", 0]] * 7},
            "genotype: normal lists 7 operations, but each node sums 2; add or remove some",
        ),
        ({"normal": []}, "genotype: normal lists 0 operations, but each node sums 2; add or remove some"),
        (
            {"normal_concat": [2, 6]},
            "genotype: normal_concat=[2, 6] must name nodes from 2 to 5; correct the list",
        ),
        (
            {"reduce_concat": [1, 2]},
            "genotype: reduce_concat=[1, 2] must name nodes from 2 to 5; correct the list",
        ),
        ({"reduce_concat": []}, "genotype: reduce_concat=[] must name nodes from 2 to 5; correct the list"),
        (
            {"normal_concat": [2, 2, 3, 4, 5]},
            "genotype: normal_concat=[2, 2, 3, 4, 5] must name different nodes from 2 to 5; correct the list",
        ),
        (
            {"normal": [["skip_connect", 0], ["none", 1]] * 7},
            "genotype: 14 operations are one for each edge of nodes 2 to 5, but a node sums 2 here; leave out those",
        ),
    ],
)
def test_a_genotype_that_no_network_has_is_refused(space, changes, message):
    with pytest.raises(RequestError) as error:
        space("darts").format.check(STRAIGHT | changes)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    "changes",
    [
        {"normal": "sep_conv_3x3"},
        {"normal": [["sep_conv_3x3", "0"], ["skip_connect", 1]]},
        {"normal": [["sep_conv_3x3"], ["skip_connect", 1]]},
        {"normal": [[["sep_conv_3x3"], 0], ["skip_connect", 1]]},
        {"normal": None},
        {"normal_concat": None},
        {"normal_concat": [2.5]},
        {"normal_concat": 2},
    ],
)
def test_a_genotype_of_the_wrong_shape_is_refused(space, changes):
    genotype = STRAIGHT | changes
    with pytest.raises(RequestError) as error:
        space("darts").format.check(genotype)
    assert str(error.value) == (
        "genotype: normal must list [operation, state] pairs and normal_concat the nodes that leave "
        "the cell, "
        f"which {genotype!r} does not; correct it"
    )


@pytest.mark.parametrize("genotype", [{}, {"edges": []}, [], "text", None])
def test_data_that_is_no_genotype_is_refused(space, genotype):
    with pytest.raises(RequestError, match=r"genotype: normal must list .* does not; correct it"):
        space("darts").format.check(genotype)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "genotype text: holds 0 statements, one genotype is expected; keep one"),
        (
            "Genotype(normal=[('skip_connect', 0), ('skip_connect', 1)], normal_concat=[2])",
            "genotype text: lacks reduce, reduce_concat; complete it to Genotype(normal=..., normal_concat=...",
        ),
        (
            "normal=[('skip_connect', -1), ('skip_connect', 0)], normal_concat=[2], reduce=[], reduce_concat=[]",
            "genotype: normal operation 0 reads state -1, but node 2 can only read states 0 to 1; correct the input",
        ),
        (
            "normal=[__import__('os')], normal_concat=[2]",
            "genotype text: \"__import__('os')\" in line 1 is no number, name in quotes, list or range; correct the",
        ),
    ],
)
def test_text_that_is_no_genotype_is_refused(space, text, message):
    with pytest.raises(RequestError) as error:
        space("darts").format.parse(text)
    assert str(error.value).startswith(message)


def test_triples_of_operation_node_and_state_are_read_where_each_node_has_two(space):
    cell = [("sep_conv_3x3", 2, 0), ("skip_connect", 2, 1), ("max_pool_3x3", 3, 2), ("skip_connect", 3, 0)]
    fields = "normal={0}, normal_concat=range(2, 4), reduce={0}, reduce_concat=range(2, 4)"
    genotype = space("darts").format.parse(f"Genotype({fields.format(cell)})")
    assert genotype["normal"] == [[operation, state] for operation, _, state in cell] == genotype["reduce"]
    with pytest.raises(RequestError, match="normal lists operations for nodes 2, 2, 3, 4, read as"):
        space("darts").format.parse(f"Genotype({fields.format([*cell[:3], ('skip_connect', 4, 0)])})")


def test_noise_has_no_weights_and_is_drawn_in_evaluation_too(space):
    made = space("darts", small=True)
    noisy = STRAIGHT | {"normal": [["noise", 0], ["noise", 1]] * 4}
    skips = STRAIGHT | {"normal": [["skip_connect", 0], ["skip_connect", 1]] * 4}
    assert made.cost(noisy, "params") == made.cost(skips, "params")
    network, x = made.build(noisy, "final").eval(), torch.zeros(2, 3, 32, 32)
    assert not torch.equal(network(x), network(x))
