"""Run small searches by two commits on this machine and compare what they record, number for number.

``python -m benchmarks.same_results [COMMIT]`` (21c1907 where none is given) checks the commit out beside the present
tree and runs each of `COMMANDS` by both; ``--only TEXT`` runs those whose name holds it. Trainings differ between
processors, so nothing is compared with a stored figure. Commands are written in today's words: `THEN` gives settings
the names of COMMIT, and ``+debug=smoke`` becomes the settings that it stands for.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
SMOKE = "+debug=smoke"
NB201 = ["space=nasbench201", "dataset=digits", SMOKE]
MICRO = ["space=enas_micro", "dataset=digits", SMOKE, "strategy=enas", "strategy.samples=2"]
SCORED = ["estimator=zero_cost", "reward=score", "budget.trials=12"]
ROWS = ["space=ffn", "dataset=breast_cancer", "trainer=ffn", SMOKE]
LIMITED = ["constraint=params", "constraint.limit=300"]
TINY_POPULATION = ["strategy.population_size=2", "strategy.parent_selection.sample_size=1", "budget.trials=6"]
SHARED = [
    "strategy=random_search",
    "estimator=supernet",
    "estimator/sampler=uniform",
    "estimator.schedule.warmup_epochs=1",
]
AGAINST = ["n=4", "estimator@against=from_scratch", "against.epochs=1", "correlation.resamples=10"]

Command = Sequence[Sequence[str]]
"""Lines, each a verb and its settings; the directory ``run`` of the last one is compared."""


def search(*words: str) -> Command:
    return [["search", *words, "run_dir=run"]]


COMMANDS: Mapping[str, Command] = {
    "darts, second order": search("+experiment=darts_digits", SMOKE, "budget.trials=3"),
    "darts under a limit": search("+experiment=darts_digits", SMOKE, "constraint=params", "constraint.limit=4000"),
    "random search": search("+experiment=random_search_digits", SMOKE),
    "evolution": search("+experiment=evolution_digits", SMOKE, *TINY_POPULATION),
    "ENAS, sampled cells": search(*MICRO, "budget.trials=4", "strategy.final_selection.trials=1"),
    "shared weights, uniform paths": search(*NB201, *SHARED, "budget.trials=4"),
    "shared weights, fair paths": search(
        *NB201, "strategy=regularized_evolution", "estimator/sampler=fair", *TINY_POPULATION
    ),
    "zero-cost scores": search(*NB201, *SCORED, "strategy=local_search"),
    "Bayesian optimisation": search(*NB201, *SCORED, "strategy=bayesian", "strategy.initial=4", "strategy.pool=10"),
    "TPE": search(*NB201, *SCORED, "strategy=tpe", "strategy.initial=4"),
    "REINFORCE": search(*NB201, *SCORED, "strategy=reinforce"),
    "TuNAS": search(*ROWS, "strategy=tunas", "estimator=supernet", "budget.trials=4"),
    "TabNAS under a limit": search(*ROWS, "strategy=tabnas", *LIMITED, "estimator=from_scratch", "budget.trials=3"),
    "repeats, vectorized": search("+experiment=tabnas_exact_toy", SMOKE),
    "repeats on a declared quality": search("+experiment=tabnas_table1/rejection", SMOKE, "strategy.vectorized=false"),
    "batched sweep": search(*ROWS, "strategy=enumeration", "estimator=stacked", "space.layers=2", "budget.trials=4"),
    "text": search("+experiment=darts_python_docs", SMOKE),
    "NAS-RL on text": search("+experiment=nas_rl_python_docs", SMOKE),
    "ENAS on text, shared weights": search("+experiment=enas_python_docs", SMOKE, "budget.trials=3"),
    "selection": [
        *(["search", "+experiment=random_search_digits", SMOKE, f"seed={i}", f"run_dir=found{i}"] for i in (0, 1)),
        ["select", "found0", "found1", "selection.epochs=1", "run_dir=run"],
    ],
    "rank correlation": [
        ["search", *NB201, *SHARED, "run_dir=shared"],
        ["correlate", "shared", *AGAINST, "run_dir=run"],
    ],
    "retraining": [
        ["search", "+experiment=random_search_digits", SMOKE, "run_dir=found"],
        ["retrain", "from=found", "run_dir=run"],
    ],
}
THEN = {
    r"^(\+\+)?estimator\.(schedule|statistics|optimizer)\.": r"\1estimator.",
    r"^strategy\.parent_selection\.sample_size=": "strategy.sample_size=",
    r"^strategy\.final_selection\.trials=": "strategy.selection=",
    r"^estimator/sampler=": "estimator.sampler=",
    r"^strategy\.vectorized=": "strategy.batched=",
}
"""Settings of today, as patterns, and their names in COMMIT."""
RECORDS = ("trials.jsonl", "replicas.jsonl", "correlation.jsonl", "history.jsonl")
NAMES = (
    *("index", "arch", "relaxed", "reward", "error", "best_found", "regret", "params", "macs", "margin", "curve"),
    *("scores", "trained", "epoch", "loss", "accuracy", "val", "train"),
)
CLOCKS = re.compile(r"seconds|clock|time|latency|cpu|cost_")


def main() -> int:
    """Print a line for each command; return how many differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit", nargs="?", default="21c1907")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    chosen = {name: lines for name, lines in COMMANDS.items() if given.only in name}
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder, "before")
        subprocess.run(["git", "-C", HERE, "worktree", "add", "--quiet", "--detach", before, given.commit], check=True)
        try:
            return sum(_differs(name, lines, before, Path(folder)) for name, lines in chosen.items())
        finally:
            subprocess.run(["git", "-C", HERE, "worktree", "remove", "--force", before], check=True)


def _differs(name: str, lines: Command, before: Path, folder: Path) -> bool:
    then = [_then(line) for line in lines]
    try:
        places = [_run(before, then, folder / f"{name} before"), _run(HERE, lines, folder / f"{name} now")]
    except RuntimeError as error:
        print(f"{name:<32}{error}", flush=True)
        return True
    faults = [fault for pair in zip(*map(list, map(_records, places)), strict=True) for fault in _faults(*pair)]
    print(f"{name:<32}{'equal' if not faults else '; '.join(faults[:6])}", flush=True)
    return bool(faults)


def _then(line: Sequence[str]) -> list[str]:
    """Return a line in the words of the earlier commit."""
    verb, *words = line
    small = _smoke(words) if SMOKE in words else []
    words = [verb, *small, *(word for word in words if word != SMOKE)]
    for now, then in THEN.items():
        words = [re.sub(now, then, word) for word in words]
    return words


def _smoke(words: Sequence[str]) -> list[str]:
    """Return the settings that ``+debug=smoke`` stands for beside the choices of ``words``."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from nasctl.config import presets
    from nasctl.config.settings import conf_dir

    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        settings = [word for word in words if "." not in word.partition("=")[0] and not word.startswith("n=")]
        choices = compose("config", settings, return_hydra_config=True).hydra.runtime.choices
    files = [conf_dir() / "debug" / "smoke.yaml", *presets.files(choices, [conf_dir()])]
    merged = OmegaConf.to_container(OmegaConf.merge(*map(OmegaConf.load, files)))
    return [f"++{name}={json.dumps(value)}" for name, value in _leaves(merged, "")]


def _leaves(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _run(tree: Path, lines: Command, place: Path) -> Path:
    """Run commands by the code of ``tree`` and return the run directory of the last one."""
    place.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    for words in lines:
        command = [sys.executable, "-m", "nasctl", *words]
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{tree.name}: nasctl {' '.join(words)}: {done.stderr.strip()}")
    return place / "run"


def _records(run: Path) -> Iterator[tuple[str, Any]]:
    """Yield place and content of what a run decided and measured, its clocks left out."""
    found = run / "architecture.json"
    architecture = json.loads(found.read_text()) if found.exists() else {}
    yield "architecture.json", {key: architecture.get(key) for key in ("genotype", "arch", "notation")}
    result = json.loads((run / "result.json").read_text())
    metrics = {key: result["metrics"].get(key) for key in ("loss", "perplexity", "auc", "score")}
    figures = {key: result.get(key) for key in ("error", "params", "macs", "trials", "correlation")}
    yield "result.json", {**figures, **metrics}
    for name in RECORDS:
        lines = (run / name).read_text().splitlines() if (run / name).exists() else []
        yield name, [_line(json.loads(line)) for line in lines]


def _line(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a trial, its costs apart; commits before costs had a key of their own write them among the metrics."""
    kept = {name: line[name] for name in NAMES if name in line}
    if isinstance(kept.get("error"), str):  # a sentence names settings, whose names may differ
        kept["error"] = "failed"
    metrics, costs = (line.get(key) or {} for key in ("metrics", "costs"))
    return {
        **kept,
        "metrics": {name: value for name, value in metrics.items() if not CLOCKS.search(name)},
        "costs": costs,
    }


def _alike(before: Any, now: Any) -> Any:
    """Return ``now`` with its costs where ``before`` has them; it may have further ones."""
    if not isinstance(now, list) or len(before) != len(now):
        return now
    return [_with_costs_of(b, n) for b, n in zip(before, now, strict=True)]


def _with_costs_of(before: Mapping[str, Any], now: Mapping[str, Any]) -> Mapping[str, Any]:
    metrics, costs = before["metrics"], now["costs"]
    among = {name: cost for name, cost in costs.items() if name in metrics}
    apart = {name: cost for name, cost in costs.items() if name in before["costs"]}
    return {**now, "metrics": {**now["metrics"], **among}, "costs": apart}


def _faults(before: tuple[str, Any], now: tuple[str, Any]) -> Iterator[str]:
    """Yield the places in which two records differ, with both values."""
    for place, was, found in _differences(before[0], before[1], _alike(before[1], now[1])):
        yield f"{place} was {str(was)[:120]} and is {str(found)[:120]}"


def _differences(place: str, was: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the places in which two values differ."""
    if isinstance(was, dict) and isinstance(found, dict):
        for key in was.keys() | found.keys():
            yield from _differences(f"{place}/{key}", was.get(key), found.get(key))
    elif isinstance(was, list) and isinstance(found, list) and len(was) == len(found):
        for index, pair in enumerate(zip(was, found, strict=True)):
            yield from _differences(f"{place}/{index}", *pair)
    elif was != found:
        yield place, was, found


if __name__ == "__main__":
    sys.exit(min(main(), 1))
