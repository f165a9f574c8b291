"""Run every benchmark and print one table: ``python -m benchmarks``."""

from __future__ import annotations

import torch

from benchmarks import click_log, data_path, search_step, stack, start_up
from nasctl.environment import choose_device, device_record


def main() -> None:
    """Print the machine, then a line per benchmark."""
    print(f"torch {torch.__version__}, {device_record(choose_device('cpu'))['name']}")
    print(f"{'what':<70}{'ours s':>10}{'plain s':>10}{'ratio':>8}")
    for module in (start_up, data_path, click_log, stack, search_step):
        for name, ours, plain, ratio in module.rows():
            print(f"{name:<70}{ours:>10.4f}{plain:>10.4f}{ratio:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
