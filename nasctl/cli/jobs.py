"""One job of each verb: from a plain configuration to a finished run directory."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch

from nasctl import describe as inspection
from nasctl.cli.correlate import correlate
from nasctl.cli.recording import begin, finish, is_finished, open_run, show
from nasctl.config.build import make, validate
from nasctl.config.builders import assemble, check_pair, check_repeats, costs_of, fingerprint, make_trainer
from nasctl.config.conformity import conforming
from nasctl.config.problem import Scene, set_up
from nasctl.config.settings import Config
from nasctl.config.signature import recipe, signature
from nasctl.core import FixedChoices, TrainingSession
from nasctl.errors import RequestError
from nasctl.genotype_source import Source, check_space, drawn, find, searched
from nasctl.retrain import retrain as train_and_test
from nasctl.runs import Run, environment
from nasctl.runs.progress import Progress
from nasctl.runs.reader import RunFiles
from nasctl.search import budget as budgets
from nasctl.search.loop import Feasible, SearchData
from nasctl.search.selection import PASS, Selection, check_devices, label_of, listed, total, total_known
from nasctl.terminal_text import folder_part

__all__ = ["correlate", "inspect", "retrain", "search", "select"]

log = logging.getLogger("nasctl")

SEARCH = ("space", "strategy", "estimator", "dataset", "reward", "constraint")
SELECT = ("space", "dataset", "trainer", "reward", "constraint")
RETRAIN = ("space", "dataset", "trainer", "constraint")
NO_CPU: dict[str, float | None] = {"search": 0.0, "selection": 0.0, "retrain": 0.0}
NO_WORK = {"search": 0, "selection": 0, "retrain": 0}  # multiply-accumulates, as an estimator counts them


def search(config: Config) -> None:
    """Run, resume or show the search that ``config`` describes."""
    if config["from"]:
        raise RequestError(
            f"from={config['from']}: a search starts from no architecture; leave it out, or retrain, inspect or select "
            "what it names"
        )
    validate(config, (*SEARCH, "resource"))
    check_pair(config)
    check_repeats(config)
    budget, config = budgets.read(config), budgets.scheduled(config)
    config = config | {"budget": asdict(budget) | {"like": config["budget"]["like"]}}
    scene = set_up(config, environment.choose_device(config["device"]), costs_of(config))
    repeated = ("repeats", "curve") if config["repeats"] > 1 else ()
    nodes = {name: config[name] for name in (*SEARCH, "record_every", *repeated)} | {"budget": asdict(budget)}
    run = open_run("search", scene, scene.name("space", "strategy", "dataset"), nodes)
    method = method_of(run, scene, nodes)
    if not is_finished(run, lambda: fingerprint(scene)):
        loop = assemble(run, scene, budget)
        data = dict(loop.estimator.fingerprint())
        with run, Progress(run.cost) as run.watch:
            begin(run, scene, data)
            if isinstance(scene.space, FixedChoices):
                run.write("decisions.json", {d.name: list(d.options) for d in scene.space.decisions})
            if remark := scene.constraint.remark():
                log.warning(remark)
            run.restore(loop)
            loop.run(run.tick)
            run.save(loop.state_dict())
            if not remark and (late := scene.constraint.remark()):
                log.warning(late)
            found = loop.found(lambda name: list(RunFiles(run.path).lines(name)))
            cost = {"search": run.cost(), "selection": 0.0, "retrain": 0.0}
            work = NO_WORK | {"search": loop.work}
            facts = {**found.facts, "method": method, "budget": asdict(budget), "work": work}
            facts["cpu_seconds"] = NO_CPU | {"search": run.cpu_cost()}
            finish(run, scene, scene.space.genotype(found.arch), found.arch, found.metrics, cost, facts)
    show(run)


def method_of(run: Run, scene: Scene, nodes: Mapping[str, Any]) -> str:
    """Return the run's signature; with ``budget.like`` a hash that holds that run's method in place of its work."""
    like = budgets.liked(scene.config)
    return run.config["signature"] if like is None else signature({**nodes, "budget": {"like": like}}, scene.device)


def select(config: Config) -> None:
    """Train what each search in ``from`` found for a short time, and keep the best; or resume, or show that."""
    check_space(config["choices"]["space"], listed(config["from"]))
    validate(config, (*SELECT, "resource"))
    scene = set_up(config, environment.choose_device(config["device"]))
    sources = [searched(text, scene.space) for text in listed(config["from"])]
    check_devices(sources, scene.device)
    scene = replace(scene, config=config | {"label": label_of(sources)})
    origins = [[source.facts["signature"], source.facts["seed"], source.genotype] for source in sources]
    nodes = {name: config[name] for name in (*SELECT, "selection")} | {"origins": origins}
    run = open_run("select", scene, scene.name("space", "strategy", "dataset"), nodes)
    if not is_finished(run, scene.dataset.fingerprint):
        data = dict(scene.dataset.fingerprint())
        with run, Progress(run.cost) as run.watch:
            begin(run, scene, data)
            chosen = choose(run, scene, sources)
            run.save(chosen.state_dict())
            best = sources[chosen.best()]
            cost = total(sources, "cost") | {"selection": run.cost()}
            facts = {"error_kind": "short training", "trials": len(sources), "selected": best.record()}
            facts |= chosen.ties()
            facts["work"] = total(sources, "work") | {"selection": chosen.work}
            facts["cpu_seconds"] = total_known(sources, "cpu_seconds") | {"selection": run.cpu_cost()}
            finish(run, scene, best.genotype, best.arch, chosen.metrics(), cost, facts)
    show(run)


def choose(run: Run, scene: Scene, sources: Sequence[Source]) -> Selection:
    """Return the selection among ``sources``, run to its end."""
    config = scene.config
    selection = Selection(
        scene.space,
        [source.genotype for source in sources],
        conforming(make(config["trainer"]), "trainer"),
        SearchData(scene.dataset),
        make(config["reward"]),
        scene.device,
        config["seed"],
        config["selection"]["epochs"],
        run.append,
    )
    run.restore(selection)
    selection.run(run.tick)
    return selection


def retrain(config: Config) -> None:
    """Train the architecture that ``from`` names from scratch, then test it once; or resume, or show that."""
    check_space(config["choices"]["space"], [required_source(config)])
    validate(config, (*RETRAIN, "resource"))
    scene = set_up(config, environment.choose_device(config["device"]))
    source = find_source(scene)
    origin = [source.facts.get("signature"), source.facts.get("seed")]  # two searches may find the same
    nodes = {name: config[name] for name in RETRAIN} | {"genotype": source.genotype, "origin": origin}
    run = open_run("retrain", scene, retrain_name(scene, source), nodes)
    if not is_finished(run, scene.dataset.fingerprint):
        trainer = make_trainer(scene, source.genotype)
        data = dict(scene.dataset.fingerprint())
        with run, Progress(run.cost) as run.watch:
            begin(run, scene, data)
            session = TrainingSession(
                seed=config["seed"],
                on_step=run.tick,
                record=lambda line: run.append("history.jsonl", line),
                state=run.state,
            )
            network, trained, metrics = train_and_test(
                scene.space, source.genotype, trainer, scene.dataset, scene.device, session
            )
            run.save_weights("weights.pt", network.state_dict())
            for name, weights in trained.others.items():
                run.save_weights(f"weights.{name}.pt", weights)
            cost = source.facts.get("cost", {"search": 0.0, "selection": 0.0}) | {"retrain": run.cost()}
            facts = {"error_kind": "retrained", "weights": trained.record(), "source": source.record(), **recipe(scene)}
            facts["work"] = (source.facts.get("work") or NO_WORK) | {"retrain": work_of_training(run, scene, source)}
            facts["cpu_seconds"] = cpu_before(source) | {"retrain": run.cpu_cost()}
            finish(run, scene, source.genotype, source.arch, metrics, cost, facts)
    show(run)


def find_source(scene: Scene) -> Source:
    """Return what ``from`` names; a random architecture bears the signature of the space that it was drawn from."""
    text, config = required_source(scene.config), scene.config
    source = drawn(text, scene.space, Feasible(scene.space, scene.constraint), config["seed"])
    if source is None:
        return find(text, scene.space)
    nodes = {"space": {**config["space"], "search": None, "final": None}, "constraint": config["constraint"]}
    choices = {group: config["choices"][group] for group in nodes}
    known = {"signature": signature(nodes, scene.device), "choices": choices}
    return replace(source, facts={**source.facts, **known})


def required_source(config: Config) -> str:
    """Return the ``from`` setting, or raise `RequestError`."""
    if not config["from"]:
        raise RequestError(
            "from: nothing to start from; add from=RUN_DIRECTORY, from=FILE.json or a name, as from=DARTS_V2"
        )
    return str(config["from"])


def retrain_name(scene: Scene, source: Source) -> str:
    """Return the name of a retrain's folder: the genotype's, or that of the search it came from."""
    choices = source.facts.get("choices") or {}
    named = choices.get("space") and choices.get("strategy")
    first = f"{choices['space']}-{choices['strategy']}" if named else source.title()
    return f"{folder_part(first or scene.name('space'))}-{scene.name('dataset')}"


def cpu_before(source: Source) -> dict[str, float | None]:
    """Return the CPU seconds of the search behind a source, by phase; None where its run did not record them."""
    if source.kind != "run":
        return NO_CPU
    return source.facts.get("cpu_seconds") or {**NO_CPU, "search": None, "selection": None}


def work_of_training(run: Run, scene: Scene, source: Source) -> int:
    """Return the multiply-accumulates of a training that wrote a line an epoch."""
    examples = sum(1 for _ in RunFiles(run.path).lines("history.jsonl")) * len(scene.dataset.full())
    return PASS * examples * int(scene.space.cost(source.genotype, "macs"))


def inspect(config: Config) -> None:
    """Print what the space, or the architecture that ``from`` names, is and costs."""
    validate(config, ("space", "dataset"))
    scene = set_up(config, torch.device("cpu"))
    source = find_source(scene) if config["from"] else None
    print(inspection.inspect(scene.space, scene.dataset.task, source, config["form"], config["format"]), end="")
