"""Run every benchmark, or those named, and print one table: ``python -m benchmarks [search_step ...]``.

``DEVICE=cuda`` in the environment runs the networks on a GPU.
"""

from __future__ import annotations

import importlib
import sys

import torch

from benchmarks.problem import DEVICE
from nasctl.runs.environment import choose_device, device_record

ALL = (
    "start_up",
    "data_path",
    "search_step",
    "path_step",
    "rnn_step",
    "retrain_step",
    "peak_memory",
    "precision",
    "policy_gradient",
    "click_log",
    "stack",
)


def main(names: list[str]) -> None:
    """Print the machine, then a line per figure; ours and plain are seconds unless the name says otherwise."""
    device = device_record(choose_device(str(DEVICE)))["name"]
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {device}")
    print(f"{'ours / plain':<84}{'ours':>12}{'plain':>12}{'ratio':>8}")
    for module in names or ALL:
        for name, ours, plain, ratio in importlib.import_module(f"benchmarks.{module}").rows():
            print(f"{name:<84}{ours:>12.4g}{plain:>12.4g}{ratio:>8.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
