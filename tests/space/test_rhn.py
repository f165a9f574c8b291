"""Recurrent highway networks: their size by formula, and the step against plainly written code."""

import json

import pytest
import torch

from nasctl.core import Task
from nasctl.errors import RequestError
from nasctl.genotype_source import PUBLISHED

PTB = Task("language", (35,), 10_000)
TINY = {"units": 6}
KEPT = dict.fromkeys(("words", "input", "layer", "output"), 0.0)


def test_the_papers_network_has_its_number_of_weights(space):
    genotype = json.loads((PUBLISHED / "rhn" / "RHN.json").read_text())["genotype"]
    made, n = space("rhn", PTB), 830
    expected = 10_000 * n + 10_000 + 2 * n * n + 10 * (2 * n * n + 2 * n)
    assert made.format.check(genotype) == {"depth": 10}
    assert made.cost(genotype, "params") == expected == 23_482_400  # "23M", Zilly et al. 2017, table 1
    assert made.cost(genotype, "macs") == 10_000 * n + 11 * 2 * n * n


def plain(highway, x, s, mask):
    """Return the outputs by equations 6 to 9 of the paper, one product a gate."""
    n, outputs = highway.units, []
    w_h, w_t = highway.input[:n], highway.input[n:]
    for seen in x:
        for layer, (weight, bias) in enumerate(zip(highway.recurrent, highway.bias, strict=True)):
            first = layer == 0
            h = torch.tanh((seen @ w_h.T if first else 0) + (s * mask) @ weight[:n].T + bias[:n])
            t = torch.sigmoid((seen @ w_t.T if first else 0) + (s * mask) @ weight[n:].T + bias[n:])
            s = h * t + s * (1 - t)
        outputs.append(s)
    return torch.stack(outputs), s


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_the_step_is_that_of_the_paper(space, depth, share):
    form = {**TINY, "state": share, "dropouts": KEPT}
    layer = space("rhn", PTB, final=form).build({"depth": depth}, "final").layers[0].double()
    torch.nn.init.normal_(layer.bias)
    torch.manual_seed(0)
    x, s = torch.randn(5, 4, 6, dtype=torch.float64), torch.randn(4, 6, dtype=torch.float64)
    torch.manual_seed(7)
    outputs, last = layer(x, s)
    torch.manual_seed(7)
    mask = torch.empty_like(s).bernoulli_(1 - share) / (1 - share)
    expected, state = plain(layer, x, s, mask)
    torch.testing.assert_close(outputs, expected, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(last, state, rtol=1e-8, atol=1e-8)
    assert share == 0 or len(mask.unique()) == 2
    outputs, _ = layer.eval()(x, s)
    torch.testing.assert_close(outputs, plain(layer, x, s, torch.ones_like(s))[0], rtol=1e-8, atol=1e-8)


def test_most_of_the_state_is_carried_at_first(space):
    network = space("rhn", PTB, final=TINY).build({"depth": 4}, "final")
    bias = network.layers[0].bias
    assert bias[:, :6].eq(0).all() and bias[:, 6:].eq(-2).all()
    assert network.layers[0].recurrent.abs().max() <= 0.04 and network.embedding.abs().max() <= 0.04


def test_a_text_read_in_parts_gives_what_it_gives_at_once(space):
    network = space("rhn", PTB, final=TINY).build({"depth": 2}, "final").double().eval()
    tokens = torch.randint(10_000, (9, 2))
    first = network(tokens[:4], network.init_hidden(2))
    parts = torch.cat([first.logits, network(tokens[4:], first.hidden).logits])
    torch.testing.assert_close(parts, network(tokens, network.init_hidden(2)).logits)


def test_depths_can_be_searched_and_written(space):
    made = space("rhn", PTB, final=TINY)
    assert made.size == 10 and made.genotype((9,)) == {"depth": 10} == made.format.parse("10")
    assert made.format.edges({"depth": 1}) == {"cell": [("0", "1", "highway")]}
    with pytest.raises(RequestError, match=r"space=rhn builds language models"):
        space("rhn")


def test_a_step_in_half_precision_is_near_the_whole_one(space):
    network = space("rhn", PTB, final=TINY | {"dropouts": KEPT}).build({"depth": 3}, "final")
    words, start = torch.randint(10_000, (5, 4)), network.init_hidden(4)
    whole = network(words, start)
    with torch.autocast("cpu", torch.bfloat16):
        half = network(words, start)
    assert 0 < (half.logits - whole.logits).abs().max() < 0.05 * whole.logits.abs().max()
