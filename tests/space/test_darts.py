"""The DARTS space: published counts, derivation, and what is refused at the door."""

from itertools import combinations, product

import pytest
import torch

from benchmarks.plain import DARTS_OPTIONS
from nasctl import walk
from nasctl.core import Task
from nasctl.errors import RequestError
from nasctl.space._count import on_meta, params
from tests.space.equal import relaxed_rows
from tests.space.published import STRAIGHT, published

IMAGENET = Task("image_classification", (3, 224, 224), 1000)


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
    genotype = darts.format.check(published(name))
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


def test_the_imagenet_head_has_one_norm_as_in_the_papers_experiments(space):
    network = on_meta(lambda: space("darts_imagenet", IMAGENET).build(published("DARTS_V2"), "final"))
    assert params(network.auxiliary) == 768 * 128 + 2 * 128 + 4 * 128 * 768 + (768 + 1) * 1000


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
    assert (len(darts.decisions), len(darts.relaxed_choices), darts.num_operations) == (24, 28, 7)


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
    network.drop_path.probability = 0.2
    assert set(network.drop_path(torch.ones(64, 1, 2, 2)).unique().tolist()) == {0.0, 1.25}  # the mean stays
    assert torch.equal(network.eval().drop_path(terms[0]), terms[0])


def relaxed(darts, strengths):
    """Return rows of zeros but for ``strengths[row name][option name]``."""
    return [
        torch.tensor([strengths.get(row.name, {}).get(option, 0.0) for option in row.options])
        for row in darts.relaxed_choices
    ]


def test_derivation_keeps_two_strongest_edges_and_their_best_operations(space):
    darts = space("darts")
    strengths = {
        "normal/0-2": {"none": 0.9, "skip_connect": 0.1},
        "normal/1-2": {"sep_conv_5x5": 0.5},
        "normal/0-3": {"none": 0.99, "max_pool_3x3": 0.01},  # the weakest of three once none is left out
        "normal/1-3": {"avg_pool_3x3": 0.3, "dil_conv_3x3": 0.2},
        "normal/2-3": {"none": 0.1, "dil_conv_5x5": 0.2, "sep_conv_3x3": 0.1},
        "reduce/1-5": {"max_pool_3x3": 0.2},
        "reduce/3-5": {"skip_connect": 0.2},  # edges tie: the two from earlier states are kept
        "reduce/4-5": {"sep_conv_3x3": 0.2, "dil_conv_3x3": 0.2},  # operations tie: the first in the list
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
            for row, w in zip(darts.relaxed_choices, rows, strict=True)
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
        arch = walk.uniform(darts, generator)
        assert darts.discretize([torch.eye(8)[k] for k in darts.relaxed_path(arch)]) == arch
    lost = darts.genotype(darts.discretize([torch.eye(8)[0]] * len(darts.relaxed_choices)))
    assert "none" not in {name for kind in ("normal", "reduce") for name, _ in lost[kind]}


PLAIN_LIST = "must be none and then one or more different operations; correct the list"


@pytest.mark.parametrize(
    ("name", "shape", "changes", "message"),
    [
        (
            "darts_imagenet",
            (1, 8, 8),
            {},
            "space: a network with stem=imagenet shrinks the map 32 times, which images of 8x8 pixels do not "
            "allow; set dataset.image_size to a multiple of 32 or choose another stem",
        ),
        (
            "darts",
            (3, 8, 30),
            {},
            "space: a network with stem=cifar shrinks the map 4 times, which images of 8x30 pixels do not "
            "allow; set dataset.image_size to a multiple of 4 or choose another stem",
        ),
        (
            "darts",
            (1, 8, 8),
            {"final": {"auxiliary": True}},
            "space.final.auxiliary=true needs a map of 8x8, here it is 2x2; use auxiliary=auto or auxiliary=false",
        ),
        (
            "darts_imagenet",
            (3, 192, 224),
            {"final": {"auxiliary": True}},
            "space.final.auxiliary=true needs a map of 7x7, here it is 6x6; use auxiliary=auto or auxiliary=false",
        ),
        (
            "darts",
            (1, 8, 8),
            {"operations": ["skip_connect", "none"]},
            f"space.operations=['skip_connect', 'none'] {PLAIN_LIST}",
        ),
        ("darts", (1, 8, 8), {"operations": ["none"]}, f"space.operations=['none'] {PLAIN_LIST}"),
        (
            "darts",
            (1, 8, 8),
            {"operations": ["none", "conv_3x3", "conv_3x3"]},
            f"space.operations=['none', 'conv_3x3', 'conv_3x3'] {PLAIN_LIST}",
        ),
        (
            "darts",
            (1, 8, 8),
            {"operations": ["none", "skip_conect"]},
            "space.operations: unknown 'skip_conect'; did you mean 'skip_connect'? choose from max_pool_3x3, "
            "avg_pool_3x3, skip_connect, sep_conv_3x3, sep_conv_5x5, sep_conv_7x7, dil_conv_3x3, "
            "dil_conv_5x5, "
            "conv_7x1_1x7, conv_3x3",
        ),
    ],
)
def test_a_space_that_cannot_be_built_is_refused_at_the_door(space, name, shape, changes, message):
    with pytest.raises(RequestError) as error:
        space(name, Task("image_classification", shape, 10), **changes)
    assert str(error.value) == message


def test_odd_channels_are_refused_where_they_would_be_halved(space):
    darts = space("darts_imagenet", small=True)
    with pytest.raises(RequestError) as error:
        darts.build(STRAIGHT, "search", channels=35)
    assert str(error.value) == "channels: 35 is odd, but a strided skip splits them in two; use an even number"
