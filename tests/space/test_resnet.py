"""Hand-made residual networks: the paper's sizes, the shortcut, depth as a decision, bad input."""

import json

import pytest
import torch

from nasctl.core import Candidate, Task
from nasctl.errors import RequestError
from nasctl.genotype_source import PUBLISHED
from nasctl.space.resnet import Block, DropPath


def weights_of(blocks, width, inputs, outputs):
    """Return the weights of 2 (blocks of three stages) + 2 layers with norms, by hand."""
    widths = [width, 2 * width, 4 * width]
    total = inputs * width * 9 + 2 * width + widths[-1] * outputs + outputs
    for stage, c in enumerate(widths):
        first = widths[max(stage - 1, 0)] * c * 9
        total += first + (2 * blocks - 1) * c * c * 9 + 2 * blocks * 2 * c
    return total


# He et al. 2016, table 6, in millions with two digits
@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)])
def test_the_papers_networks_have_its_number_of_weights(space, depth, millions):
    made = space("resnet")
    genotype = json.loads((PUBLISHED / "resnet" / f"ResNet{depth}.json").read_text())["genotype"]
    assert 2 * sum(made.format.check(genotype)["blocks"]) + 2 == depth
    params = made.cost(genotype, "params")
    assert params == weights_of(depth // 6, 16, 3, 10)
    assert params == pytest.approx(millions * 1e6, rel=0.02)


def test_width_scales_the_counts(space):
    narrow, wide = space("resnet", final={"channels": 4}), space("resnet", final={"channels": 8})
    genotype = {"blocks": [1, 2, 3]}
    convolutions = 9 * 32 * 32 * (3 * 4 + 2 * 16 + (8 * 4 + 3 * 64) / 4 + (16 * 8 + 5 * 256) / 16)
    assert narrow.cost(genotype, "macs") == convolutions + 16 * 10
    assert 3.5 < wide.cost(genotype, "macs") / narrow.cost(genotype, "macs") < 4


def test_a_stage_halves_the_map_and_doubles_the_channels(space):
    network = space("resnet", Task("image_classification", (1, 9, 7), 5), small=True).build(
        {"blocks": [1, 1, 2]}, "final"
    )
    shapes = []
    for stage in network.stages:
        stage[-1].register_forward_hook(lambda m, x, y: shapes.append(tuple(y.shape)))
    assert network(torch.randn(2, 1, 9, 7)).shape == (2, 5)  # odd sides are rounded up
    assert shapes == [(2, 4, 9, 7), (2, 8, 5, 4), (2, 16, 3, 2)]


def test_the_shortcut_takes_every_other_pixel_and_adds_empty_channels():
    block, x = Block(2, 4, 2, True, DropPath()).eval(), torch.rand(3, 2, 6, 6)
    torch.nn.init.zeros_(block.residual[3].weight)
    y = block(x)
    assert torch.equal(y[:, :2], x[:, :, ::2, ::2]) and not y[:, 2:].any()


def test_drop_path_drops_the_residual_and_keeps_the_shortcut():
    block, x = Block(2, 2, 1, True, DropPath()), torch.rand(64, 2, 6, 6)
    block.drop_path.probability = 0.5
    kept = [bool(torch.equal(a, b)) for a, b in zip(block(x), x, strict=True)]
    assert 0 < sum(kept) < 64


def test_a_shallower_path_leaves_the_deeper_blocks_alone(space):
    made = space("resnet", small=True, deepest=3)
    supernet, ran = made.supernet(), []
    for i, stage in enumerate(supernet.stages):
        for k, block in enumerate(stage):
            block.register_forward_hook(lambda *_, key=(i, k): ran.append(key))
    supernet(torch.randn(2, 3, 32, 32), Candidate((1, 0, 2)))
    assert ran == [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1), (2, 2)]


def test_a_mixture_sums_the_maps_after_each_depth(space):
    made = space("resnet", small=True, deepest=2)
    supernet, x = made.supernet().eval(), torch.randn(2, 3, 32, 32)
    rows = [torch.tensor([0.25, 0.75]), torch.tensor([1.0, 0.0]), torch.tensor([1.0, 0.0])]
    first = supernet.stages[0][0](supernet.stem(x))
    y = 0.25 * first + 0.75 * supernet.stages[0][1](first)
    y = supernet.classifier(supernet.stages[2][0](supernet.stages[1][0](y)).mean((2, 3)))
    torch.testing.assert_close(supernet(x, Candidate((0, 0, 0), rows)), y)


@pytest.mark.parametrize("text", ["", "3-3", "3-3-3-3", "3-a-3", "3--3", "0-3-3"])
def test_text_that_is_no_genotype_is_refused(space, text):
    with pytest.raises(RequestError, match="correct"):
        space("resnet").format.parse(text)


@pytest.mark.parametrize("genotype", [{}, [], {"blocks": 3}, {"blocks": [3, 3]}, {"blocks": [3, 3, 0]}])
def test_a_genotype_that_no_network_has_is_refused(space, genotype):
    with pytest.raises(RequestError, match=r"genotype: blocks.* correct"):
        space("resnet").format.check(genotype)
