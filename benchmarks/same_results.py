"""Run small searches by two commits on this machine and compare what they record, number for number.

``python -m benchmarks.same_results [COMMIT]`` (21c1907 where none is given) checks the commit out beside the present
tree and runs each of `COMMANDS` by both. Trainings differ between processors, so nothing is compared with a stored
figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
SMOKE = ["+debug=smoke"]
ONE_CELL = ["space.search={channels: 2, cells: 1}", "space.final={channels: 2, cells: 1}"]
NB201 = ["space=nasbench201", "dataset=digits", *ONE_CELL]
MICRO = ["space=enas_micro", "dataset=digits", "space.search.layers=3", "space.final.layers=3", "+debug=smoke"]
SCORED = ["estimator=zero_cost", "reward=score", "budget.trials=12", "threads=1", "dataset.limit_train=64"]
ROWS = ["space=ffn", "dataset=breast_cancer", "trainer=ffn", "+debug=smoke"]
LIMITED = ["constraint=params", "constraint.limit=300"]
ONE_LAST = ["strategy.samples=2", "strategy.final_selection.trials=1"]
TINY_POPULATION = ["strategy.population_size=2", "strategy.parent_selection.sample_size=1"]

COMMANDS: Mapping[str, Sequence[str]] = {
    "darts, second order": ["+experiment=darts_digits", *SMOKE, "estimator/unroll=finite_difference"],
    "darts under a limit": ["+experiment=darts_digits", *SMOKE, "constraint=params", "constraint.limit=4000"],
    "random search": ["+experiment=random_search_digits", *SMOKE],
    "evolution": ["+experiment=evolution_digits", *SMOKE, *TINY_POPULATION],
    "ENAS, sampled cells": [*MICRO, "strategy=enas", "budget.trials=4", *ONE_LAST],
    "fair paths": [*NB201, *SMOKE, "strategy=regularized_evolution", "estimator/sampler=fair", *TINY_POPULATION],
    "zero-cost scores": [*NB201, *SCORED, "strategy=local_search"],
    "Bayesian optimisation": [*NB201, *SCORED, "strategy=bayesian", "strategy.initial=4", "strategy.pool=10"],
    "TPE": [*NB201, *SCORED, "strategy=tpe", "strategy.initial=4"],
    "TabNAS under a limit": [*ROWS, "strategy=tabnas", *LIMITED, "estimator=from_scratch", "budget.trials=3"],
    "repeats, vectorized": ["+experiment=tabnas_exact_toy", "+debug=smoke"],
    "stacked sweep": [*ROWS, "strategy=enumeration", "estimator=stacked", "space.layers=2", "budget.trials=4"],
    "text": ["+experiment=darts_python_docs", "+debug=smoke"],
    "NAS-RL on text": ["+experiment=nas_rl_python_docs", "+debug=smoke"],
}
IN_0_1_0 = {
    "strategy.parent_selection.sample_size": "strategy.sample_size",
    "strategy.final_selection.trials": "strategy.selection",
}
"""Settings of `COMMANDS` that had other names before strategies had parts."""
RECORDS = ("trials.jsonl", "replicas.jsonl")
NAMES = ("index", "arch", "relaxed", "reward", "error", "best_found", "regret", "params", "macs", "margin", "curve")


def main(commit: str) -> int:
    """Print a line for each command; return how many differ."""
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder, "before")
        subprocess.run(["git", "-C", HERE, "worktree", "add", "--quiet", "--detach", before, commit], check=True)
        try:
            return sum(_differs(name, words, before, Path(folder)) for name, words in COMMANDS.items())
        finally:
            subprocess.run(["git", "-C", HERE, "worktree", "remove", "--force", before], check=True)


def _differs(name: str, words: Sequence[str], before: Path, folder: Path) -> bool:
    places = [_run(tree, words, folder / f"{name} {tree.name}") for tree in (before, HERE)]
    faults = [fault for pair in zip(*map(list, map(_records, places)), strict=False) for fault in _faults(*pair)]
    print(f"{name:<28}{'equal' if not faults else '; '.join(faults[:3])}", flush=True)
    return bool(faults)


def _run(tree: Path, words: Sequence[str], place: Path) -> Path:
    """Run a search by the code of ``tree`` and return its run directory."""
    place.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "nasctl", "search", *_known_to(tree, words), "run_dir=run"]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{tree}: {' '.join(words)}: {done.stderr}")
    return place / "run"


def _known_to(tree: Path, words: Sequence[str]) -> list[str]:
    """Return the words of a command in the names that the code of ``tree`` knows."""
    old = {} if (tree / "conf" / "strategy" / "policy").is_dir() else IN_0_1_0
    settings = [word.partition("=") for word in words]
    return [f"{old.get(name, name)}{equals}{value}" for name, equals, value in settings]


def _records(run: Path) -> Iterator[tuple[str, Any]]:
    """Yield place and content of what a search decided, its clocks left out."""
    architecture = json.loads((run / "architecture.json").read_text())
    yield "architecture.json", {key: architecture[key] for key in ("genotype", "arch", "notation")}
    for name in RECORDS:
        lines = (run / name).read_text().splitlines() if (run / name).exists() else []
        yield name, [_line(json.loads(line)) for line in lines]


def _line(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parts of a trial that are compared; ``costs`` stand among the metrics in lines of 0.1.0."""
    parts = {name: line[name] for name in NAMES if name in line}
    return {**parts, "metrics": line.get("metrics") or {}, "costs": line.get("costs") or {}}


def _alike(before: Any, now: Any) -> Any:
    """Return ``now`` with those of its costs among the metrics that ``before`` has there; it may have further costs."""
    if not isinstance(now, list):
        return now
    return [{**b, **a, "metrics": _metrics(b, a), "costs": b["costs"]} for b, a in zip(before, now, strict=False)]


def _metrics(before: Mapping[str, Any], now: Mapping[str, Any]) -> Mapping[str, Any]:
    if before["costs"]:  # both write them apart
        return now["metrics"] if before["costs"] == now["costs"] else {}
    return {**now["metrics"], **{name: cost for name, cost in now["costs"].items() if name in before["metrics"]}}


def _faults(before: tuple[str, Any], now: tuple[str, Any]) -> Iterator[str]:
    if len(before[1]) != len(now[1]) or before[1] != _alike(before[1], now[1]):
        yield f"{before[0]} differs: {before[1]!r:.200} before, {now[1]!r:.200} now"


if __name__ == "__main__":
    sys.exit(min(main((sys.argv[1:] or ["21c1907"])[0]), 1))
