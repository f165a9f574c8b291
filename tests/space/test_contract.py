"""What every space of conf/space promises. A test that takes ``space_name`` runs once for each YAML."""

import json
import math
from collections import Counter

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasctl import walk
from nasctl.core import Candidate, Relaxation, Task
from nasctl.errors import RequestError
from tests.space.equal import gradients, relaxed_rows

BIAS_COUNTED = {
    "nasbench201",
    "nats_size",
}  # families whose published multiply-accumulates include the classifier's bias
ENUMERABLE = 100_000  # architectures that can be walked one by one in a second


def draw(space, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [walk.uniform(space, generator) for _ in range(count)]


def images(space, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, *space.task.input_shape, generator=generator, dtype=torch.float64)


def every(space, prefix=()):
    """Yield all architectures that begin with ``prefix``."""
    options = walk.options(space, prefix)
    if not options:
        yield prefix
    for option in options:
        yield from every(space, (*prefix, option))


def test_walks_take_every_decision_and_no_more(space, space_name):
    made = space(space_name)
    for arch in draw(made, 20):
        assert len(arch) == len(made.decisions)
        for i, (option, decision) in enumerate(zip(arch, made.decisions, strict=True)):
            assert made.decision(arch[:i]) == decision and not made.complete(arch[:i])
            assert decision.open is None and option in range(len(decision.options))
        assert made.decision(arch) is None and made.complete(arch)


def test_size_is_the_number_of_walks(space, space_name):
    made = space(space_name)
    if made.size <= ENUMERABLE:
        archs = list(every(made))
        assert len(archs) == len({json.dumps(made.genotype(arch)) for arch in archs}) == made.size
    for arch in draw(made, 5):
        assert math.prod(len(walk.options(made, arch[:i])) for i in range(len(arch))) == made.size


def test_names_are_distinct_and_options_plain(space, space_name):
    made = space(space_name)
    for named in (made.decisions, made.relaxed_choices if isinstance(made, Relaxation) else ()):
        assert len({one.name for one in named}) == len(named)
        assert all(len(set(one.options)) == len(one.options) >= 1 for one in named)


def test_genotypes_are_distinct_legal_json_and_survive_their_notation(space, space_name):
    made = space(space_name)
    archs = set(draw(made, 30))
    genotypes = [made.genotype(arch) for arch in archs]
    assert len({json.dumps(genotype) for genotype in genotypes}) == len(archs)
    for genotype in genotypes:
        assert made.check(genotype) == genotype
        assert json.loads(json.dumps(genotype)) == genotype
        assert made.parse(made.notation(genotype)) == genotype


def test_features_count_what_the_graph_shows(space, space_name):
    made = space(space_name)
    for arch in draw(made, 10):
        genotype = made.genotype(arch)
        operations = [name for edges in made.graph(genotype).values() for _, _, name in edges]
        assert made.features(genotype)["skip_connections"] == operations.count("skip_connect")
    assert any(made.features(made.genotype(arch))["skip_connections"] for arch in draw(made, 10))


def test_derivation_is_legal_and_keeps_rows_as_they_are(space, space_name):
    made = space(space_name)
    rows = relaxed_rows(made, 1)
    before = [row.detach().clone() for row in rows]
    arch = made.discretize(rows)
    assert walk.belongs(made, arch)
    assert all(torch.equal(a, b) for a, b in zip(rows, before, strict=True))


def test_costs_equal_an_independent_count(space, space_name):
    made = space(space_name, small=True)
    for arch in draw(made, 3):
        genotype = made.genotype(arch)
        network = made.build(genotype, "final").eval()
        weights = {name: p.numel() for name, p in network.named_parameters() if not name.startswith("auxiliary.")}
        assert made.cost(genotype, "params") == sum(weights.values())
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            network(images(made, 1).float())
        bias = made.task.num_outputs if made.family in BIAS_COUNTED else 0
        assert made.cost(genotype, "macs") == counter.get_total_flops() / 2 + bias


def test_costs_are_of_the_final_form_and_of_the_whole_architecture(space, space_name):
    made, larger = space(space_name, small=True), space(space_name, small=True, final={"channels": 8})
    genotype = made.genotype(draw(made, 1)[0])
    assert made.cost(genotype, "params") < larger.cost(genotype, "params")
    assert made.cost(genotype, "macs") < larger.cost(genotype, "macs")
    assert len({made.cost(made.genotype(arch), "params") for arch in draw(made, 8)}) > 1


def test_a_picked_path_equals_its_own_network(space, space_name):
    made = space(space_name, small=True)
    torch.manual_seed(0)
    supernet, x = made.supernet().double(), images(made, 4)
    shuffle_norms(supernet)
    outputs = []
    for arch in draw(made, 4, seed=1):
        network = made.build(made.genotype(arch), "search").double()
        network.load_state_dict(supernet.subnet_state(made.genotype(arch)), strict=True)
        for training in (False, True):
            ours = supernet.train(training)(x, Candidate(arch))
            theirs = network.train(training)(x)
            torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-8 * float(theirs.detach().abs().max()))
        outputs.append(ours)
    assert not torch.allclose(outputs[0], outputs[1])


def shuffle_norms(network):
    """Give each norm statistics of its own, so that a norm in the wrong place shows in evaluation."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)


def test_a_picked_path_costs_only_that_path(space, space_name):
    made = space(space_name, small=True)
    supernet, x = made.supernet().double(), images(made, 4)
    for arch in draw(made, 3, seed=2):
        network = made.build(made.genotype(arch), "search").double()
        picked = layers_run(supernet, lambda arch=arch: supernet(x, Candidate(arch)))
        alone = layers_run(network, lambda network=network: network(x))
        shared = {layer for layer in picked if layer[0] is nn.ReLU}  # a network shares one among a map's readers
        own, others = ({k: n for k, n in ran.items() if k not in shared} for ran in (picked, alone))
        assert own == others
        assert all(picked[layer] <= 2 * alone[layer] for layer in shared)


def layers_run(network, run):
    """Return how often a layer of each kind and shape runs; an identity is free, however it is written."""
    kinds = (nn.Conv2d, nn.Linear, nn.BatchNorm2d, nn.MaxPool2d, nn.AvgPool2d, nn.ReLU)
    ran = Counter()
    hooks = [
        module.register_forward_hook(lambda m, *_: ran.update([(type(m), str(m))]))
        for module in network.modules()
        if isinstance(module, kinds)
    ]
    run()
    for hook in hooks:
        hook.remove()
    return ran


def test_active_options_equal_the_mixture_of_nothing_else(space, space_name):
    made = space(space_name, small=True)
    torch.manual_seed(0)
    supernet, x = made.supernet().double(), images(made, 4)
    rows = relaxed_rows(made, 3)
    active = [(3 * i + 1) % len(row) for i, row in enumerate(rows)]
    alone = [row * torch.eye(len(row))[k] for row, k in zip(rows, active, strict=True)]
    arch = draw(made, 1)[0]
    ours, theirs = supernet(x, Candidate(arch, rows, active)), supernet(x, Candidate(arch, alone))
    torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-8 * float(theirs.detach().abs().max()))
    ours, theirs = gradients(supernet, ours, rows), gradients(supernet, theirs, rows)
    for i, k in enumerate(active):
        torch.testing.assert_close(ours[f"row {i}"][k], theirs[f"row {i}"][k], rtol=1e-8, atol=1e-12)
        assert made.relaxed_choices[i].options[k] == "none" or ours[f"row {i}"][k] != 0


def test_one_hot_rows_equal_the_picked_path(space, space_name):
    made = space(space_name, small=True)
    supernet, x = made.supernet().double(), images(made, 4)
    arch = draw(made, 1, seed=4)[0]
    chosen = getattr(made, "picked", list)(arch)  # decisions are rows where a space does not say otherwise
    rows = [
        torch.eye(len(row.options), dtype=torch.float64)[k] for row, k in zip(made.relaxed_choices, chosen, strict=True)
    ]
    assert made.discretize(rows) == arch
    relaxed, picked = supernet(x, Candidate(arch, rows)), supernet(x, Candidate(arch))
    torch.testing.assert_close(relaxed, picked, rtol=1e-8, atol=1e-8 * float(picked.detach().abs().max()))


@pytest.mark.parametrize("build", ["search", "final", "supernet"])
def test_size_replaces_parts_of_a_form(space, space_name, build):
    made = space(space_name, small=True)
    genotype = made.genotype(draw(made, 1)[0])

    def weights(**size):
        network = made.supernet(**size) if build == "supernet" else made.build(genotype, build, **size)
        return sum(p.numel() for p in network.parameters())

    assert weights() < weights(channels=8)
    with pytest.raises(RequestError) as error:
        weights(chanels=8)
    assert str(error.value).startswith("size: unknown 'chanels'; did you mean 'channels'? choose from channels, ")


def test_another_kind_of_task_is_refused(space, space_name):
    with pytest.raises(RequestError) as error:
        space(space_name, Task("language_modelling", (35,), 10_000))
    assert str(error.value) == (
        f"space={space(space_name).family} builds image classifiers, but the data set's task is "
        "language_modelling; "
        "choose a data set of images or a space for that task"
    )
