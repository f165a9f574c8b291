"""Error of float32 gradients of the DARTS supernet against float64, beside that of the plain network in NCHW."""

from __future__ import annotations

import copy
import re
import statistics
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks import problem
from benchmarks.plain import PlainDarts
from benchmarks.problem import CLASSES, LAYOUTS, Images, Rows, space
from nasctl.core import Candidate

SEEDS, BATCH, CHANNELS, CELLS = 10, 16, 16, 8
NAMES = [  # from our names to those of the plain network
    (r"^stem\.first\.0", "stem_conv"),
    (r"^stem\.first\.1", "stem_norm"),
    (r"\.before\b", ".input0"),
    (r"\.last\b", ".input1"),
    (r"(input\d)\.1", r"\1.conv"),
    (r"(input\d)\.2", r"\1.norm"),
    (r"\.halve\.even", ".conv_even"),
    (r"\.halve\.odd", ".conv_odd"),
    (r"\.edges", ".edge"),
    (r"pool_3x3\.1", "pool_3x3.norm"),
    (r"(sep_conv_\dx\d)\.1", r"\1.depthwise1"),
    (r"(sep_conv_\dx\d)\.2", r"\1.pointwise1"),
    (r"(sep_conv_\dx\d)\.3", r"\1.norm1"),
    (r"(sep_conv_\dx\d)\.5", r"\1.depthwise2"),
    (r"(sep_conv_\dx\d)\.6", r"\1.pointwise2"),
    (r"(sep_conv_\dx\d)\.7", r"\1.norm2"),
    (r"(dil_conv_\dx\d)\.1", r"\1.depthwise"),
    (r"(dil_conv_\dx\d)\.2", r"\1.pointwise"),
    (r"(dil_conv_\dx\d)\.3", r"\1.norm"),
]


def plain_name(name: str) -> str:
    """Return what the plain network calls the weight ``name`` of ours."""
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def rows() -> Rows:
    """Yield the median over 10 seeds of the relative L2 error, of the rows' gradient and of the weights'."""
    errors = [error(seed) for seed in range(SEEDS)]
    for what in ("rows", "weights"):
        ours, plain = (statistics.median(e[who, what] for e in errors) for who in ("ours", "plain"))
        yield f"float32 error of the gradient to the {what}, batch {BATCH} / plain NCHW", ours, plain, plain / ours


def error(seed: int) -> dict[tuple[str, str], float]:
    """Return the relative errors of both networks with the same weights."""
    torch.manual_seed(seed)
    supernet, plain = space().supernet(), PlainDarts(3, CLASSES, CHANNELS, CELLS)
    plain.load_state_dict({plain_name(n): value for n, value in supernet.state_dict().items()}, strict=True)
    exact = gradients(plain.double(), "NCHW", nn.Module.__call__)
    found = {
        "plain": gradients(plain.float(), "NCHW", nn.Module.__call__),
        "ours": gradients(supernet, "channels_last", lambda net, x, rows: net(x, Candidate((), list(rows.unbind())))),
    }
    parts = (("rows", slice(0, 1)), ("weights", slice(1, None)))
    return {(who, what): _distance(g[part], exact[part]) for who, g in found.items() for what, part in parts}


def gradients(network: nn.Module, layout: str, call: Callable) -> list[Tensor]:
    """Return the gradients to the rows and to the weights in the order of the plain network's names, in float64."""
    network = copy.deepcopy(network).to(problem.DEVICE).to(memory_format=LAYOUTS[layout])
    dtype = next(network.parameters()).dtype
    batch, logits = Images(BATCH).train(), torch.zeros(28, 8, dtype=dtype, device=problem.DEVICE, requires_grad=True)
    x = batch.x.to(dtype).contiguous(memory_format=LAYOUTS[layout])
    weights = {plain_name(name): value for name, value in network.named_parameters()}
    loss = cross_entropy(call(network, x, logits.softmax(1)), batch.y)
    first, *rest = torch.autograd.grad(loss, [logits, *weights.values()])
    ordered = dict(zip(weights, rest, strict=True))
    return [g.double() for g in (first, *(ordered[name] for name in sorted(ordered)))]


def _distance(ours: list[Tensor], exact: list[Tensor]) -> float:
    a, b = (torch.cat([g.flatten() for g in gradients]) for gradients in (ours, exact))
    return float((a - b).norm() / b.norm())
