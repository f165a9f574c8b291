"""Operations computed together against the same operations one by one."""

import copy
import logging

import pytest
import torch
from torch import nn

from nasctl.layers import fan_out as fans
from nasctl.layers.blocks import DropPath
from nasctl.layers.fan_out import fan_out
from nasctl.space._cell.operations import OPERATIONS
from tests.space.equal import assert_close

NAMES = ("none", *OPERATIONS)
EDGES = 3


class Cube(nn.Module):
    """An operation of a kind that nothing knows how to join."""

    def __init__(self, channels):
        super().__init__()
        self.scale = nn.Parameter(torch.randn(channels, 1, 1))

    def forward(self, x):
        return self.scale * x**3


def edges_of(names, stride=1, affine=False, training=True):
    """Return edges that each hold the operations ``names``, every weight and running mean its own."""
    torch.manual_seed(0)
    build = [nn.ModuleDict({n: OPERATIONS[n](4, stride, affine, True) for n in names}) for _ in range(EDGES)]
    for edge in build:
        for name, values in edge.named_buffers():
            if name.endswith("running_mean"):
                nn.init.normal_(values)
            if name.endswith("running_var"):
                nn.init.uniform_(values, 0.5, 2)
        for values in edge.parameters():
            nn.init.normal_(values)
    return [edge.double().train(training) for edge in build]


def mixtures(names):
    weights = torch.rand(EDGES, len(NAMES), dtype=torch.float64)
    options = [0, *(NAMES.index(n) for n in names)]
    return [[(k, row[k]) for k in options] for row in weights.requires_grad_()], weights


def one_by_one(x, edges, mixture):
    return [
        sum(weight * edge[NAMES[k]](x) for k, weight in terms if NAMES[k] in edge)
        for edge, terms in zip(edges, mixture, strict=True)
    ]


def assert_equal(edges, names, layout=torch.contiguous_format):
    """Demand equal outputs, gradients and running statistics, computed together and one by one."""
    mixture, weights = mixtures(names)
    plain = copy.deepcopy(edges)
    x = torch.randn(2, 4, 8, 8, dtype=torch.float64).contiguous(memory_format=layout).requires_grad_()
    ours = [sum(parts) for parts in fan_out(x, NAMES, edges, mixture)]
    theirs = one_by_one(x, plain, mixture)
    for mine, other in zip(ours, theirs, strict=True):
        assert_close(mine, other)
    for mine, other in zip(gradients(ours, x, weights, edges), gradients(theirs, x, weights, plain), strict=True):
        assert_close(mine, other)
    for mine, other in zip(state(edges), state(plain), strict=True):
        assert torch.allclose(mine, other, rtol=1e-12)


def gradients(outputs, x, weights, edges):
    leaves = [x, weights, *(p for edge in edges for p in edge.parameters())]
    return torch.autograd.grad(sum(((i + 1) * y**3).sum() for i, y in enumerate(outputs)), leaves)


def state(edges):
    return [value for edge in edges for value in edge.state_dict().values()]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_an_operation_on_several_edges_is_the_same_as_on_each(name, stride, affine, training):
    assert_equal(edges_of([name], stride, affine, training), [name])


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_all_operations_at_once_in_both_layouts(layout):
    assert_equal(edges_of(OPERATIONS), list(OPERATIONS), layout)


def test_frozen_norms_after_a_pooling_are_each_edges_own():
    edges = edges_of(["max_pool_3x3"])
    for edge in edges:
        edge["max_pool_3x3"][1].eval()
    assert_equal(edges, ["max_pool_3x3"])


def test_a_convolution_that_the_rules_do_not_fit_runs_alone():
    torch.manual_seed(0)
    edges = [nn.ModuleDict({"conv": nn.Conv2d(4, 4, 1, groups=2), "skip": nn.Identity()}) for _ in range(EDGES)]
    x, names = torch.randn(2, 4, 8, 8), ("conv", "skip")
    for edge, parts in zip(
        edges, fan_out(x, names, edges, [[(0, torch.tensor(2.0)), (1, torch.tensor(1.0))]] * EDGES), strict=True
    ):
        assert torch.allclose(sum(parts), 2 * edge["conv"](x) + x, atol=1e-6)


def test_an_option_that_one_edge_lacks_is_joined_on_the_others():
    edges = edges_of(["sep_conv_3x3", "skip_connect"])
    del edges[1]["sep_conv_3x3"]
    assert_equal(edges, ["sep_conv_3x3", "skip_connect"])


def test_joined_operations_are_called_neither_alone_nor_more_than_once():
    edges, calls = edges_of(["sep_conv_3x3", "max_pool_3x3"]), []
    for edge in edges:
        for module in edge.values():
            module.register_forward_hook(lambda *_: calls.append("alone"))
        edge["max_pool_3x3"][0].register_forward_hook(lambda *_: calls.append("pooled"))
    fan_out(torch.randn(2, 4, 8, 8).double(), NAMES, edges, mixtures(["sep_conv_3x3", "max_pool_3x3"])[0])
    assert calls == ["pooled"]


def test_an_operation_of_an_unknown_kind_is_computed_plainly_and_named_once(caplog):
    fans._warn.cache_clear()
    names, half = (*NAMES, "cube"), torch.tensor(0.5)
    edges = [nn.ModuleDict({"cube": Cube(4), "skip_connect": nn.Identity()}) for _ in range(EDGES)]
    x, mixture = (
        torch.randn(2, 4, 8, 8),
        [[(names.index("skip_connect"), half), (len(names) - 1, 4 * half)]] * EDGES,
    )
    with caplog.at_level(logging.WARNING, logger="nasctl"):
        outputs = [[sum(parts) for parts in fan_out(x, names, edges, mixture)] for _ in range(2)][1]
    for edge, y in zip(edges, outputs, strict=True):
        assert torch.allclose(y, 0.5 * x + 2 * edge["cube"](x))
    assert [record.getMessage() for record in caplog.records] == [
        "operations with a layer of type Cube run one by one, since there is no rule to join it"
    ]


def test_while_paths_are_dropped_each_operation_drops_its_own_examples():
    edges, dropped = edges_of(["max_pool_3x3", "dil_conv_3x3", "skip_connect"]), []
    drop_path = DropPath()
    drop_path.register_forward_hook(lambda module, inputs, y: dropped.append((y == 0).flatten(1).all(1).tolist()))
    drop_path.probability = 0.5
    x = torch.randn(16, 4, 8, 8).double()
    fan_out(x, NAMES, edges, mixtures(["max_pool_3x3", "dil_conv_3x3", "skip_connect"])[0], drop_path)
    assert len(dropped) == 2 * EDGES  # a skip is never dropped
    assert len({tuple(mask) for mask in dropped}) == 2 * EDGES and 0 < sum(map(sum, dropped)) < 96
