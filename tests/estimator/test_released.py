"""The recurrent second order of DARTS's released code, against that code's steps written out for a plain model.

https://github.com/quark0/darts, rnn/architect.py and rnn/model_search.py: the plain model ties its decoder to its
embedding as that code does, so that what loading a state by names does to the embedding is shown, not assumed.
"""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nasctl.core import Candidate
from nasctl.errors import RequestError
from nasctl.layers.language import Language
from tests.marked import slow
from tests.small import Problem, fit, relaxed

WHOLE = "space.search.dropouts={words: 0.0, input: 0.0, layer: 0.0, output: 0.0, cell_input: 0.0, state: 0.0}"
LENGTHS = "dataset.lengths.search={half: 0.5, std: 0.0, shortest: 1}"
ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda x: x}


def problem(*overrides, unroll="released"):
    return Problem("budget.epochs=9", f"estimator/unroll={unroll}", *overrides, estimator="supernet_language")


class Plain(nn.Module):
    """The search model, one node and one activation after the other; its decoder's matrix is its embedding's."""

    def __init__(self, words, units, nodes):
        super().__init__()
        self.encoder = nn.Embedding(words, units)
        self.first = nn.Parameter(torch.empty(2 * units, 2 * units))
        self.nodes = nn.ParameterList(torch.empty(units, 2 * units) for _ in range(nodes))
        self.decoder = nn.Linear(units, words)
        self.decoder.weight = self.encoder.weight
        self.double()

    @staticmethod
    def normed(s):
        return (s - s.mean(0)) / (s.var(0, unbiased=False) + 1e-5).sqrt()

    def loss(self, tokens, targets, hidden, rows):
        outputs = []
        for x in self.encoder(tokens):
            gate, value = (torch.cat([x, hidden], 1) @ self.first).chunk(2, 1)
            states = [self.normed(hidden + gate.sigmoid() * (value.tanh() - hidden))]
            for node, matrix in enumerate(self.nodes):
                total, offset = 0, node * (node + 1) // 2
                for source, s in enumerate(states):
                    gate, value = (s @ matrix).chunk(2, 1)
                    for k, activation in enumerate(ACTIVATIONS.values(), start=1):
                        total = total + rows[offset + source][k] * (s + gate.sigmoid() * (activation(value) - s))
                states.append(self.normed(total))
            hidden = torch.stack(states[1:]).mean(0)
            outputs.append(hidden)
        return F.cross_entropy(self.decoder(torch.stack(outputs)).flatten(0, 1), targets), hidden.detach()


def plain_of(net):
    """Return the plain model with the supernet's weights."""
    cell = net.layers[0]
    plain = Plain(*net.embedding.shape, len(cell.weights))
    with torch.no_grad():
        plain.encoder.weight.copy_(net.embedding)
        plain.decoder.bias.copy_(net.bias)
        plain.first.copy_(cell.first)
        for mine, its in zip(plain.nodes, cell.weights, strict=True):
            mine.copy_(its[0])
    return plain


def clipped(gradients, clip):
    """Scale ``gradients`` in place where their norm is above ``clip``; return the factor, bounded or not."""
    factor = clip / (sum(float(g.norm() ** 2) for g in gradients) ** 0.5 + 1e-6)
    for g in gradients if factor < 1 else ():
        g.mul_(factor)
    return factor


def published(plain, rows, train, val, *, lr, decay, clip):
    """Return the rows' gradient, and the validation loss of the unrolled model."""
    weights = dict(plain.named_parameters())
    gradients = torch.autograd.grad(plain.loss(*train, rows)[0], list(weights.values()))
    factor = clipped(gradients, clip)
    moved = {
        name: w.detach() - lr * (g + decay * w.detach())
        for (name, w), g in zip(weights.items(), gradients, strict=True)
    }
    unrolled = deepcopy(plain)
    unrolled.load_state_dict(plain.state_dict() | moved)  # decoder.weight, which is no parameter's name, is today's
    loss, _ = unrolled.loss(*val, rows)
    found = torch.autograd.grad(loss, [*unrolled.parameters(), *rows])
    direction, direct = found[: len(weights)], found[len(weights) :]
    clipped(direction, clip)
    radius = 0.01 / torch.cat([d.flatten() for d in direction]).norm()
    sides = []
    for sign in (1, -1):
        beside = deepcopy(plain)
        with torch.no_grad():
            for w, d in zip(beside.parameters(), direction, strict=True):
                w += sign * radius * d
        sides.append(torch.autograd.grad(beside.loss(*train, rows)[0], rows))
    products = [(p - m) / (2 * radius) for p, m in zip(*sides, strict=True)]
    return torch.cat([d - lr * factor * p for d, p in zip(direct, products, strict=True)]), loss


def parts(batch):
    passage, targets = batch
    return passage.tokens, targets, passage.hidden[0]


def found(made, estimator, seed):
    rows = made.rows(seed, torch.float64)
    evaluation = estimator.evaluate(Candidate(made.arch(seed), rows), 0)
    return rows, evaluation, torch.cat(torch.autograd.grad(evaluation.loss, rows))


CASES = {
    "both are clipped": (20.0, 0.25),
    "both are clipped, small steps": (0.5, 0.25),
    "one of them is": (2.0, 1.5),
    "none is, so the factor is above 1": (0.5, 50.0),
    "a step's length halves its rate": (8.0, 0.25, LENGTHS, "estimator.optimizer.lr_by_length=true"),
    "more nodes": (2.0, 0.25, "space.nodes=4"),
}


@pytest.mark.parametrize("case", slow(list(CASES), "both are clipped, small steps", "one of them is", "more nodes"))
def test_the_gradient_is_that_of_the_released_code(case):
    lr, clip, *overrides = CASES[case]
    settings = [f"estimator.optimizer.{name}={lr}" for name in ("lr", "lr_min")]
    made = problem(
        WHOLE,
        *settings,
        f"estimator.optimizer.virtual_clip={clip}",
        "estimator.optimizer.weight_decay=0.01",
        *overrides,
    )
    estimator = made.estimator()
    estimator.net.double()
    lengths = set()
    for turn in range(4 if overrides else 2):  # the second begins with a hidden state and with other weights
        train, val = (stream.batch(turn) for stream in (estimator.train, estimator.val))
        lengths.add(len(train[0].tokens))
        rate = lr * (len(train[0].tokens) / 5 if estimator.optimizer.settings.lr_by_length else 1)
        plain = plain_of(estimator.net)
        rows, evaluation, gradient = found(made, estimator, turn)
        expected, loss = published(plain, rows, parts(train), parts(val), lr=rate, decay=0.01, clip=clip)
        torch.testing.assert_close(evaluation.loss.item(), loss.item(), rtol=1e-12, atol=0)
        assert (gradient - expected).abs().max() < 1e-10 * expected.abs().max()
        fit(estimator, lambda turn=turn: Candidate(made.arch(0), made.rows(turn, torch.float64)))
    assert (len(lengths) > 1) == bool(overrides and LENGTHS in overrides)


@pytest.mark.parametrize("clip", [0.25, 50.0])
def test_it_is_not_that_of_the_papers_equations(clip):
    gradients = {}
    for order in ("finite_difference", "released"):
        made = problem(WHOLE, f"estimator.optimizer.virtual_clip={clip}", unroll=order)
        estimator = made.estimator()
        estimator.net.double()
        gradients[order] = found(made, estimator, 0)[2]
    difference = (gradients["released"] - gradients["finite_difference"]).norm()
    assert difference > 0.1 * gradients["finite_difference"].norm()


def seeds_of_passes(made, monkeypatch):
    """Return the seeds of the dropout of an architecture step's passes and of the weight step after it."""
    seen, read = [], Language.read

    def noted(self, passage, *choice):
        seen.append(passage.seed)
        return read(self, passage, *choice)

    with monkeypatch.context() as patched:
        patched.setattr(Language, "read", noted)
        estimator = made.estimator()
        estimator.evaluate(relaxed(made, 1), 0)
        fit(estimator, lambda: relaxed(made, 2))
    return seen


def test_each_pass_over_a_step_drops_anew(monkeypatch):
    seen = seeds_of_passes(problem(), monkeypatch)
    assert len(seen) == 5 and len(set(seen)) == 5
    assert seen == seeds_of_passes(problem(), monkeypatch)  # a function of the position


def test_with_the_papers_order_all_passes_over_a_step_drop_the_same(monkeypatch):
    train, val, *others = seeds_of_passes(problem(unroll="finite_difference"), monkeypatch)
    assert set(others) == {train} and val != train


def test_its_work_is_that_of_the_papers_order():
    works = []
    for order in ("finite_difference", "released"):
        made = problem(unroll=order)
        estimator = made.estimator()
        works.append(estimator.evaluate(relaxed(made, 1), 0).work)
    assert works[0] == works[1] > 0


def test_images_have_no_such_order():
    with pytest.raises(RequestError) as error:
        Problem("estimator/unroll=released").estimator()
    assert str(error.value) == (
        "estimator/unroll=released is the second order that DARTS's code has for recurrent cells; for images its code "
        "does what the paper says: choose estimator/unroll=finite_difference"
    )
