"""Feed-forward networks: the published counts, slices of the widest weights, channel masks, and stacks."""

from itertools import product

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from nasctl.core import Candidate, Task
from nasctl.errors import RequestError
from nasctl.space._count import on_meta
from tests.space.equal import relaxed_rows

CRITEO = Task("tabular_classification", (39,), 1, [5, 3, 7] + [2] * 23)
NUMBERS = Task("tabular_classification", (6,), 1)
SMALL = {"widths": [6, 10, 4, 18], "layers": 3}
EMBEDDED = {"search": {"embedding": 4}, "final": {"embedding": 4}}


def rows(task, count, seed=0):
    """Return random rows: numbers, then ids of each category."""
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randn(count, task.input_shape[0] - len(task.categories), generator=generator, dtype=torch.float64)
    ids = [torch.randint(size, (count, 1), generator=generator) for size in task.categories]
    return torch.cat([numbers, *ids], 1)


@pytest.fixture(params=[CRITEO, NUMBERS], ids=["categories", "numbers"])
def small(space, request):
    torch.manual_seed(0)
    return space("ffn", request.param, **SMALL, **EMBEDDED)


def test_the_published_network_has_its_number_of_weights(space):
    made = space("ffn", CRITEO)
    genotype = made.format.parse("32-144-24")
    assert made.cost(genotype, "params") == 41_153
    assert made.cost(genotype, "embedding_params") == 39 * (5 + 3 + 7 + 46)
    assert made.cost(genotype, "macs") == 1027 * 32 + 32 * 144 + 144 * 24 + 24


@pytest.mark.parametrize(("layers", "size", "within"), [(2, 400, 77), (3, 8000, 856), (4, 160_000, 10_009)])
def test_as_many_architectures_are_within_the_limit_as_were_counted(space, layers, size, within):
    made = space("ffn", CRITEO, layers=layers)
    tables = made.chain("params")
    costs = [
        sum(table[a][b] for table, a, b in zip(tables, arch, arch[1:], strict=False))
        for arch in product(range(20), repeat=layers)
    ]
    assert len(costs) == made.size == size
    assert sum(cost <= 41_153 for cost in costs) == within
    if layers == 3:
        assert costs.count(41_153) == 1


@pytest.mark.parametrize("name", ["params", "macs", "embedding_params"])
def test_costs_equal_the_count_of_the_built_network(small, name):
    for arch in [(0, 1, 2), (3, 3, 3), (1, 0, 3)]:
        genotype = small.genotype(arch)
        counted = small.count(on_meta(lambda genotype=genotype: small.build(genotype, "final")))
        assert small.cost(genotype, name) == counted[name]


def test_costs_are_of_the_final_form(space):
    made = space("ffn", CRITEO, final={"embedding": 4})
    assert made.cost({"widths": [10]}, "params") == (13 + 26 * 4) * 10 + 10 + 11
    assert made.build({"widths": [10]}, "search").layers[0].in_features == 1027
    assert made.build({"widths": [10]}, "final", embedding=5).layers[0].in_features == 13 + 26 * 5
    assert made.supernet(embedding=2).layers[0].in_features == 13 + 26 * 2
    with pytest.raises(RequestError, match="size: unknown 'embeding'; did you mean 'embedding'"):
        made.supernet(embeding=2)


def test_training_a_path_touches_its_slices_alone(small):
    supernet = small.supernet().double()
    supernet(rows(small.task, 7), Candidate((0, 1, 2))).sum().backward()
    assert not supernet.layers[1].weight.grad[10:].any() and not supernet.layers[1].weight.grad[:, 6:].any()
    assert not supernet.layers[2].bias.grad[4:].any() and not supernet.classifier.weight.grad[:, 4:].any()


def test_a_mixture_is_that_of_the_masks(small):
    supernet, x, mixtures = small.supernet().double(), rows(small.task, 5), relaxed_rows(small, 1)
    plain = supernet.inputs(x)
    for layer, row in zip(supernet.layers, mixtures, strict=True):
        masks = torch.stack([(torch.arange(18) < width).double() for width in SMALL["widths"]])
        plain = layer(plain).relu() * (row @ masks)
    torch.testing.assert_close(supernet(x, Candidate((0, 0, 0), mixtures)), supernet.classifier(plain))


def test_inputs_are_numbers_and_then_the_embedding_of_each_category(space):
    made = space("ffn", CRITEO, **SMALL, **EMBEDDED)
    network, x = made.build({"widths": [3]}, "final").double(), rows(CRITEO, 4)
    embedded = network.inputs(x)
    assert embedded.shape == (4, 13 + 26 * 4) and torch.equal(embedded[:, :13], x[:, :13])
    starts = [0, 5, 8, *range(15, 15 + 46, 2)]
    for category in (0, 1, 2, 25):
        ids = x[:, 13 + category].long() + starts[category]
        place = 13 + 4 * category
        assert torch.equal(embedded[:, place : place + 4], network.inputs.tables.weight[ids])


def test_a_stack_gives_each_networks_outputs_and_gradients(small):
    genotypes = [small.genotype(arch) for arch in [(0, 1, 2), (3, 3, 3), (2, 0, 3)]]
    networks = [small.build(genotype, "final").double() for genotype in genotypes]
    stack, x = small.stack(networks), rows(small.task, 8)
    targets = (torch.arange(8) % 2).double()
    outputs = stack(x)
    assert outputs.shape == (3, 8, 1)
    sum(binary_cross_entropy_with_logits(y[:, 0], targets) for y in outputs).backward()
    for i, (network, widths) in enumerate(zip(networks, (g["widths"] for g in genotypes), strict=True)):
        alone = network(x)
        torch.testing.assert_close(outputs[i], alone)
        binary_cross_entropy_with_logits(alone[:, 0], targets).backward()
        for j, layer in enumerate([*network.layers, network.classifier]):
            rows_, columns = layer.weight.T.shape
            found = stack.weights[j].grad[i]
            torch.testing.assert_close(found[:rows_, :columns], layer.weight.grad.T)
            torch.testing.assert_close(stack.biases[j].grad[i, 0, :columns], layer.bias.grad)
            assert not found[rows_:].any() and not found[:, columns:].any(), widths
        if small.task.categories:
            torch.testing.assert_close(stack.tables.grad[i], network.inputs.tables.weight.grad)


@pytest.mark.parametrize(("text", "bottlenecks"), [("32-144-24", 1), ("8-8-8", 0), ("64-8-64", 1), ("8-16-8-16-8", 2)])
def test_bottlenecks_are_layers_narrower_than_both_neighbours(space, text, bottlenecks):
    made = space("ffn", CRITEO)
    assert made.format.features(made.format.parse(text)) == {"bottlenecks": bottlenecks}


@pytest.mark.parametrize("text", ["", "32-", "-32", "32x8", "32-0", "a"])
def test_text_that_is_no_genotype_is_refused(space, text):
    with pytest.raises(RequestError, match="genotype"):
        space("ffn", CRITEO).format.parse(text)


@pytest.mark.parametrize("genotype", [{}, {"widths": 3}, {"widths": ["3"]}, {"widths": []}, {"edges": []}])
def test_data_that_is_no_genotype_is_refused(space, genotype):
    with pytest.raises(RequestError, match="genotype"):
        space("ffn", CRITEO).format.check(genotype)


def test_bad_widths_and_another_task_are_refused(space):
    with pytest.raises(RequestError, match=r"space\.widths=\[3, 3\] must be one or more different widths"):
        space("ffn", CRITEO, widths=[3, 3])
    with pytest.raises(RequestError) as error:
        space("ffn")
    assert str(error.value) == (
        "space=ffn builds classifiers of table rows, but the data set's task is image_classification; "
        "choose a data set of rows, such as dataset=breast_cancer, or a space for that task"
    )


@pytest.mark.parametrize("name", ["params", "macs"])
def test_rows_that_have_chosen_cost_what_their_network_costs(small, name):
    tables, layers = small.relaxed_chain(name), len(small.relaxed_choices)
    for arch in ((0,) * layers, (1,) * layers, (*(0,) * (layers - 1), 1)):
        cost = sum(t[a][b] for t, a, b in zip(tables, arch, arch[1:], strict=False))
        assert cost == small.cost(small.genotype(arch), name)
