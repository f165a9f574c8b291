"""Many feed-forward networks trained at once by batched matrix products.

Weights lie side by side in ``(networks, inputs, units)``, narrower layers filled up with zeros. What is filled up
stays zero without a mask: a unit without incoming weights gives relu(0) = 0, which sends nothing on, and the
gradient of its weights is zero since relu has none at 0. So each network is trained as it would be alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from nasctl.space.ffn.network import Network


class Stack(nn.Module):
    """Networks with the same inputs and the same number of layers: rows ``(n, inputs)`` to ``(networks, n, outputs)``.

    Each has its own embeddings; those of one category's value lie side by side in memory, so that a value is looked
    up once for all networks. Every parameter begins with the dimension of the networks. ``macs`` are those of all
    networks for one example, filled-up units not counted.
    """

    starts: Tensor
    tables: nn.Parameter | None

    def __init__(self, networks: Sequence[Network]) -> None:
        super().__init__()
        self.numbers = networks[0].inputs.numbers
        self.register_parameter("tables", None)
        tables = [n.inputs.tables.weight.detach() for n in networks if n.inputs.tables is not None]
        if tables:
            self.register_buffer("starts", networks[0].inputs.starts, persistent=False)
            self.tables = nn.Parameter(torch.stack(tables, 1).transpose(0, 1))
        layers = list(zip(*([*n.layers, n.classifier] for n in networks), strict=True))
        self.macs = sum(layer.weight.numel() for alike in layers for layer in alike)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for alike in layers:
            self.weights.append(nn.Parameter(_filled([layer.weight.detach().T for layer in alike])))
            self.biases.append(nn.Parameter(_filled([layer.bias.detach()[None] for layer in alike])))

    def forward(self, x: Tensor) -> Tensor:
        y = self._inputs(x)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            y = torch.baddbmm(bias, y, weight).relu()
        return torch.baddbmm(self.biases[-1], y, self.weights[-1])

    def _inputs(self, x: Tensor) -> Tensor:
        """Return ``(networks, n, dense)``."""
        count = len(self.weights[0])
        numbers = x[:, : self.numbers].expand(count, -1, -1)
        if self.tables is None:
            return numbers
        ids = x[:, self.numbers :].long() + self.starts
        found = embedding(ids, self.tables.transpose(0, 1).flatten(1)).unflatten(2, (count, -1))
        return torch.cat([numbers, found.permute(2, 0, 1, 3).flatten(2)], 2)


def _filled(matrices: Sequence[Tensor]) -> Tensor:
    """Return matrices side by side, ``(networks, rows, columns)`` of the largest, filled up with zeros."""
    rows, columns = (max(m.shape[side] for m in matrices) for side in (0, 1))
    out = matrices[0].new_zeros(len(matrices), rows, columns)
    for place, matrix in zip(out, matrices, strict=True):
        place[: matrix.shape[0], : matrix.shape[1]] = matrix
    return out
