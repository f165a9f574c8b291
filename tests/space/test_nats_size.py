"""The size space: the benchmark's own counts, slices of the widest weights, and bad input."""

from itertools import product
from statistics import fmean, median

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nasctl.core import Candidate, Task
from nasctl.errors import RequestError
from nasctl.space import _chain
from nasctl.space._count import on_meta

CIFAR10 = Task("image_classification", (3, 32, 32), 10)
CIFAR100 = Task("image_classification", (3, 32, 32), 100)
IMAGENET16 = Task("image_classification", (3, 16, 16), 120)


# From the benchmark's files, https://github.com/D-X-Y/NATS-Bench; the widest follows from its formula
@pytest.mark.parametrize(
    "task, text, macs, weights",
    [
        (CIFAR10, "8:8:8:8:8", 4_481_114, 11_714),
        (CIFAR100, "8:8:8:8:8", 4_481_924, 12_524),
        (IMAGENET16, "8:8:8:8:8", 1_121_336, 12_704),
        (CIFAR10, "8:8:8:16:32", 6_840_650, 49_202),
        (CIFAR100, "8:8:8:16:32", 6_843_620, 52_172),
        (IMAGENET16, "8:8:8:16:32", 1_714_040, 52_832),
        (IMAGENET16, "8:8:40:32:40", 5_461_816, 149_344),
        (CIFAR100, "64:64:64:64:64", 274_405_732, 719_524),
        (CIFAR10, "8:8:40:32:40", 21_827_994, 144_834),
        (CIFAR100, "8:8:40:32:40", 21_831_684, 148_524),
        (CIFAR10, "8:8:8:16:40", 7_991_706, 67_378),
        (CIFAR10, "64:64:64:64:64", 274_399_882, 713_674),
        (IMAGENET16, "64:64:64:64:64", 68_607_608, 720_824),
    ],
)
def test_costs_are_the_benchmarks(space, task, text, macs, weights):
    made = space("nats_size", task)
    genotype = made.format.parse(text)
    counted = made.count(on_meta(lambda: made.build(genotype, "final")))
    assert counted == {"params": weights, "macs": macs}
    assert {name: made.cost(genotype, name) for name in counted} == counted


def test_as_many_architectures_are_within_75_million_as_the_benchmark_has(space):
    tables = space("nats_size", CIFAR100).chain("macs")
    costs = [_chain.total(tables, arch) for arch in product(range(8), repeat=5)]
    assert sum(cost <= 75e6 for cost in costs) == 13_546
    assert (min(costs), max(costs)) == (4_481_924, 274_405_732)
    assert (round(fmean(costs) / 1e6, 3), round(median(costs) / 1e6, 3)) == (106.964, 92.329)


@pytest.mark.parametrize("final", [{"affine": True}, {"affine": False}])
@pytest.mark.parametrize("name", ["params", "macs"])
def test_sums_over_neighbours_are_the_cost_and_the_count(space, name, final):
    made = space("nats_size", IMAGENET16, channels=[4, 6, 10], final=final)
    for arch in [(0, 0, 0, 0, 0), (2, 0, 1, 2, 1), (0, 1, 1, 2, 2), (2, 2, 2, 2, 2), (1, 0, 2, 0, 0)]:
        genotype = made.genotype(arch)
        counted = made.count(on_meta(lambda genotype=genotype: made.build(genotype, "final")))
        assert _chain.total(made.chain(name), arch) == made.cost(genotype, name) == counted[name]


def test_a_picked_path_multiplies_no_more_than_its_own_network(space):
    made = space("nats_size", channels=[2, 4, 6])
    supernet = made.supernet()
    for arch in [(0, 0, 0, 0, 0), (1, 0, 2, 2, 1), (2, 2, 2, 2, 2)]:
        counts = []
        network = made.build(made.genotype(arch), "search")
        for run in (lambda x, arch=arch: supernet(x, Candidate(arch)), network):
            with FlopCounterMode(display=False) as counter:
                run(torch.zeros(1, 3, 32, 32))
            counts.append(counter.get_total_flops())
        assert counts[0] == counts[1] > 0


def test_training_a_path_touches_only_its_channels(space):
    made = space("nats_size", channels=[2, 6], search={"affine": True})
    supernet = made.supernet()
    before = {name: value.clone() for name, value in supernet.state_dict().items()}
    supernet(torch.randn(4, 3, 8, 8), Candidate((0, 0, 0, 0, 0))).sum().backward()
    for name, parameter in supernet.named_parameters():
        if parameter.grad is not None and parameter.shape[0] == 6:
            assert not parameter.grad[2:].any(), name
    mean = supernet.state_dict()["network.head.running_mean"]
    assert (mean[:2] != before["network.head.running_mean"][:2]).all() and not mean[2:].any()


@pytest.mark.parametrize("text", ["", "8", "8:8:8:8", "8:8:8:8:8:8", "8-8-8-8-8", "8:8:8:8:0"])
def test_text_that_is_no_genotype_is_refused(space, text):
    with pytest.raises(RequestError, match="genotype"):
        space("nats_size").format.parse(text)


def test_images_that_cannot_be_halved_twice_are_refused(space):
    with pytest.raises(RequestError, match="space=nats_size halves the map twice, which images of 30x32 pixels"):
        space("nats_size", Task("image_classification", (3, 30, 32), 10))
