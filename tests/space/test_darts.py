"""The DARTS space: published counts, the supernet against a plain reference, derivation, uniformity, bad input."""

import json
from collections import Counter
from itertools import combinations, product
from pathlib import Path

import pytest
import torch
from scipy.stats import chisquare

import nasctl
from nasctl.core import Candidate, RequestError, Task
from nasctl.space._count import on_meta, params
from nasctl.strategy import _walk
from tests.space.equal import assert_close, assert_same_gradients, carry, gradients, relaxed_rows
from tests.space.plain import DARTS_OPTIONS, PlainDarts

PUBLISHED = Path(nasctl.__file__).parent / "space" / "genotypes" / "darts"
IMAGENET = Task("image_classification", (3, 224, 224), 1000)
DIGITS = Task("image_classification", (1, 8, 8), 10)

STRAIGHT = {
    "normal": [["sep_conv_3x3", 0], ["skip_connect", 1]] * 4,
    "normal_concat": [2, 3, 4, 5],
    "reduce": [["max_pool_3x3", 0], ["skip_connect", 1]] * 4,
    "reduce_concat": [2, 3, 4, 5],
}


def published(name):
    return json.loads((PUBLISHED / f"{name}.json").read_text())["genotype"]


# Counted from networks built by the authors' code, https://github.com/quark0/darts
@pytest.mark.parametrize(
    ("name", "weights", "with_auxiliary", "macs"),
    [
        ("DARTS_V1", 3_169_414, 3_645_840, 500_987_520),
        ("DARTS_V2", 3_349_342, 3_825_768, 528_359_040),
        ("NASNet", 3_830_950, 4_288_944, 603_452_448),
        ("AmoebaNet", 3_145_078, 3_603_072, 488_931_552),
    ],
)
def test_published_genotypes_cost_what_the_authors_networks_do(space, name, weights, with_auxiliary, macs):
    darts = space("darts")
    genotype = darts.check(published(name))
    assert darts.cost(genotype, "params") == weights
    assert darts.cost(genotype, "macs") == macs
    assert params(on_meta(lambda: darts.build(genotype, "final"))) == with_auxiliary


@pytest.mark.parametrize(
    ("name", "weights", "macs"),
    [
        ("DARTS_V1", 4_510_432, 505_864_704),
        ("DARTS_V2", 4_718_752, 529_911_552),
        ("NASNet", 5_564_320, 604_031_616),
        ("AmoebaNet", 4_627_360, 526_746_624),
    ],
)
def test_the_imagenet_form_costs_what_the_authors_networks_do(space, name, weights, macs):
    imagenet = space("darts_imagenet", IMAGENET)
    assert imagenet.cost(published(name), "params") == weights
    assert imagenet.cost(published(name), "macs") == macs


@pytest.mark.parametrize(
    ("name", "classes", "size", "weights"),
    [
        ("DARTS_V1", 10, {"channels": 16, "layers": 8}, 232_890),
        ("DARTS_V2", 10, {"channels": 16, "layers": 8}, 246_106),
        ("NASNet", 10, {"channels": 16, "layers": 8}, 333_946),
        ("AmoebaNet", 10, {"channels": 16, "layers": 8}, 326_330),
        ("DARTS_V2", 10, {"channels": 32}, 2_666_026),
        ("NASNet", 10, {"channels": 32}, 3_061_738),
        ("AmoebaNet", 10, {"channels": 32}, 2_509_674),
        ("DARTS_V1", 100, {}, 3_221_344),
        ("DARTS_V2", 100, {}, 3_401_272),
        ("NASNet", 100, {}, 3_895_840),
        ("AmoebaNet", 100, {}, 3_184_048),
    ],
)
def test_other_sizes_have_the_authors_number_of_weights(space, name, classes, size, weights):
    darts = space("darts", Task("image_classification", (3, 32, 32), classes))
    network = on_meta(lambda: darts.build(published(name), "final", auxiliary=False, **size))
    assert params(network) == weights


def test_the_supernet_has_the_authors_number_of_weights(space):
    assert params(on_meta(space("darts").supernet)) == 1_930_618


def test_the_space_has_the_papers_number_of_cells(space):
    darts = space("darts")
    assert darts.size == 1_037_664_180**2  # of each cell type
    assert (len(darts.decisions), len(darts.rows), darts.num_operations) == (24, 28, 7)


@pytest.mark.parametrize(("side", "heads"), [(32, 1), (28, 0), (8, 0)])
def test_auto_gives_an_auxiliary_head_where_its_map_is_large_enough(space, side, heads):
    darts = space("darts", Task("image_classification", (3, side, side), 10), small=True)
    network = darts.build(STRAIGHT, "final")
    assert (network.auxiliary is not None) == heads
    outputs = network.train()(torch.randn(2, 3, side, side))
    assert [tuple(y.shape) for y in (outputs if heads else [outputs])] == [(2, 10)] * (1 + heads)
    assert tuple(network.eval()(torch.randn(2, 3, side, side)).shape) == (2, 10)


def test_drop_path_drops_whole_examples_of_all_but_identities(space):
    network = space("darts", small=True).build(STRAIGHT, "final")
    network.drop_path.probability = 0.5
    cell = network.cells[0]
    torch.manual_seed(0)
    terms = [cell._term(k, [torch.ones(64, 4, 8, 8)] * 2) for k in range(2)]
    kept = [(term.abs().amax((1, 2, 3)) > 0).float().mean().item() for term in terms]
    assert 0.3 < kept[0] < 0.7
    assert kept[1] == 1.0
    assert torch.equal(network.eval().drop_path(terms[0]), terms[0])


# Our names to those of the plain network; a separable convolution is ReLU, depthwise, pointwise, norm, twice
NAMES = [
    (r"^stem\.first\.0", "stem_conv"),
    (r"^stem\.first\.1", "stem_norm"),
    (r"^cells\.(\d)", r"cell\1"),
    (r"\.before\b", ".input0"),
    (r"\.last\b", ".input1"),
    (r"(input\d)\.1", r"\1.conv"),
    (r"(input\d)\.2", r"\1.norm"),
    (r"\.even", ".conv_even"),
    (r"\.odd", ".conv_odd"),
    (r"\.edges", ".edge"),
    (r"pool_3x3\.1", "pool_3x3.norm"),
    (r"(sep_conv_\dx\d)\.1", r"\1.depthwise1"),
    (r"(sep_conv_\dx\d)\.2", r"\1.pointwise1"),
    (r"(sep_conv_\dx\d)\.3", r"\1.norm1"),
    (r"(sep_conv_\dx\d)\.5", r"\1.depthwise2"),
    (r"(sep_conv_\dx\d)\.6", r"\1.pointwise2"),
    (r"(sep_conv_\dx\d)\.7", r"\1.norm2"),
    (r"(dil_conv_\dx\d)\.1", r"\1.depthwise"),
    (r"(dil_conv_\dx\d)\.2", r"\1.pointwise"),
    (r"(dil_conv_\dx\d)\.3", r"\1.norm"),
]


@pytest.fixture
def pair(space):
    """Return a small space, its supernet and the plain network with the same weights, and a batch of images."""
    darts = space("darts", Task("image_classification", (2, 8, 8), 3), small=True)
    torch.manual_seed(1)
    supernet, plain = darts.supernet().double(), PlainDarts(2, 3).double()
    carry(supernet, plain, NAMES)
    return darts, supernet, plain, torch.randn(4, 2, 8, 8, dtype=torch.float64)


@pytest.mark.parametrize("training", [True, False])
def test_the_supernet_equals_the_plain_network(pair, training):
    darts, supernet, plain, x = pair
    assert list(darts.operations) == list(DARTS_OPTIONS)
    rows, arch = relaxed_rows(darts, 2), (0,) * 24
    ours, theirs = supernet.train(training)(x, Candidate(arch, rows)), plain.train(training)(x, rows)
    assert_close(ours, theirs)
    ours, theirs = gradients(supernet, ours, rows), gradients(plain, theirs, rows)
    assert_same_gradients(ours, theirs, NAMES)


def test_an_active_option_runs_alone_and_its_weight_multiplies(pair):
    darts, supernet, plain, x = pair
    rows = relaxed_rows(darts, 4)
    active = [i % 8 for i in range(len(rows))]
    ran = operations_run(supernet)
    ours = supernet(x, Candidate((0,) * 24, rows, active))
    masks = [torch.eye(8, dtype=torch.float64)[k] for k in active]
    theirs = plain(x, [row * mask for row, mask in zip(rows, masks, strict=True)])
    assert_close(ours, theirs)
    assert ran == expected_runs(darts, active)
    ours, theirs = gradients(supernet, ours, rows), gradients(plain, theirs, rows)
    assert_same_gradients(ours, theirs, NAMES)
    assert all(ours[f"row {i}"][k] != 0 for i, k in enumerate(active) if k != 0)


def test_a_picked_path_runs_only_its_own_operations(pair):
    darts, supernet, _, x = pair
    arch = _walk.uniform(darts, torch.Generator().manual_seed(5))
    ran = operations_run(supernet)
    supernet(x, Candidate(arch))
    assert ran == expected_runs(darts, darts.picked(arch))
    assert sum(ran.values()) == 3 * 8  # eight operations in each of three cells


def operations_run(supernet):
    """Return a counter of (cell, edge, operation) that each call of an operation adds to."""
    ran = Counter()
    for i, cell in enumerate(supernet.cells):
        for edge, operations in cell.edges.items():
            for name, module in operations.items():
                module.register_forward_hook(lambda *_, key=(i, edge, name): ran.update([key]))
    return ran


def expected_runs(darts, options):
    """Return what runs if row i takes ``options[i]``: the small network is a normal and two reduction cells."""
    runs = Counter()
    for row, option in zip(darts.rows, options, strict=True):
        kind, edge = row.name.split("/")
        if row.options[option] != "none":
            runs.update((i, edge, row.options[option]) for i in ((0,) if kind == "normal" else (1, 2)))
    return runs


def relaxed(darts, strengths):
    """Return rows of zeros but for ``strengths[row name][option name]``."""
    return [
        torch.tensor([strengths.get(row.name, {}).get(option, 0.0) for option in row.options])
        for row in darts.rows
    ]


def test_derivation_keeps_two_strongest_edges_and_their_best_operations(space):
    darts = space("darts")
    strengths = {
        "normal/0-2": {"none": 0.9, "skip_connect": 0.1},
        "normal/1-2": {"sep_conv_5x5": 0.5},
        "normal/0-3": {"none": 0.99, "max_pool_3x3": 0.01},  # the weakest of three, were it not for none
        "normal/1-3": {"avg_pool_3x3": 0.3, "dil_conv_3x3": 0.2},
        "normal/2-3": {"none": 0.1, "dil_conv_5x5": 0.2, "sep_conv_3x3": 0.1},
        "reduce/1-5": {"max_pool_3x3": 0.2},
        "reduce/4-5": {
            "sep_conv_3x3": 0.2,
            "dil_conv_3x3": 0.2,
        },  # a tie of operations: the first in the list
        "reduce/3-5": {"skip_connect": 0.2},  # a tie of edges with 1-5 and 4-5: the earlier states
    }
    genotype = darts.genotype(darts.discretize(relaxed(darts, strengths)))
    assert genotype["normal"][:4] == [
        ["skip_connect", 0],
        ["sep_conv_5x5", 1],
        ["avg_pool_3x3", 1],
        ["dil_conv_5x5", 2],
    ]
    assert genotype["reduce"][6:] == [["max_pool_3x3", 1], ["skip_connect", 3]]
    tied = genotype["normal"][4:] + genotype["reduce"][:6]
    assert tied == [["max_pool_3x3", 0], ["max_pool_3x3", 1]] * 5  # all zero: the first edges and operations
    strengths["reduce/1-5"] = {"max_pool_3x3": 0.1}
    genotype = darts.genotype(darts.discretize(relaxed(darts, strengths)))
    assert genotype["reduce"][6:] == [["skip_connect", 3], ["sep_conv_3x3", 4]]


def test_derivation_finds_the_strongest_pair_of_all(space):
    darts = space("darts")
    for seed in range(20):
        rows = relaxed_rows(darts, seed)
        value = {
            row.name: dict(zip(row.options, w.tolist(), strict=True))
            for row, w in zip(darts.rows, rows, strict=True)
        }
        found = darts.genotype(darts.discretize(rows))
        for kind, node in product(("normal", "reduce"), range(2, 6)):
            assert found[kind][2 * node - 4 : 2 * node - 2] == strongest(value, kind, node)


def strongest(value, kind, node):
    """Return the two picks of a node by trying every pair of edges and every pair of operations."""
    tries = [
        (value[f"{kind}/{a}-{node}"][p] + value[f"{kind}/{b}-{node}"][q], [[p, a], [q, b]])
        for a, b in combinations(range(node), 2)
        for p, q in product(DARTS_OPTIONS[1:], repeat=2)
    ]
    return max(tries)[1]


def test_derivation_undoes_picking_and_never_picks_none(space):
    darts = space("darts")
    generator = torch.Generator().manual_seed(6)
    for _ in range(50):
        arch = _walk.uniform(darts, generator)
        assert darts.discretize([torch.eye(8)[k] for k in darts.picked(arch)]) == arch
    lost = darts.genotype(darts.discretize([torch.eye(8)[0]] * len(darts.rows)))
    assert "none" not in {name for kind in ("normal", "reduce") for name, _ in lost[kind]}


def chance_of_uniformity(walk, walks=4000):
    """Return the smallest p of chi-squared tests of input pairs, of operations, and of the two together."""
    generator = torch.Generator().manual_seed(7)
    archs = [walk(generator) for _ in range(walks)]
    operations = [k for k in range(24) if k % 3]
    tables = [
        (product(range(3), range(6), range(10)), [arch[3:12:3] for arch in archs]),  # the normal cell's pairs
        (product(range(3), range(6), range(10)), [arch[15:24:3] for arch in archs]),
        (product(range(10), range(7)), [arch[9:11] for arch in archs]),
        (product(operations, range(7)), [(k, arch[k]) for arch in archs for k in operations]),
    ]
    counts = [(grid, Counter(map(tuple, seen))) for grid, seen in tables]
    return min(chisquare([counted[cell] for cell in grid]).pvalue for grid, counted in counts)


def edge_by_edge(darts):
    """Return a walk that takes or leaves one edge after the other: each architecture is possible, not as often."""

    def walk(generator):
        arch = []
        for _, node in product(range(2), range(4)):
            taken = []
            for source in range(node + 2):
                must = len(taken) + (node + 2 - source) == 2
                if len(taken) < 2 and (must or torch.rand((), generator=generator) < 0.5):
                    taken.append(source)
            pair = list(combinations(range(node + 2), 2)).index(tuple(taken))
            arch += [pair, *torch.randint(7, (2,), generator=generator).tolist()]
        return tuple(arch)

    return walk


def test_a_uniform_walk_is_uniform_over_cells(space):
    darts = space("darts")
    assert chance_of_uniformity(lambda generator: _walk.uniform(darts, generator)) > 1e-3


def test_a_walk_edge_by_edge_would_not_be(space):
    assert chance_of_uniformity(edge_by_edge(space("darts"))) < 1e-3


@pytest.mark.parametrize("bias", [(9, 0), (4, 6)])
def test_a_walk_that_favours_one_option_would_not_be(space, bias):
    darts, (position, option) = space("darts"), bias

    def walk(generator):
        arch = list(_walk.uniform(darts, generator))
        if torch.rand((), generator=generator) < 0.1:
            arch[position] = option
        return tuple(arch)

    assert chance_of_uniformity(walk) < 1e-3


def test_the_authors_text_is_read(space):
    text = (
        "Genotype(\n  normal = [\n    ('sep_conv_3x3', 1), ('skip_connect', 0),\n    (\"avg_pool_3x3\", 2), "
        "('dil_conv_5x5', 0),\n  ],\n  normal_concat = range(2, 4),\n  reduce=[('max_pool_3x3', 0), "
        "('conv_7x1_1x7', 1)], reduce_concat=[2])"
    )
    assert space("darts").parse(text) == {
        "normal": [["sep_conv_3x3", 1], ["skip_connect", 0], ["avg_pool_3x3", 2], ["dil_conv_5x5", 0]],
        "normal_concat": [2, 3],
        "reduce": [["max_pool_3x3", 0], ["conv_7x1_1x7", 1]],
        "reduce_concat": [2],
    }


@pytest.mark.parametrize("name", ["DARTS_V1", "DARTS_V2", "NASNet", "AmoebaNet"])
def test_published_genotypes_survive_their_notation(space, name):
    darts = space("darts")
    assert darts.parse(darts.notation(published(name))) == published(name)


def test_the_graph_names_states_and_nodes(space):
    graph = space("darts").graph(STRAIGHT)
    assert graph["reduce"][:2] == [("c_{k-2}", "2", "max_pool_3x3"), ("c_{k-1}", "2", "skip_connect")]
    assert graph["normal"][6:] == [
        ("c_{k-2}", "5", "sep_conv_3x3"),
        ("c_{k-1}", "5", "skip_connect"),
        *[(str(node), "c_{k}", "concat") for node in (2, 3, 4, 5)],
    ]
    assert space("darts").features(STRAIGHT) == {"skip_connections": 8}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"normal": [["sep_conv_3x3", 0], ["sep_conf_3x3", 1]]},
            "genotype: normal operation 1: unknown 'sep_conf_3x3'; did you mean 'sep_conv_3x3'? choose from max_pool_3x3, ",
        ),
        (
            {"reduce": [["none", 0], ["skip_connect", 1]]},
            "genotype: reduce operation 0: unknown 'none'; choose from max_pool_3x3, ",
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
    ],
)
def test_a_genotype_that_no_network_has_is_refused(space, changes, message):
    with pytest.raises(RequestError) as error:
        space("darts").check(STRAIGHT | changes)
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
        space("darts").check(genotype)
    assert str(error.value) == (
        "genotype: normal must list [operation, state] pairs and normal_concat the nodes that leave the cell, "
        f"which {genotype!r} does not; correct it"
    )


@pytest.mark.parametrize("genotype", [{}, {"edges": []}, [], "text", None])
def test_data_that_is_no_genotype_is_refused(space, genotype):
    with pytest.raises(RequestError, match=r"genotype: normal must list .* does not; correct it"):
        space("darts").check(genotype)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "genotype text: 'nothing' where normal=[('operation', state), ...] and normal_concat=[...] are"),
        (
            "Genotype(normal=[('skip_connect', 0), ('skip_connect', 1)], normal_concat=[2])",
            "genotype text: 'nothing' where reduce=[",
        ),
        (
            "normal=[('skip_connect', -1), ('skip_connect', 0)], normal_concat=[2]",
            "genotype text: \"('skip_connect', -1)\" where",
        ),
        (
            "normal=[__import__('os')], normal_concat=[2]",
            "genotype text: \"__import__('os')\" where normal=[",
        ),
    ],
)
def test_text_that_is_no_genotype_is_refused(space, text, message):
    with pytest.raises(RequestError) as error:
        space("darts").parse(text)
    assert str(error.value).startswith(message)
    assert str(error.value).endswith("correct the text")


@pytest.mark.parametrize(
    ("name", "task", "changes", "message"),
    [
        (
            "darts_imagenet",
            DIGITS,
            {},
            "space: a network with stem=imagenet shrinks the map 32 times, which images of 8x8 pixels do not allow; "
            "choose stem=cifar or images whose sides are multiples of 32 (dataset.image_size)",
        ),
        (
            "darts",
            Task("image_classification", (3, 8, 30), 10),
            {},
            "space: a network with stem=cifar shrinks the map 4 times, which images of 8x30 pixels do not allow; "
            "choose stem=cifar or images whose sides are multiples of 4 (dataset.image_size)",
        ),
        (
            "darts",
            DIGITS,
            {"final": {"auxiliary": True}},
            "space.final.auxiliary=true needs a map of 8x8, here it is 2x2; use auxiliary=auto or auxiliary=false",
        ),
        (
            "darts_imagenet",
            Task("image_classification", (3, 192, 224), 10),
            {"final": {"auxiliary": True}},
            "space.final.auxiliary=true needs a map of 7x7, here it is 6x6; use auxiliary=auto or auxiliary=false",
        ),
        (
            "darts",
            DIGITS,
            {"operations": ["skip_connect", "none"]},
            "space.operations=['skip_connect', 'none'] must be none and then one or more different operations; "
            "correct the list",
        ),
        (
            "darts",
            DIGITS,
            {"operations": ["none"]},
            "space.operations=['none'] must be none and then one or more different operations; correct the list",
        ),
        (
            "darts",
            DIGITS,
            {"operations": ["none", "skip_connect", "skip_connect"]},
            "space.operations=['none', 'skip_connect', 'skip_connect'] must be none and then one or more different "
            "operations; correct the list",
        ),
        (
            "darts",
            DIGITS,
            {"operations": ["none", "skip_conect"]},
            "space.operations: unknown 'skip_conect'; did you mean 'skip_connect'? choose from max_pool_3x3, avg_pool_3x3, "
            "skip_connect, sep_conv_3x3, sep_conv_5x5, sep_conv_7x7, dil_conv_3x3, dil_conv_5x5, conv_7x1_1x7, conv_3x3",
        ),
    ],
)
def test_a_space_that_cannot_be_built_is_refused_at_the_door(space, name, task, changes, message):
    with pytest.raises(RequestError) as error:
        space(name, task, **changes)
    assert str(error.value) == message


def test_odd_channels_are_refused_where_they_would_be_halved(space):
    darts = space("darts_imagenet", Task("image_classification", (3, 64, 64), 10), small=True)
    with pytest.raises(RequestError) as error:
        darts.build(STRAIGHT, "search", channels=35)
    assert (
        str(error.value) == "channels: 35 is odd, but a strided skip splits them in two; use an even number"
    )
