"""The NAS-Bench-201 space: the benchmark's own counts, the supernet against a plain reference, bad input."""

import pytest
import torch

from benchmarks.plain import NB201_OPTIONS, PlainNb201
from nasctl.core import Candidate, Task
from nasctl.errors import RequestError
from nasctl.space import _chain
from nasctl.space._count import on_meta, params
from tests.space.equal import assert_close, assert_same_gradients, carry, gradients, relaxed_rows

CIFAR10 = Task("image_classification", (3, 32, 32), 10)
CIFAR100 = Task("image_classification", (3, 32, 32), 100)
IMAGENET16 = Task("image_classification", (3, 16, 16), 120)

ID_0 = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
ID_11 = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|"
ID_284 = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|none~0|nor_conv_1x1~1|none~2|"
EVERYWHERE = "|{0}~0|+|{0}~0|{0}~1|+|{0}~0|{0}~1|{0}~2|"


# From the files of the benchmark, https://github.com/D-X-Y/NATS-Bench; the last four follow from its formula
@pytest.mark.parametrize(
    ("task", "text", "macs", "weights"),
    [
        (CIFAR10, ID_0, 15_647_370, 129_306),
        (CIFAR100, ID_0, 15_653_220, 135_156),
        (IMAGENET16, ID_0, 3_919_480, 136_456),
        (CIFAR10, ID_11, 113_951_370, 802_426),
        (CIFAR10, ID_284, 11_715_210, 101_306),
        (CIFAR10, EVERYWHERE.format("nor_conv_3x3"), 220_119_690, 1_531_546),
        (CIFAR10, EVERYWHERE.format("nor_conv_1x1"), 31_376_010, 241_306),
        (CIFAR10, EVERYWHERE.format("skip_connect"), 7_783_050, 73_306),
        (CIFAR10, EVERYWHERE.format("none"), 7_783_050, 73_306),
    ],
)
def test_costs_are_the_benchmarks(space, task, text, macs, weights):
    nb201 = space("nasbench201", task)
    genotype = nb201.format.parse(text)
    assert nb201.cost(genotype, "macs") == macs
    assert nb201.cost(genotype, "params") == weights
    assert params(on_meta(lambda: nb201.build(genotype, "final"))) == weights


def test_the_space_has_the_papers_number_of_cells(space):
    nb201 = space("nasbench201")
    assert nb201.size == 15_625
    assert (len(nb201.decisions), len(nb201.relaxed_choices), nb201.num_operations) == (6, 6, 5)


# Our names to those of the plain network
NAMES = [
    (r"^stem\.0", "stem_conv"),
    (r"^stem\.1", "stem_norm"),
    (r"^cells\.(\d)\.edges", r"cell\1.edge"),
    (r"(nor_conv_\dx\d)\.1", r"\1.conv"),
    (r"(nor_conv_\dx\d)\.2", r"\1.norm"),
    (r"^residuals\.(\d)", r"residual\1"),
    (r"\.first\.1", ".conv_a.conv"),
    (r"\.first\.2", ".conv_a.norm"),
    (r"\.second\.1", ".conv_b.conv"),
    (r"\.second\.2", ".conv_b.norm"),
    (r"\.shortcut\.1", ".down"),
    (r"^head\.0", "last_norm"),
]


@pytest.fixture
def pair(space):
    """Return a small space, its supernet, the plain network of the same weights, and images."""
    nb201 = space("nasbench201", Task("image_classification", (2, 8, 8), 3), small=True)
    torch.manual_seed(1)
    supernet, plain = nb201.supernet().double(), PlainNb201(2, 3).double()
    carry(supernet, plain, NAMES)
    return nb201, supernet, plain, torch.randn(4, 2, 8, 8, dtype=torch.float64)


@pytest.mark.parametrize("training", [True, False])
def test_the_supernet_equals_the_plain_network(pair, training):
    nb201, supernet, plain, x = pair
    assert nb201.relaxed_choices[0].options == NB201_OPTIONS
    rows = relaxed_rows(nb201, 2)
    ours, theirs = supernet.train(training)(x, Candidate((0,) * 6, rows)), plain.train(training)(x, rows)
    assert_close(ours, theirs)
    assert_same_gradients(gradients(supernet, ours, rows), gradients(plain, theirs, rows), NAMES)


@pytest.mark.parametrize("active", [(1, 2, 3, 4, 0, 2), (3, 0, 4, 2, 1, 1), (0, 0, 0, 0, 0, 0)])
def test_an_active_option_runs_alone_and_its_weight_multiplies(pair, active):
    nb201, supernet, plain, x = pair
    rows = relaxed_rows(nb201, 4)
    ran = edges_run(supernet)
    ours = supernet(x, Candidate((0,) * 6, rows, active))
    theirs = plain(x, [row * torch.eye(5)[k] for row, k in zip(rows, active, strict=True)])
    assert_close(ours, theirs)
    assert ran == expected_runs(nb201, active)
    ours, theirs = gradients(supernet, ours, rows), gradients(plain, theirs, rows)
    assert_same_gradients(ours, theirs, NAMES)
    fed = [k for k, row in enumerate(active) if row != 0]
    assert all(ours[f"row {i}"][active[i]] != 0 for i in fed)


def test_a_picked_path_runs_only_its_own_operations(pair):
    nb201, supernet, _, x = pair
    arch = (3, 2, 0, 4, 1, 3)
    ran = edges_run(supernet)
    supernet(x, Candidate(arch))
    assert ran == expected_runs(nb201, arch)


def edges_run(supernet):
    """Return the set of (cell, edge, operation) that each call of an operation adds to."""
    ran = set()
    for i, cell in enumerate(supernet.cells):
        for edge, operations in cell.edges.items():
            for name, module in operations.items():
                module.register_forward_hook(lambda *_, key=(i, edge, name): ran.add(key))
    return ran


def expected_runs(nb201, options):
    edges = zip((row.name for row in nb201.relaxed_choices), (NB201_OPTIONS[k] for k in options), strict=True)
    runs = [(edge, name) for edge, name in edges if name != "none"]
    return {(cell, edge, name) for cell in range(3) for edge, name in runs}


def test_an_architecture_without_a_path_ignores_its_input(space):
    nb201 = space("nasbench201", small=True)
    network = nb201.build(nb201.genotype((0,) * 6), "final").eval()
    one, other = network(torch.randn(2, 3, 32, 32)), network(torch.randn(2, 3, 32, 32))
    assert torch.isfinite(one).all()
    assert torch.equal(one, other)


def test_derivation_takes_the_strongest_option_and_the_first_of_equals(space):
    rows = [
        torch.tensor([0.4, 0.1, 0.2, 0.2, 0.1]),
        torch.tensor([0.1, 0.1, 0.2, 0.2, 0.4]),
        torch.tensor([0.2, 0.2, 0.2, 0.2, 0.2]),
        torch.tensor([0.1, 0.3, 0.0, 0.3, 0.3]),
        torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0]),
        torch.tensor([0.0, 0.0, 0.0, 1.0, 0.0]),
    ]
    assert space("nasbench201").discretize(rows) == (0, 4, 0, 1, 2, 3)


def test_the_benchmarks_text_is_read_and_written(space):
    nb201 = space("nasbench201")
    names = ["nor_conv_3x3", "nor_conv_3x3", "avg_pool_3x3", "none", "nor_conv_3x3", "avg_pool_3x3"]
    assert nb201.format.parse(f" {ID_11}\n") == {"edges": names}
    assert nb201.format.notation({"edges": names}) == ID_11
    assert nb201.format.edges({"edges": names})["cell"][2:4] == [("1", "2", "avg_pool_3x3"), ("0", "3", "none")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "none",
        ID_0 + "|none~3|",
        ID_0.replace("~2", "~1"),
        "|none~0|+|none~0|none~1|",
        ID_0.replace("+", ""),
    ],
)
def test_text_that_is_no_genotype_is_refused(space, text):
    with pytest.raises(RequestError) as error:
        space("nasbench201").format.parse(text)
    assert str(error.value) == (
        f"genotype text: {text!r} is not of the form |op~0|+|op~0|op~1|+|op~0|op~1|op~2|; correct it"
    )


def test_an_unknown_operation_is_refused_with_the_nearest_one(space):
    with pytest.raises(RequestError) as error:
        space("nasbench201").format.parse(ID_0.replace("nor_conv_1x1~0", "nor_conv_1x2~0", 1))
    assert str(error.value) == (
        "genotype: edge 0-2: unknown 'nor_conv_1x2'; did you mean 'nor_conv_1x1'? choose from none, "
        "skip_connect, "
        "nor_conv_1x1, nor_conv_3x3, avg_pool_3x3"
    )


@pytest.mark.parametrize(
    ("genotype", "message"),
    [
        ({"edges": ["none"] * 5}, "genotype: 5 edges, a cell of nasbench201 has 6; add or remove some"),
        (
            {"edges": "none"},
            "genotype: edges must list 6 operations, which {'edges': 'none'} does not; correct it",
        ),
        (
            {"edges": [0] * 6},
            "genotype: edges must list 6 operations, which {'edges': [0, 0, 0, 0, 0, 0]} does",
        ),
        ({"normal": []}, "genotype: edges must list 6 operations, which {'normal': []} does not; correct it"),
        ([], "genotype: edges must list 6 operations, which [] does not; correct it"),
    ],
)
def test_a_genotype_that_no_network_has_is_refused(space, genotype, message):
    with pytest.raises(RequestError) as error:
        space("nasbench201").format.check(genotype)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("shape", [(3, 30, 32), (3, 32, 30)])
def test_images_that_cannot_be_halved_twice_are_refused(space, shape):
    with pytest.raises(RequestError) as error:
        space("nasbench201", Task("image_classification", shape, 10))
    assert str(error.value) == (
        f"space=nasbench201 halves the map twice, which images of {shape[1]}x{shape[2]} pixels do not allow; "
        "choose images whose sides are multiples of 4 (dataset.image_size)"
    )


@pytest.mark.parametrize("final", [{"channels": 4, "cells": 2, "affine": False}, {"channels": 8, "cells": 1}])
def test_the_sum_over_edges_is_the_count_of_the_network(space, final):
    nb201 = space("nasbench201", Task("image_classification", (1, 8, 16), 3), final=final)
    for first in range(5):
        genotype = nb201.genotype(tuple((first + edge) % 5 for edge in range(6)))
        counted = nb201.count(on_meta(lambda genotype=genotype: nb201.build(genotype, "final")))
        assert {key: nb201.cost(genotype, key) for key in counted} == counted


@pytest.mark.parametrize("name", ["params", "macs"])
def test_sums_over_neighbouring_edges_are_the_cost(space, name):
    nb201 = space("nasbench201", small=True)
    for arch in [(0,) * 6, (3,) * 6, (0, 1, 2, 3, 4, 0), (2, 2, 3, 0, 1, 3)]:
        assert _chain.total(nb201.chain(name), arch) == nb201.cost(nb201.genotype(arch), name)
        assert _chain.total(nb201.relaxed_chain(name), arch) == nb201.cost(nb201.genotype(arch), name)
