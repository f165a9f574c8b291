"""The macro space of ENAS: the released network's counts, its text, what a path runs, and bad input."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import nasctl
from nasctl.core import Candidate, Task
from nasctl.errors import RequestError
from nasctl.space._count import on_meta, params

RELEASED = Path(nasctl.__file__).parent / "space" / "genotypes" / "enas_macro" / "ENAS_macro.json"
BITS = "0 3 0 0 1 0"  # three layers, the last of which joins the stem's map


def released():
    return json.loads(RELEASED.read_text())["genotype"]


def test_the_space_has_the_papers_size(space):
    made = space("enas_macro")
    assert made.size == 6**12 * 2**66 and f"{made.size:.2e}" == "1.61e+29"
    assert len(made.decisions) == 12 + 66


# Counted from networks built by the authors' code, https://github.com/melodyguan/enas, but for the last: in that code
# separable convolutions of the final network are ordinary ones
@pytest.mark.parametrize(
    ("channels", "separable", "weights"), [(96, False, 42_559_392), (72, False, 23_950_008), (80, True, 21_504_080)]
)
def test_the_released_genotype_has_the_authors_number_of_weights(space, channels, separable, weights):
    made = space("enas_macro", final={"channels": channels, "separable": separable})
    genotype = made.format.check(released())
    assert made.cost(genotype, "params") == weights
    assert made.count(on_meta(lambda: made.build(genotype, "final"))) == {
        name: made.cost(genotype, name) for name in ("params", "macs")
    }


def test_the_released_genotype_is_its_text(space):
    made, genotype = space("enas_macro"), released()
    text = made.format.notation(genotype)
    assert text.startswith("0 3 0 0 1 0 2 0 0 1 2 0 0 0 0 3 1 1 0 1 0") and len(text.split()) == 24 * 25 // 2
    assert made.format.parse(text.replace(" ", "\n ")) == genotype


def test_every_operation_has_its_number_and_its_layers(space):
    made = space("enas_macro", small=True)
    expected = {
        0: ([1, 3], 1, None), 1: ([1, 3, 1], 4, None), 2: ([1, 5], 1, None), 3: ([1, 5, 1], 4, None),
        4: ([1], 1, nn.AvgPool2d), 5: ([1], 1, nn.MaxPool2d),
    }  # fmt: skip
    for number, (kernels, groups, pool) in expected.items():
        for form in ("search", "final"):
            layer = made.build(made.format.parse(f"{number} 0 0 0 0 0"), form).layers[0].operations
            convs = [m for m in layer.modules() if isinstance(m, nn.Conv2d)]
            assert [conv.kernel_size[0] for conv in convs] == kernels
            assert max(conv.groups for conv in convs) == groups
            assert pool is None or any(isinstance(m, pool) for m in layer.modules())


def test_without_separable_convolutions_they_are_ordinary_ones(space):
    made = space("enas_macro", small=True, final={"separable": False})
    pairs = [("1 1 0 1 0 0", "0 0 0 0 0 0"), ("3 3 0 3 0 0", "2 2 0 2 0 0")]
    for separable, ordinary in pairs:
        assert made.cost(made.format.parse(separable), "macs") == made.cost(made.format.parse(ordinary), "macs")


@pytest.mark.parametrize("form", ["search", "final"])
def test_a_bit_joins_the_map_of_its_number(space, form):
    """Bit 0 is the stem's map; layer i + 1 gives map i + 1, and the last map is the input, which has no bit."""
    made, x = space("enas_macro", small=True), torch.randn(2, 3, 8, 8)
    network = made.build(made.format.parse("0 0 0 0 0 0 0 1 0 1"), form).eval()
    seen = []
    network.layers[3].join.register_forward_pre_hook(lambda module, maps: seen.extend(maps[0]))
    outputs = [torch.zeros(0)] * 3
    for i, part in enumerate((network.stem, network.layers[0], network.layers[1])):
        part.register_forward_hook(lambda module, inputs, output, i=i: outputs.__setitem__(i, output))
    network(x)
    first, second = network.reductions["0"], network.reductions["1"]
    twice = second[0](first[0](outputs[0]))
    assert len(seen) == 3 and torch.equal(seen[0], twice) and torch.equal(seen[1], second[2](outputs[2]))


def test_a_reduction_halves_only_the_maps_that_are_read_later(space):
    made = space("enas_macro", small=True)
    network = made.build(made.format.parse("0 0 0 0 0 0 0 1 0 0"), "final")
    ran = []
    for i, halves in network.reductions.items():
        for k, half in enumerate(halves):
            half.register_forward_hook(lambda *_, place=(i, k): ran.append(place))
    network(torch.randn(2, 3, 8, 8))
    assert ran == [("0", 0), ("0", 1), ("1", 0), ("1", 2)]


def test_the_final_network_doubles_its_channels_and_concatenates(space):
    made = space("enas_macro", small=True, layers=4)
    network = made.build(made.format.parse("0 0 0 0 0 0 0 1 0 1"), "final")
    assert network.classifier.in_features == 16 and network.classifier.bias is None
    assert network.layers[3].join.conv[1].in_channels == 3 * 16
    assert made.build(made.format.parse(BITS), "search").classifier.in_features == 4


def test_the_supernet_trains_only_the_path(space):
    made = space("enas_macro", small=True, layers=3)
    supernet = made.supernet()
    supernet(torch.randn(4, 3, 8, 8), Candidate((0, 3, 0, 5, 1, 0))).sum().backward()
    trained = {name for name, p in supernet.named_parameters() if p.grad is not None}
    picked = {".operations.conv_3x3.", ".operations.sep_conv_5x5.", ".operations.max_pool_3x3."}
    operations = {name for name in trained if ".operations." in name}
    assert operations and all(any(part in name for part in picked) for name in operations)
    assert any(name.startswith("reductions.1.0") for name in trained)
    assert not any(name.startswith("reductions.1.1") for name in trained)


def test_bits_point_at_the_operation_of_the_layer_of_their_number(space):
    made = space("enas_macro")
    at = {decision.name: i for i, decision in enumerate(made.decisions)}
    for decision in made.decisions:
        layer, what = decision.name.split("/")
        expected = (at[f"layer{what.removeprefix('skip')}/operation"],) if what != "operation" else ()
        assert decision.inputs == expected and all(source < at[decision.name] for source in expected), layer


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "genotype: 0 operations and skips of 0 layers; give as many of both, 3 or more"),
        ("0 1 0", "genotype: 2 operations and skips of 2 layers; give as many of both, 3 or more"),
        (
            "0 3 0 0 1",
            "genotype text: 1 skip bits after the operation of layer 2, which has 2; add the missing numbers",
        ),
        (
            "0 6 0 0 1 0",
            "genotype text: layer 1 is operation 6, which is none of 0 conv_3x3, 1 sep_conv_3x3, 2 conv_5x5, "
            "3 sep_conv_5x5, 4 avg_pool_3x3, 5 max_pool_3x3; correct it",
        ),
        ("0 3 2 0 1 0", "genotype text: layer 1 has skip bits 2; write 0 or 1 each"),
        ("0 3 x 0 1 0", "genotype text: 'x' is not a number; write numbers with spaces between them"),
        ("0 3 -1 0 1 0", "genotype text: '-1' is not a number; write numbers with spaces between them"),
    ],
)
def test_text_that_is_no_genotype_is_refused(space, text, message):
    with pytest.raises(RequestError) as refused:
        space("enas_macro").format.parse(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"operations": ["conv_3x3", "conv_7x7", "conv_3x3"]},
            "genotype: layer 1: unknown 'conv_7x7'; did you mean 'conv_5x5'? choose from conv_3x3, sep_conv_3x3, "
            "conv_5x5, sep_conv_5x5, avg_pool_3x3, max_pool_3x3",
        ),
        ({"skips": [[], [0], [2]]}, "genotype: layer 2 joins map 2, but it can only join maps 0 to 1; correct it"),
        ({"skips": [[0], [0], [1]]}, "genotype: layer 0 joins map 0, but it can only join no map; correct it"),
        ({"skips": [[], [0], [1, 0]]}, "genotype: layer 2 joins maps [1, 0]; list each once, in order"),
        ({"skips": [[], [0]]}, "genotype: 3 operations and skips of 2 layers; give as many of both, 3 or more"),
    ],
)
def test_data_that_is_no_genotype_is_refused(space, change, message):
    genotype = {"operations": ["conv_3x3"] * 3, "skips": [[], [0], [1]]} | change
    with pytest.raises(RequestError) as refused:
        space("enas_macro").format.check(genotype)
    assert str(refused.value) == message


@pytest.mark.parametrize("genotype", [{}, {"operations": "conv", "skips": []}, {"operations": [], "skips": [["0"]]}])
def test_data_of_another_shape_is_refused(space, genotype):
    with pytest.raises(RequestError, match="genotype: operations must list a name for each layer and skips a list of"):
        space("enas_macro").format.check(genotype)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"search": {"combine": "concatenate"}},
            "space.search.combine=concatenate: shared weights need layers whose shape does not depend on what they "
            "join; set space.search.combine=add",
        ),
        ({"operations": []}, "space.operations=[] must be one or more different ones; correct the list"),
        (
            {"operations": ["conv_3x3", "conv_1x1"]},
            "space.operations: unknown 'conv_1x1'; did you mean 'conv_5x5'? choose from conv_3x3, sep_conv_3x3, "
            "conv_5x5, sep_conv_5x5, avg_pool_3x3, max_pool_3x3",
        ),
    ],
)
def test_a_space_that_cannot_be_built_is_refused_at_the_door(space, changes, message):
    with pytest.raises(RequestError) as refused:
        space("enas_macro", **changes)
    assert str(refused.value) == message


def test_images_that_cannot_be_halved_twice_are_refused(space):
    with pytest.raises(RequestError, match="space=enas_macro halves the map twice, which images of 30x32 pixels"):
        space("enas_macro", Task("image_classification", (3, 30, 32), 10))


def test_the_supernet_is_as_large_as_its_layers(space):
    """Stem, twelve layers of six operations, eleven norms of sums, reductions of five and of nine maps, classifier."""
    c = 36
    norm, point = 2 * c, c * c
    operations = 6 * (point + norm) + sum(k * k * c * c + norm for k in (3, 5))
    operations += sum(k * k * c + point + norm for k in (3, 5))
    reductions = (5 + 9) * (point + norm)
    expected = 27 * c + norm + 12 * operations + 11 * norm + reductions + 10 * c
    assert params(on_meta(space("enas_macro").supernet)) == expected
