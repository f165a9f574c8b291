"""What every searched space of text promises; ``text_space`` runs over their YAMLs."""

import json
import math
from collections import Counter

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nasctl import walk
from nasctl.core import Candidate, Relaxation, Task
from nasctl.errors import RequestError
from nasctl.hidden_state import detached
from tests.space.equal import relaxed_rows
from tests.space.text import COLUMNS, STEPS, TEXT, WORDS, passage, small, state, tokens

DROPOUTS = {"words": 0.2, "input": 0.2, "layer": 0.2, "output": 0.2}


def draw(space, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [walk.uniform(space, generator) for _ in range(count)]


def test_walks_take_every_decision_and_size_counts_them(space, text_space):
    made = space(text_space, TEXT)
    for arch in draw(made, 20):
        assert len(arch) == len(made.decisions) and made.complete(arch) and made.decision(arch) is None
        opened = [walk.options(made, arch[:i]) for i in range(len(arch))]
        assert all(option in options for option, options in zip(arch, opened, strict=True))
        assert [len(options) for options in opened] == [len(d.options) for d in made.decisions]
    assert math.prod(len(d.options) for d in made.decisions) == made.size


def test_a_uniform_walk_takes_every_option_equally_often(space, text_space):
    made = space(text_space, TEXT)
    counts = [Counter(options) for options in zip(*draw(made, 2000), strict=True)]
    for count, decision in zip(counts, made.decisions, strict=True):
        expected = 2000 / len(decision.options)
        assert all(abs(count[k] - expected) < 5 * expected**0.5 for k in range(len(decision.options)))


def test_genotypes_are_distinct_legal_json_and_survive_their_notation(space, text_space):
    made = space(text_space, TEXT)
    archs = set(draw(made, 30))
    genotypes = [made.genotype(arch) for arch in archs]
    assert len({json.dumps(genotype) for genotype in genotypes}) == len(archs) == 30
    for genotype in genotypes:
        assert made.check(genotype) == genotype == json.loads(json.dumps(genotype))
        assert made.parse(made.notation(genotype)) == genotype


def test_names_are_distinct(space, text_space):
    made = space(text_space, TEXT)
    for named in (made.decisions, made.relaxed_choices if isinstance(made, Relaxation) else ()):
        assert len({one.name for one in named}) == len(named)
        assert all(len(set(one.options)) == len(one.options) >= 1 for one in named)


def test_features_are_whole_numbers_that_vary(space, text_space):
    made = space(text_space, TEXT)
    found = [made.features(made.genotype(arch)) for arch in draw(made, 20)]
    assert all(isinstance(value, int) for one in found for value in one.values())
    assert all(len({one[name] for one in found}) > 1 for name in found[0])


def test_costs_equal_an_independent_count_for_each_token(space, text_space):
    made = small(space, text_space)
    for arch in draw(made, 3):
        genotype = made.genotype(arch)
        network = made.build(genotype, "final").eval()
        assert made.cost(genotype, "params") == sum(p.numel() for p in network.parameters())
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(tokens(), network.init_hidden(COLUMNS))
        assert made.cost(genotype, "macs") == network.macs == counter.get_total_flops() / 2 / (STEPS * COLUMNS)
        with torch.device("meta"):
            counted = made.count(made.build(genotype, "final"))
        assert counted == {name: made.cost(genotype, name) for name in ("params", "macs")}


def test_a_network_speaks_of_every_token_and_goes_on_where_it_stopped(space, text_space):
    made = small(space, text_space)
    network = made.build(made.genotype(draw(made, 1)[0]), "final").double().eval()
    before = state(network)
    whole = network(tokens(), before)
    assert whole.logits.shape == (STEPS * COLUMNS, WORDS)
    first = network(tokens()[:2], before)
    second = network(tokens()[2:], detached(first.hidden))
    torch.testing.assert_close(torch.cat([first.logits, second.logits]), whole.logits, rtol=1e-10, atol=1e-12)
    assert not torch.allclose(network(tokens(), network.init_hidden(COLUMNS)).logits, whole.logits)


@pytest.mark.parametrize("part", ["words", "input", "layer", "output", "cell_input", "state"])
def test_each_dropout_acts_in_training_only(space, text_space, part):
    if text_space == "rnn_nas_rl" and part in ("cell_input", "state"):
        pytest.skip("has no dropout inside its cells")
    if text_space != "rnn_nas_rl" and part == "layer":
        pytest.skip("has one layer")
    made = small(space, text_space, dropouts={part: 0.5})
    network = made.build(made.genotype(draw(made, 1)[0]), "final").double()
    trained = [seeded(network, seed) for seed in (0, 0, 1)]
    assert torch.equal(trained[0], trained[1]) and not torch.equal(trained[0], trained[2])
    network.eval()
    assert torch.equal(seeded(network, 0), seeded(network, 1))


def seeded(network, seed):
    before = state(network)
    torch.manual_seed(seed)
    return network(tokens(), before).logits


def test_a_step_in_half_precision_is_near_the_whole_one(space, text_space):
    made = small(space, text_space)
    network = made.build(made.genotype(draw(made, 1)[0]), "final")
    whole = network(tokens(), state(network))
    with torch.autocast("cpu", torch.bfloat16):
        half = network(tokens(), state(network))
    assert 0 < (half.logits - whole.logits).abs().max() < 0.05 * whole.logits.abs().max()
    assert [h.dtype for h in detached(half.hidden) if isinstance(h, torch.Tensor)] == [
        h.dtype for h in whole.hidden if isinstance(h, torch.Tensor)
    ]


def test_a_picked_path_equals_its_own_network(space, text_space):
    made = small(space, text_space, dropouts=DROPOUTS)
    torch.manual_seed(0)
    supernet = made.supernet().double()
    outputs = []
    for arch in draw(made, 4, seed=1):
        network = made.build(made.genotype(arch), "search").double()
        network.load_state_dict(supernet.subnet_state(made.genotype(arch)), strict=True)
        for training in (False, True):
            read = passage(network)
            ours = supernet.train(training)(read, Candidate(arch))
            torch.manual_seed(read.seed)
            theirs = network.train(training)(read.tokens, read.hidden)
            torch.testing.assert_close(ours, theirs.logits, rtol=1e-8, atol=1e-10)
            torch.testing.assert_close(read.outputs, theirs.raw, rtol=1e-8, atol=1e-10)
            torch.testing.assert_close(read.after, theirs.hidden, rtol=1e-8, atol=1e-10)
        outputs.append(ours)
    assert not torch.allclose(outputs[0], outputs[1])


def test_a_picked_path_costs_only_that_path(space, text_space):
    made = small(space, text_space)
    supernet = made.supernet()
    for arch in draw(made, 3, seed=2):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            supernet(passage(supernet), Candidate(arch))
        network = made.build(made.genotype(arch), "search")
        assert counter.get_total_flops() / 2 / (STEPS * COLUMNS) == network.macs


def test_all_weights_of_a_mixture_get_their_gradient(space, text_space):
    made = small(space, text_space)
    if not isinstance(made, Relaxation):
        pytest.skip("cannot be mixed")
    supernet, rows = made.supernet().double(), relaxed_rows(made, 0)
    supernet(passage(supernet), Candidate((), rows)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in supernet.parameters())
    assert all(row.grad is not None and row.grad[1:].abs().min() > 0 for row in rows)


def test_one_hot_rows_equal_the_picked_path(space, text_space):
    made = small(space, text_space)
    if not isinstance(made, Relaxation):
        pytest.skip("cannot be mixed")
    supernet = made.supernet().double()
    for arch in draw(made, 3, seed=4):
        options = made.picked(arch)
        rows = [
            torch.eye(len(r.options), dtype=torch.float64)[k]
            for r, k in zip(made.relaxed_choices, options, strict=True)
        ]
        assert made.discretize(rows) == arch
        relaxed = supernet(passage(supernet), Candidate(arch, rows))
        picked = supernet(passage(supernet), Candidate(arch))
        torch.testing.assert_close(relaxed, picked, rtol=1e-8, atol=1e-10)


def test_active_options_equal_the_mixture_of_nothing_else(space, text_space):
    made = small(space, text_space)
    if not isinstance(made, Relaxation):
        pytest.skip("cannot be mixed")
    supernet, rows = made.supernet().double(), relaxed_rows(made, 3)
    active = [(3 * i + 1) % len(row) for i, row in enumerate(rows)]
    alone = [row * torch.eye(len(row))[k] for row, k in zip(rows, active, strict=True)]
    read = passage(supernet)
    ours, theirs = supernet(read, Candidate((), rows, active)), supernet(read, Candidate((), alone))
    torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-10)
    (gradient,) = torch.autograd.grad(ours.square().sum(), [rows[0]])
    assert gradient[active[0]] != 0 and gradient.count_nonzero() == 1


def test_derivation_is_legal_and_keeps_rows_as_they_are(space, text_space):
    made = space(text_space, TEXT)
    if not isinstance(made, Relaxation):
        pytest.skip("cannot be mixed")
    rows = relaxed_rows(made, 1)
    before = [row.detach().clone() for row in rows]
    arch = made.discretize(rows)
    assert walk.belongs(made, arch)
    assert all(torch.equal(a, b) for a, b in zip(rows, before, strict=True))


@pytest.mark.parametrize("build", ["search", "final", "supernet"])
def test_size_replaces_parts_of_a_form(space, text_space, build):
    made = small(space, text_space)
    genotype = made.genotype(draw(made, 1)[0])

    def weights(**size):
        network = made.supernet(**size) if build == "supernet" else made.build(genotype, build, **size)
        return sum(p.numel() for p in network.parameters())

    assert weights() < weights(units=8)
    with pytest.raises(RequestError) as error:
        weights(unit=8)
    assert str(error.value).startswith("size: unknown 'unit'; did you mean 'units'? choose from units, ")


def test_another_kind_of_task_is_refused(space, text_space):
    with pytest.raises(RequestError) as error:
        space(text_space, Task("image_classification", (3, 32, 32), 10))
    assert str(error.value) == (
        f"space={space(text_space, TEXT).family} builds language models, but the data set's task is "
        "image_classification; choose a data set of text, such as dataset=ptb, or a space for that task"
    )
