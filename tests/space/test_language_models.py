"""Language models of the searched spaces of text: hidden states, dropouts, half precision, shared paths."""

import pytest
import torch

from nasctl import walk
from nasctl.core import Candidate, PathSupernet
from nasctl.hidden_state import detached
from tests.space.contract.subject import NAMES, subject
from tests.space.text import COLUMNS, STEPS, WORDS, passage, small, state, tokens

SPACES = [name for name in NAMES if subject(name).task.kind == "language"]
SEARCHED = [name for name in SPACES if isinstance(subject(name).space, PathSupernet)]
DROPOUTS = {"words": 0.2, "input": 0.2, "layer": 0.2, "output": 0.2}


def draw(space, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [walk.uniform(space, generator) for _ in range(count)]


@pytest.mark.parametrize("text_space", SEARCHED)
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
@pytest.mark.parametrize("text_space", SEARCHED)
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


@pytest.mark.parametrize("text_space", SEARCHED)
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


@pytest.mark.parametrize("text_space", SEARCHED)
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
