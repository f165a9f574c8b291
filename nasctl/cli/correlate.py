"""The job of the verb correlate: from a plain configuration to a finished run directory."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nasctl.cli.recording import begin, is_finished, open_run
from nasctl.config.build import make, validate
from nasctl.config.builders import costs_of, fingerprint, make_trainer
from nasctl.config.problem import Scene, set_up
from nasctl.config.settings import Config
from nasctl.core import Architecture, Estimator, EstimatorContext, Feasible, Reward
from nasctl.errors import RequestError
from nasctl.files import write_whole
from nasctl.genotype_source import check_space
from nasctl.report import correlation as report
from nasctl.report._read import likeness, record
from nasctl.report._read.duplicates import identity, once
from nasctl.report._read.record import Run as Recorded
from nasctl.runs import Run, environment
from nasctl.runs.progress import Progress, duration
from nasctl.runs.reader import RunFiles
from nasctl.search import shared_weights
from nasctl.search.loop import Feasible as WithinConstraint
from nasctl.search.loop import SearchData
from nasctl.search.rank_correlation import Correlation, Estimated, Retrained, Training, sampled
from nasctl.search.selection import listed
from nasctl.search.shared_weights import SharedWeights

log = logging.getLogger("nasctl")

CORRELATE = ("space", "dataset", "reward", "constraint")
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
    check_space(config["choices"]["space"], listed(config["from"]))
    groups = (*CORRELATE, "against" if config.get("against") else "trainer")
    validate(config, groups)
    scene = set_up(config, environment.choose_device(config["device"]), costs_of(asking(config)))
    runs = [shared_weights.load(Path(text), scene.space, config, scene.device) for text in listed(config["from"])]
    check_seeds(runs)
    origins = [[run.facts["signature"], run.facts["seed"]] for run in runs]
    nodes = {name: config[name] for name in (*groups, "correlation")} | {"origins": origins}
    run = open_run("correlate", scene, scene.name("space", "dataset"), nodes)
    if not is_finished(run, lambda: {**runs[0].estimator.fingerprint(), **read(scene)}):
        reward = make(config["reward"])
        truth = asked(scene, reward) if config.get("against") else retrained(scene, reward)
        with run, Progress(run.cost) as run.watch:
            begin(run, scene, {**runs[0].estimator.fingerprint(), **truth.fingerprint})
            correlation = Correlation(scene.space, truth.archs, runs, truth.trainings, reward, run.append)
            run.restore(correlation)
            correlation.run(run.tick)
            run.save(correlation.state_dict())
            finish(run, scene, runs, truth.kind)
    show(run)


def read(scene: Scene) -> Mapping[str, str]:
    """Return the hashes of what the training reads that the ranking is compared with."""
    config = scene.config
    if not config.get("against"):
        return scene.dataset.fingerprint()
    return fingerprint(replace(scene, config=asking(config)))


def asking(config: Config) -> Config:
    """Return the configuration of a search that asks what the ranking is compared with, where that is an estimator."""
    return {**config, "estimator": config["against"]} if config.get("against") else config


def retrained(scene: Scene, reward: Reward) -> Truth:
    """Return the full training of each architecture, with as many seeds as ``correlation.trainings``."""
    config = scene.config
    archs = sample(scene, WithinConstraint(scene.space, scene.constraint))
    trainer = make_trainer(scene, scene.space.genotype(archs[0]))
    seeds = range(config["seed"], config["seed"] + config["correlation"]["trainings"])
    trainings = [Retrained(scene.space, trainer, scene.dataset, reward, scene.device, seed) for seed in seeds]
    return Truth("retrained", archs, trainings, scene.dataset.fingerprint())


def asked(scene: Scene, reward: Reward) -> Truth:
    """Return what the estimator ``against`` says; of a table with several training seeds, each of them."""
    data = SearchData(scene.dataset)
    context = EstimatorContext(scene.space, data, scene.device, scene.config["seed"], lambda shown: None)
    estimators: list[Estimator] = [make(node, context) for node in columns(scene.config["against"])]
    first = estimators[0]
    archs = sample(scene, WithinConstraint.of(scene.space, scene.constraint, first))
    trainings = [Estimated(estimator, reward) for estimator in estimators]
    return Truth(first.error_kind, archs, trainings, first.fingerprint())


def columns(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the settings of one estimator a training seed, where a table has several and none is singled out."""
    if node.get("searched", 0) is not None:
        return [node]
    return [{**node, "searched": i} for i in range(len(node["accuracy"]))]


def sample(scene: Scene, feasible: Feasible) -> list[Architecture]:
    """Return the architectures whose ranking is asked for."""
    return sampled(scene.space, feasible, scene.config["correlation"]["n"], scene.config["seed"])


def finish(run: Run, scene: Scene, runs: Sequence[SharedWeights], kind: str) -> None:
    """Write result.json and, where matplotlib is installed, the scatter plot."""
    settings, lines = scene.config["correlation"], list(RunFiles(run.path).lines("correlation.jsonl"))
    names = labels(runs)
    how = {name: settings[name] for name in ("top", "resamples")} | {"seed": scene.config["seed"]}
    none = dict.fromkeys(("error", "params", "macs", "feasible", "margin"))
    result = {
        **{name: run.config[name] for name in ("verb", "signature", "seed")},
        **{**none, "error_kind": "correlation", "metrics": {}},
        "against": kind,
        "sources": [{**source.facts, "method": name} for source, name in zip(runs, names, strict=True)],
        "correlation": report.analyse(lines, names, **how),
        **{"space_size": scene.space.size, "ops": scene.space.num_operations},
        "cost": {"search": 0.0, "selection": 0.0, "retrain": 0.0, "correlation": run.cost()},
        "cpu_seconds": {"search": 0.0, "selection": 0.0, "retrain": 0.0, "correlation": run.cpu_cost()},
        "device": environment.device_record(scene.device),
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
        data = likeness.told_data(likeness.shared(part))
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
        twice += [(run, *(one for one in counted.runs if identity(one) == identity(run))) for run in counted.repeats]
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


def show(run: Run) -> None:
    """Print a finished run's statistics."""
    if run.config["dry_run"]:
        return  # it has printed what it measured
    result = RunFiles(run.path).read("result.json", "correlation", "against")
    print(report.show(result["correlation"], f"{result['against']} quality"), end="")
    print(f"cost {duration(result['cost']['correlation'])}  run {run.path}")
