"""Time the steps that two commits have in turn, A B A: ``python -m benchmarks.two_commits [COMMIT] [--rounds 15]``.

Three processes stand ready: COMMIT (21c1907 where none is given), the present tree, and COMMIT again. Each round takes
a third of a second of steps in each, the first of them another one each time. Printed are the median of the ratios
present / COMMIT over the rounds with its 95 % interval (order statistics), and the same of COMMIT / COMMIT: what the
machine alone makes of equal code.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from math import comb
from pathlib import Path

from benchmarks.step_worker import STEPS

HERE = Path(__file__).resolve().parents[1]
SECONDS = 0.3  # of steps that one measurement takes


class Side:
    """A process that takes the steps of a tree."""

    def __init__(self, tree: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
        worker = str(Path(__file__).with_name("step_worker.py"))
        self.process = subprocess.Popen(
            [sys.executable, worker],
            cwd=tree,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __call__(self, request: object) -> float:
        """Return the seconds of a step: prepared by its name, or taken so many times."""
        assert self.process.stdin and self.process.stdout
        print(request, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{request}: failed in {self.process.args}; see the error above")
        return float(answer)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the order statistics that hold the median with a probability of at least 95 %; all of few values."""
    ordered, count = sorted(values), len(values)
    tail, rank = 0.0, 0
    while rank < count // 2 and tail + comb(count, rank) / 2**count <= 0.025:
        tail += comb(count, rank) / 2**count
        rank += 1
    return ordered[max(rank - 1, 0)], ordered[count - max(rank, 1)]


def measure(name: str, sides: Sequence[Side], rounds: int) -> list[list[float]]:
    """Return the seconds of a step in each round, by side."""
    once = max(side(name) for side in sides)
    count = max(1, round(SECONDS / once))
    times: list[list[float]] = [[] for _ in sides]
    for turn in range(rounds):
        for place in range(len(sides)):
            side = (place + turn) % len(sides)
            times[side].append(sides[side](count))
    return times


def shown(ratios: Sequence[float]) -> str:
    low, high = interval(ratios)
    return f"{statistics.median(ratios):.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    """Print a line a step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit", nargs="?", default="21c1907")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder, "before")
        subprocess.run(["git", "-C", HERE, "worktree", "add", "--quiet", "--detach", before, given.commit], check=True)
        try:
            sides = [Side(tree) for tree in (before, HERE, before)]
            print(f"{'step':<34}{'seconds':>10}   {'present / ' + given.commit:<24}{given.commit} / itself")
            for name in (name for name in STEPS if given.only in name):
                first, present, again = measure(name, sides, given.rounds)
                ratios = [b / a for a, b in zip(first, present, strict=True)]
                same = [b / a for a, b in zip(first, again, strict=True)]
                print(f"{name:<34}{statistics.median(first):>10.4f}   {shown(ratios):<24}{shown(same)}", flush=True)
        finally:
            subprocess.run(["git", "-C", HERE, "worktree", "remove", "--force", before], check=True)


if __name__ == "__main__":
    main()
