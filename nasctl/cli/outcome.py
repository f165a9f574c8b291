"""The architecture that a job found: written to architecture.json and result.json, and shown."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nasctl.command_line.flags import config_dirs
from nasctl.config.problem import Problem
from nasctl.core import Architecture, Genotype, Metrics
from nasctl.genotype_source import architecture_record
from nasctl.runs import Run, environment
from nasctl.runs.progress import duration
from nasctl.runs.reader import RunFiles
from nasctl.terminal_text import shown, shown_lines

NO_CPU: dict[str, float | None] = {"search": 0.0, "selection": 0.0, "retrain": 0.0}
NO_WORK = {"search": 0, "selection": 0, "retrain": 0}  # multiply-accumulates, as an estimator counts them


@dataclass(frozen=True)
class Found:
    """An architecture, its metrics, and what they took by phase; ``facts`` are those of one verb."""

    genotype: Genotype
    arch: Architecture | None
    metrics: Metrics
    cost: Mapping[str, float]  # device-seconds
    work: Mapping[str, float]  # multiply-accumulates
    cpu_seconds: Mapping[str, float | None]
    facts: Mapping[str, Any]
    training: Mapping[str, Any] | None = None  # settings of the trainer that were found with the network

    def write(self, run: Run, problem: Problem) -> None:
        """Write architecture.json and result.json."""
        chosen = {"training": dict(self.training)} if self.training else {}
        run.write("architecture.json", {**architecture_record(problem.space, self.genotype, self.arch), **chosen})
        run.write("result.json", named(run) | self._content(problem))

    def _content(self, problem: Problem) -> dict[str, Any]:
        space, genotype, metrics = problem.space, self.genotype, self.metrics
        costs = costs_of(problem, genotype)  # a network is measured before it is judged
        margin = problem.constraint.margin(genotype)
        return {
            "error": metrics.get("reported_error", metrics.get("error")),
            **self.facts,
            "work": dict(self.work),
            "cpu_seconds": dict(self.cpu_seconds),
            "metrics": dict(metrics),
            "params": space.cost(genotype, "params"),
            "macs": space.cost(genotype, "macs"),
            **embeddings(problem, genotype),
            **costs,
            "ops": space.num_operations,
            "space_size": space.size,
            "feasible": None if margin is None else margin >= 0,
            "margin": margin,
            "cost": dict(self.cost),
            "device": environment.device_record(problem.device),
        }


def named(run: Run) -> dict[str, Any]:
    """Return what names a run in its result."""
    return {name: run.config[name] for name in ("verb", "signature", "seed")}


def costs_of(problem: Problem, genotype: Genotype) -> dict[str, Any]:
    """Return what a result says of the resources: their costs, and the facts of each that has some."""
    facts = {name: dict(resource.facts(genotype)) for name, resource in problem.resources.items()}
    costs = {name: resource(genotype) for name, resource in problem.resources.items()}
    return {"costs": costs, **{name: found for name, found in facts.items() if found}}


def embeddings(problem: Problem, genotype: Genotype) -> dict[str, float]:
    """Return the weights of embeddings, which ``params`` leaves out, where the data have categories."""
    if not problem.dataset.task.categories:
        return {}
    return {"embedding_params": problem.space.cost(genotype, "embedding_params")}


def show(run: Run) -> None:
    """Print a finished run's result, and after a search or selection the command that retrains it."""
    path = run.path
    files = RunFiles(path)
    result = files.read("result.json", "metrics", "params")
    cost = "  ".join(f"{phase} {duration(seconds)}" for phase, seconds in result["cost"].items() if seconds)
    print(f"{shown(result['error_kind'])}{scored(result)}  params {result['params'] or 0:,.0f}  cost {cost}")
    print(f"run {shown(str(path))}")
    if result["verb"] in ("search", "select"):
        print(shown_lines(files.read("architecture.json", "notation")["notation"]))
        print(f"next: {shlex.join(['nasctl', 'retrain', *config_dirs(sys.argv[1:]), f'from={path}'])}")


def scored(result: Mapping[str, Any]) -> str:
    """Return the error of a result, or its perplexity, as `show` prints it."""
    if result["error"] is not None:
        return f" error {result['error']:.2f} %"
    perplexity = result["metrics"].get("perplexity")
    return "" if perplexity is None else f" perplexity {perplexity:.2f}"
