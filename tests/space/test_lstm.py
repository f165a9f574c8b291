"""LSTM language models: their sizes by formula, what is dropped, and the layers against plain code."""

import json
from itertools import pairwise

import pytest
import torch
from torch import nn

from nasctl.core import Task
from nasctl.errors import RequestError
from nasctl.genotype_source import PUBLISHED

PTB, WT2 = Task("language", (35,), 10_000), Task("language", (35,), 33_278)
TINY = {"embedding": 6, "units": 8}


def by_hand(words, embedding, units, layers):
    """Return the weights of a tied LSTM language model: four gates with two biases each, and the decoder's bias."""
    sizes = [embedding, *[units] * (layers - 1), embedding]
    cells = sum(4 * (b * (a + b) + 2 * b) for a, b in pairwise(sizes))
    return words * embedding + cells + words


def published(family, name):
    return json.loads((PUBLISHED / family / f"{name}.json").read_text())["genotype"]


@pytest.mark.parametrize(
    ("name", "task", "genotype", "sizes", "params"),
    [
        ("awd_lstm", PTB, "AWD_LSTM", (400, 1150, 3), 24_221_600),  # "24M", Merity et al. 2018, table 1
        ("awd_lstm", WT2, "AWD_LSTM", (400, 1150, 3), 33_556_078),  # "33M", table 2
        ("lstm", PTB, "LSTM", (650, 650, 2), 13_280_400),
    ],
)
def test_the_papers_networks_have_their_number_of_weights(space, name, task, genotype, sizes, params):
    made = space(name, task)
    found = published("lstm", genotype)
    assert made.format.check(found) == found
    assert made.cost(found, "params") == by_hand(task.num_outputs, *sizes) == params
    macs = params - task.num_outputs - sum(8 * b for b in [*[sizes[1]] * (sizes[2] - 1), sizes[0]])
    assert made.cost(found, "macs") == macs  # every weight once a token, the embedding as the decoder


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_network_is_a_stack_of_torchs_own_layers(space, layers):
    network = space("lstm", PTB, final=TINY).build({"layers": layers}, "final").double().eval()
    tokens = torch.randint(10_000, (7, 3))
    plain, x, states = [], network.embedding[tokens], []
    for layer in network.layers:
        lstm = nn.LSTM(layer.lstm.input_size, layer.units).double()
        lstm.load_state_dict(layer.lstm.state_dict())
        x, state = lstm(x)
        plain.append(lstm)
        states.append(state)
    spoken = network(tokens, network.init_hidden(3))
    torch.testing.assert_close(spoken.logits, (x @ network.embedding.T + network.bias).flatten(0, 1))
    for ours, theirs in zip(spoken.hidden, states, strict=True):
        torch.testing.assert_close(ours, (theirs[0][0], theirs[1][0]))


def test_a_text_read_in_parts_gives_what_it_gives_at_once(space):
    network = space("lstm", PTB, final=TINY).build({"layers": 2}, "final").double().eval()
    tokens, hidden, parts = torch.randint(10_000, (9, 2)), network.init_hidden(2), []
    for start in (0, 2, 7):
        spoken = network(tokens[start : {0: 2, 2: 7, 7: 9}[start]], hidden)
        hidden, parts = spoken.hidden, [*parts, spoken.logits]
    torch.testing.assert_close(torch.cat(parts), network(tokens, network.init_hidden(2)).logits)


def test_recurrent_weights_are_dropped_in_training_only(space):
    form = {**TINY, "weight_dropout": 0.5, "dropouts": dict.fromkeys(("words", "input", "layer", "output"), 0.0)}
    network = space("lstm", PTB, final=form).build({"layers": 1}, "final")
    tokens = torch.randint(10_000, (5, 2))

    def outputs():
        torch.manual_seed(1)
        return network(tokens, network.init_hidden(2)).raw

    dropped = outputs()
    torch.manual_seed(1)
    mask = nn.functional.dropout(torch.ones_like(network.layers[0].lstm.weight_hh_l0), 0.5)
    share = (mask == 0).float().mean().item()
    assert 0.3 < share < 0.7
    kept = network.eval()(tokens, network.init_hidden(2)).raw
    assert not torch.allclose(dropped, kept)
    with torch.no_grad():
        network.layers[0].lstm.weight_hh_l0 *= mask
    torch.testing.assert_close(dropped, network(tokens, network.init_hidden(2)).raw)


def test_what_is_dropped_gets_no_gradient(space):
    form = {**TINY, "weight_dropout": 0.9, "dropouts": dict.fromkeys(("words", "input", "layer", "output"), 0.0)}
    network = space("lstm", PTB, final=form).build({"layers": 1}, "final")
    network(torch.randint(10_000, (5, 2)), network.init_hidden(2)).logits.sum().backward()
    gradient = network.layers[0].lstm.weight_hh_l0.grad
    assert 0.7 < (gradient == 0).float().mean() < 1.0


def test_depths_can_be_searched_and_written(space):
    made = space("lstm", PTB, final=TINY)
    assert made.size == len(made.decision(()).options) == 4 and made.decision((2,)) is None
    genotype = made.genotype((2,))
    assert genotype == {"layers": 3} == made.format.parse(made.format.notation(genotype)) == made.format.check(genotype)
    assert made.format.edges(genotype) == {"cell": [("0", "1", "lstm"), ("1", "2", "lstm"), ("2", "3", "lstm")]}


def test_size_replaces_parts_of_the_form(space):
    made = space("lstm", PTB, final=TINY)
    assert made.build({"layers": 2}, "final", embedding=4).embedding.shape == (10_000, 4)
    with pytest.raises(RequestError, match=r"size: unknown 'unit'; did you mean 'units'\?"):
        made.build({"layers": 2}, "final", unit=4)


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (
            lambda made: made.format.check({"layers": 0}),
            r"\{'layers': 0\} does not give layers as a number of 1",
        ),
        (lambda made: made.format.check({"depth": 3}), r"does not give layers"),
        (lambda made: made.format.check({"layers": True}), r"does not give layers"),
        (
            lambda made: made.format.parse("three"),
            r"text: 'three' is not a number of layers, such as 3; correct it",
        ),
    ],
)
def test_bad_requests_are_one_sentence(space, run, text):
    with pytest.raises(RequestError, match=text):
        run(space("lstm", PTB))


def test_another_kind_of_task_is_refused(space):
    with pytest.raises(RequestError, match=r"space=lstm builds language models, but the data set's task is image_cl"):
        space("lstm")
