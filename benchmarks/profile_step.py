"""Where the time of a first-order DARTS search step goes, what it moves, and how far it is from two floors.

``python -m benchmarks.profile_step`` prints seconds, bytes and multiply-accumulates by kind of operation. The floors
are what the same machine reaches on a large matrix product and on a large copy, measured in the same run.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks.pairs import seconds
from benchmarks.search_step import ours
from nasctl.estimator._work import macs

KINDS = {  # part of an operation's name: what it is
    "convolution": "convolutions",
    "batch_norm": "norms",
    "pool": "pooling",
    "threshold": "ReLU",
    "clamp_min": "ReLU",
    "relu": "ReLU",
    "cat": "copies",
    "copy_": "copies",
    "clone": "copies",
    "pad": "copies",
    "fill_": "copies",
    "add": "sums and products",
    "mul": "sums and products",
    "sum": "sums and products",
}
VIEWS = {"view", "_unsafe_view", "expand", "slice", "split", "permute", "transpose", "t", "detach", "alias"}
VIEWS |= {"as_strided", "select", "unbind", "unsqueeze", "squeeze"}  # move nothing


def kind(name: str) -> str:
    """Return what kind an operation is of."""
    return next((value for part, value in KINDS.items() if part in name), "the rest")


class Traffic(TorchDispatchMode):
    """Counts the bytes that operations read and write, views apart, and their multiply-accumulates, by kind."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes: dict[str, int] = defaultdict(int)
        self.macs: dict[str, int] = defaultdict(int)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func._overloadpacket.__name__
        if name not in VIEWS:
            tensors = [t for t in tree_leaves((args, kwargs, out)) if isinstance(t, Tensor)]
            self.bytes[kind(name)] += sum(t.numel() * t.element_size() for t in tensors)
        self.macs[kind(name)] += macs(func, args, kwargs or {}, out)
        return out


def main() -> None:
    """Print the table for 16 channels, 8 cells, batch 16, channels_last."""
    step = ours("first_order", 16, "channels_last")
    step()
    whole = statistics.median(seconds(step) for _ in range(5))
    spent = times(step)
    with Traffic() as traffic:
        step()
    print(f"{'kind':<22}{'share of time':>14}{'GB':>8}{'GMAC':>8}")
    for name, value in sorted(spent.items(), key=lambda item: -item[1]):
        share = value / sum(spent.values())
        print(f"{name:<22}{share:>13.0%} {traffic.bytes[name] / 1e9:>7.2f}{traffic.macs[name] / 1e9:>8.2f}")
    rate, bandwidth = floors()
    macs, moved = sum(traffic.macs.values()), sum(traffic.bytes.values())
    print(f"step {whole:.2f} s; {macs / 1e9:.1f} GMAC at {rate / 1e9:.0f} GMAC/s: {macs / rate:.2f} s")
    print(f"{moved / 1e9:.1f} GB at {bandwidth / 1e9:.1f} GB/s of a large copy: {moved / bandwidth:.2f} s")


def times(step: Callable[[], None]) -> dict[str, float]:
    """Return the seconds of a step by kind of operation."""
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        step()
    spent: dict[str, float] = defaultdict(float)
    for event in recorded.key_averages():
        spent[kind(event.key)] += event.self_cpu_time_total / 1e6
    return spent


def floors() -> tuple[float, float]:
    """Return multiply-accumulates a second of a large product, and bytes a second read and written by a large copy."""
    a, b = torch.randn(2, 2048, 2048)
    product = statistics.median(seconds(lambda: a @ b) for _ in range(5))
    source, target = torch.randn(2, 1 << 25)
    copy = statistics.median(seconds(lambda: target.copy_(source)) for _ in range(5))
    return 2048**3 / product, 2 * source.numel() * source.element_size() / copy


if __name__ == "__main__":
    main()
