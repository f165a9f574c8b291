"""Recurrent cells written as their papers read: what tests hold ours equal to, and benchmarks time it against.

They share no code with ours. Every node of every time step is a product, a gate and an activation of its own; in a
relaxed cell every activation of every edge is mixed with its weight. No dropout, except what a caller hands in as
masks: ``mask_x`` for the inputs, ``mask_h`` for states, in the relaxed and the chosen cell.
"""

import torch
from torch import nn

FUNCTIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda v: v}
OPTIONS = ("none", "tanh", "relu", "sigmoid", "identity")


def batch_norm(s):
    """Normalise each unit by its mean and variance over the columns."""
    return (s - s.mean(0)) / torch.sqrt(s.var(0, unbiased=False) + 1e-5)


def first_state(x, h, w0, mask_x, mask_h):
    """s0 = h + sigmoid(c) (tanh(v) - h), [c, v] = [x, h] W0."""
    c, v = (torch.cat([x * mask_x, h * mask_h], 1) @ w0).chunk(2, 1)
    return h + torch.sigmoid(c) * (torch.tanh(v) - h)


def relaxed_step(x, h, w0, w, rows, mask_x=1.0, mask_h=1.0):
    """A time step of the relaxed cell of DARTS; ``rows`` ``(edges, 5)``, ``w`` a matrix a node."""
    states = [batch_norm(first_state(x, h, w0, mask_x, mask_h))]
    edge = 0
    for i in range(len(w)):
        products = (torch.stack(states) * mask_h).flatten(0, 1) @ w[i]
        c, v = products.view(len(states), len(x), -1).chunk(2, 2)
        gate, node = torch.sigmoid(c), torch.zeros_like(states[0])
        for k, name in enumerate(OPTIONS):
            if name != "none":
                update = torch.stack(states) + gate * (FUNCTIONS[name](v) - torch.stack(states))
                node = node + (rows[edge : edge + len(states), k, None, None] * update).sum(0)
        edge += len(states)
        states.append(batch_norm(node))
    return torch.stack(states[1:]).mean(0)


def chosen_step(x, h, w0, w, recurrent, concat, mask_x=1.0, mask_h=1.0, norm=None):
    """A time step of a cell of a genotype in DARTS' format."""
    norm = norm or (lambda s: s)
    states = [norm(first_state(x, h, w0, mask_x, mask_h))]
    for (name, source), matrix in zip(recurrent, w, strict=True):
        c, v = ((states[source] * mask_h) @ matrix).chunk(2, 1)
        states.append(norm(states[source] + torch.sigmoid(c) * (FUNCTIONS[name](v) - states[source])))
    return torch.stack([states[i] for i in concat]).mean(0)


def nas_cell_step(x, m, c, w, u):
    """The cell that Zoph and Le found, from the published description: eight leaves, four, two, one."""
    i, r = (x @ w).chunk(8, 1), (m @ u).chunk(8, 1)
    sigmoid, tanh, relu = torch.sigmoid, torch.tanh, torch.relu
    a0, a1, a2, a3 = sigmoid(i[0] + r[0]), relu(i[1] + r[1]), sigmoid(i[2] + r[2]), relu(i[3] * r[3])
    a4, a5, a6, a7 = tanh(i[4] + r[4]), sigmoid(i[5] + r[5]), tanh(i[6] + r[6]), sigmoid(i[7] + r[7])
    b0, b1, b2, b3 = tanh(a0 * a1), tanh(a2 + a3), tanh(a4 * a5), sigmoid(a6 + a7)
    b0 = tanh(b0 + c)
    d0, d1 = b0 * b1, tanh(b2 + b3)
    return tanh(d0 * d1), d0


class PlainLanguage(nn.Module):
    """Embedding, a cell stepped through time, tied decoder: tokens ``(T, B)`` to logits ``(T * B, words)``."""

    def __init__(self, words, units, nodes):
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(words, units).uniform_(-0.04, 0.04))
        self.bias = nn.Parameter(torch.zeros(words))
        self.w0 = nn.Parameter(torch.empty(2 * units, 2 * units).uniform_(-0.04, 0.04))
        self.w = nn.ParameterList(torch.empty(units, 2 * units).uniform_(-0.04, 0.04) for _ in range(nodes))

    def forward(self, tokens, h, step):
        """``step(x, h, w0, w)`` is one of the time steps above."""
        outputs = []
        for x in self.embedding[tokens]:
            h = step(x, h, self.w0, self.w)
            outputs.append(h)
        return torch.stack(outputs).flatten(0, 1) @ self.embedding.t() + self.bias
