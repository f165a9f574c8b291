"""One first-order search step of DARTS against a module per operation and edge, as the paper's text reads.

The plain step is that of the original code: NCHW, and a full backward pass for the architecture too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
import yaml
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.pairs import alternate
from nasctl.config import conf_dir, make
from nasctl.core import Candidate, SearchSpace, Task
from tests.space.plain import DartsCell

BATCH, CHANNELS, CELLS = 16, 16, 8


class Plain(nn.Module):
    """The supernet from plain cells: images ``(n, 3, 32, 32)`` and 28 rows of 8 weights to logits ``(n, 10)``."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 3 * CHANNELS, 3, padding=1, bias=False), nn.BatchNorm2d(3 * CHANNELS))
        self.reduces = [i in (CELLS // 3, 2 * CELLS // 3) for i in range(CELLS)]
        before = last = 3 * CHANNELS
        channels, self.cells = CHANNELS, nn.ModuleList()
        for reduces, after in zip(self.reduces, [False, *self.reduces], strict=False):
            channels *= 2 if reduces else 1
            self.cells.append(DartsCell(before, last, channels, reduces, after))
            before, last = last, 4 * channels
        self.classifier = nn.Linear(last, 10)

    def forward(self, x: Tensor, rows: Sequence[Tensor]) -> Tensor:
        before = last = self.stem(x)
        for cell, reduces in zip(self.cells, self.reduces, strict=True):
            before, last = last, cell(before, last, rows[14:] if reduces else rows[:14])
        return self.classifier(last.mean((2, 3)))


def rows() -> Iterator[tuple[str, float, float, float]]:
    """Yield the seconds of a step with 16 channels, 8 cells and batches of 16 images."""
    node = yaml.safe_load((conf_dir() / "space" / "darts.yaml").read_text())
    space = make(node, Task("image_classification", (3, 32, 32), 10))
    plain = step(Plain(), torch.contiguous_format, space, full_backward=True)
    for name, layout in (("NCHW", torch.contiguous_format), ("channels_last", torch.channels_last)):
        supernet = space.supernet().to(memory_format=layout)
        ours = step(lambda x, w, net=supernet: net(x, Candidate((), w)), layout, space, supernet)
        yield (f"first-order search step, {name}, batch {BATCH} / plain NCHW", *alternate(ours, plain, pairs=5))


def step(
    network: Callable[[Tensor, Sequence[Tensor]], Tensor],
    layout: torch.memory_format,
    space: SearchSpace,
    weights: nn.Module | None = None,
    full_backward: bool = False,
) -> Callable[[], None]:
    """Return a function that takes an architecture step and a weight step on random images."""
    holder = weights if weights is not None else network
    optimizer = torch.optim.SGD(holder.parameters(), 0.025, momentum=0.9, weight_decay=3e-4)  # type: ignore[union-attr]
    logits = torch.zeros(len(space.rows), 8, requires_grad=True)
    x = torch.randn(BATCH, 3, 32, 32).contiguous(memory_format=layout)
    y = torch.randint(10, (BATCH,))

    def run() -> None:
        loss = cross_entropy(network(x, list(logits.softmax(1))), y)
        loss.backward() if full_backward else torch.autograd.grad(loss, logits)
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(network(x, list(logits.detach().softmax(1))), y).backward()
        nn.utils.clip_grad_norm_(holder.parameters(), 5.0)  # type: ignore[union-attr]
        optimizer.step()

    return run
