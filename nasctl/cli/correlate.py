"""The verb correlate: does the ranking by the shared weights of searches hold once architectures are trained?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasctl.cli.job import conduct, go_through
from nasctl.cli.outcome import named
from nasctl.config import shared_weights
from nasctl.config.builders import costs_of, fingerprint, make_trainer, references
from nasctl.config.collaborators import trainable
from nasctl.config.configuration import Configuration
from nasctl.config.problem import Problem, build_problem
from nasctl.config.settings import Config
from nasctl.core import Architecture, Feasible, Reward
from nasctl.errors import RequestError
from nasctl.files import write_whole
from nasctl.genotype_source import check_space
from nasctl.report import correlation as report
from nasctl.report._read import likeness, record
from nasctl.report._read.duplicates import identity, once
from nasctl.report._read.record import Run as Recorded
from nasctl.runs import Run, environment
from nasctl.runs.progress import duration
from nasctl.runs.reader import RunFiles
from nasctl.search.feasible import Feasible as WithinConstraint
from nasctl.search.rank_correlation import Correlation, Estimated, Retrained, Training, sampled
from nasctl.search.selection import listed
from nasctl.search.shared_weights import SharedWeights

log = logging.getLogger("nasctl")

GROUPS = ("space", "dataset", "reward", "constraint")
PLOT = "correlation.png"


@dataclass(frozen=True)
class Truth:
    """How architectures are trained on their own: what the figures are of, and which can be had."""

    kind: str
    archs: Sequence[Architecture]
    trainings: Sequence[Training]
    fingerprint: Mapping[str, str]


def correlate(config: Config) -> None:
    """Hold the ranking by the shared weights of searches against training; or resume, or show that."""
    conduct(CorrelateJob(Configuration(config)))


class CorrelateJob:
    """The rank correlation of shared weights, of one search or several, with training."""

    verb = "correlate"

    def __init__(self, configuration: Configuration) -> None:
        texts = listed(configuration.sources)
        check_space(configuration.choices["space"], texts)
        asks = configuration.has("against")
        groups = (*GROUPS, "against" if asks else "trainer")
        configuration.check(*groups)
        check_no_training_choices(configuration)
        device = environment.choose_device(configuration.settings.device)
        costs = costs_of(configuration, "against" if asks else "estimator")
        self.problem = build_problem(configuration, device, costs)
        self.runs = [shared_weights.load(Path(text), self.problem.space, configuration, device) for text in texts]
        check_seeds(self.runs)
        self.name = configuration.name("space", "dataset")
        origins = [[run.facts["signature"], run.facts["seed"]] for run in self.runs]
        self.signed = configuration.nodes(*groups, "correlation") | {"origins": origins}
        self.truth: Truth | None = None

    def data(self) -> Mapping[str, str]:
        """Return the hashes of what the searches read, and of what they are compared with."""
        known = self.truth.fingerprint if self.truth else read(self.problem)
        return {**self.runs[0].estimator.fingerprint(), **known}

    def prepare(self, run: Run) -> Callable[[], None]:
        """Sample the architectures, and build what trains or looks them up."""
        problem = self.problem
        reward = problem.configuration.make("reward")
        self.truth = truth = (asked if problem.configuration.has("against") else retrained)(problem, reward)
        correlation = Correlation(problem.space, truth.archs, self.runs, truth.trainings, reward, run.append)
        return lambda: self._correlate(run, correlation, truth.kind)

    def _correlate(self, run: Run, correlation: Correlation, kind: str) -> None:
        go_through(run, correlation)
        write(run, self.problem, self.runs, kind)

    def show(self, run: Run) -> None:
        """Print a finished run's statistics."""
        result = RunFiles(run.path).read("result.json", "correlation", "against")
        print(report.show(result["correlation"], f"{result['against']} quality"), end="")
        print(f"cost {duration(result['cost']['correlation'])}  run {run.path}")


def check_no_training_choices(configuration: Configuration) -> None:
    """Raise `RequestError` if a search is to choose settings of the trainer."""
    if configuration.training_choices:
        raise RequestError("training_choices: shared weights are trained in one way; leave it out")


def read(problem: Problem) -> Mapping[str, str]:
    """Return the hashes of what the training reads that the ranking is compared with."""
    return fingerprint(problem, "against") if problem.configuration.has("against") else problem.dataset.fingerprint()


def retrained(problem: Problem, reward: Reward) -> Truth:
    """Return the full training of each architecture, with as many seeds as ``correlation.trainings``."""
    settings = problem.settings
    archs = sample(problem, WithinConstraint(problem.space, problem.constraint))
    trainer = make_trainer(problem, problem.space.genotype(archs[0]))
    space = trainable(problem.space)
    seeds = range(settings.seed, settings.seed + settings.correlation.trainings)
    trainings = [Retrained(space, trainer, problem.dataset, reward, problem.device, seed) for seed in seeds]
    return Truth("retrained", archs, trainings, problem.dataset.fingerprint())


def asked(problem: Problem, reward: Reward) -> Truth:
    """Return what the estimator ``against`` says; of a table with several training seeds, each of them."""
    estimators = references(problem)
    first = estimators[0]
    archs = sample(problem, WithinConstraint.of(problem.space, problem.constraint, first))
    trainings = [Estimated(estimator, reward) for estimator in estimators]
    return Truth(first.error_kind, archs, trainings, first.fingerprint())


def sample(problem: Problem, feasible: Feasible) -> list[Architecture]:
    """Return the architectures whose ranking is asked for."""
    settings = problem.settings
    return sampled(problem.space, feasible, settings.correlation.n, settings.seed)


def write(run: Run, problem: Problem, runs: Sequence[SharedWeights], kind: str) -> None:
    """Write result.json and, where matplotlib is installed, the scatter plot."""
    settings, lines = problem.settings, list(RunFiles(run.path).lines("correlation.jsonl"))
    names = labels(runs)
    top, resamples = settings.correlation.top, settings.correlation.resamples
    none = dict.fromkeys(("error", "params", "macs", "feasible", "margin"))
    result = {
        **named(run),
        **{**none, "error_kind": "correlation", "metrics": {}},
        "against": kind,
        "sources": [{**source.facts, "method": name} for source, name in zip(runs, names, strict=True)],
        "correlation": report.analyse(lines, names, top=top, resamples=resamples, seed=settings.seed),
        **{"space_size": problem.space.size, "ops": problem.space.num_operations},
        "cost": {"search": 0.0, "selection": 0.0, "retrain": 0.0, "correlation": run.cost()},
        "cpu_seconds": {"search": 0.0, "selection": 0.0, "retrain": 0.0, "correlation": run.cpu_cost()},
        "device": environment.device_record(problem.device),
    }
    run.write("result.json", result)
    plot(run, lines, names)


def labels(runs: Sequence[SharedWeights]) -> list[str]:
    """Return the method of each run: runs that differ in nothing but their seed are of one."""
    parts = {run.path: part for part in likeness.groups(map(recorded, runs)) for run in part}
    first: dict[Any, str] = {}  # by signature and likeness
    found: list[str] = []
    for run in runs:
        name = f"{run.facts['label'] or run.facts['choices']['strategy']}"
        name = name if run.facts["label"] else f"{name}, {run.facts['sampler']}"
        signature, part = run.facts["signature"], parts[recorded(run).path]
        data = likeness.data_digits(likeness.shared(part))
        known = [name, f"{name} ({signature})", f"{name} ({signature}, data {data})"]
        key = signature, tuple(one.path for one in part)
        taken = {other for kept, other in first.items() if kept != key}
        first.setdefault(key, next((text for text in known if text not in taken), f"{known[-1]} {len(first) + 1}"))
        found.append(first[key])
    return found


def recorded(run: SharedWeights) -> Recorded:
    """Return the record of a search, as tables read it."""
    return record.read(Path(str(run.facts.get("name", ""))))


def check_seeds(runs: Sequence[SharedWeights]) -> None:
    """Raise `RequestError` if two of ``runs`` are one search with one seed: a mean would count it twice."""
    for part in likeness.groups(map(recorded, runs)):
        counted = once(part)
        twice = [fault.runs for fault in counted.faults]
        for run in counted.repeats:
            twice.append((run, *(one for one in counted.runs if identity(one) == identity(run))))
        if twice:
            names = " and ".join(str(run.path) for run in twice[0])
            unlike = ", with unlike results" if counted.faults else ""
            raise RequestError(f"from: {names} are one search with one seed{unlike}; name one of them")


def plot(run: Run, lines: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    """Draw the scatter plot, if that can be done here."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        log.info("no %s: it needs matplotlib; pip install 'nasctl[plots]'", PLOT)
        return
    write_whole(run.path / PLOT, lambda file: report.draw(lines, names, file))
