"""One job of each verb: from a plain configuration to a finished run directory."""

from __future__ import annotations

import hashlib
import json
import logging
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from nasctl import budget as budgets
from nasctl import config as configuration
from nasctl import environment, inspection
from nasctl.batch import Batch
from nasctl.config import Config, make
from nasctl.core import (
    Architecture,
    Constraint,
    Dataset,
    Estimator,
    Genotype,
    Metrics,
    RequestError,
    SearchSpace,
    Trainer,
)
from nasctl.dry_run import DryRun
from nasctl.files import read_lines
from nasctl.progress import Progress, duration
from nasctl.replicas import Replicas
from nasctl.retrain import retrain as train_and_test
from nasctl.runs import Run
from nasctl.search import Append, Budget, Feasible, Search, SearchData
from nasctl.selection import PASS, Selection, check_devices, label_of, listed, total
from nasctl.source import Source, architecture_record, drawn, find, searched

log = logging.getLogger("nasctl")

SEARCH = ("space", "strategy", "estimator", "dataset", "reward", "constraint")
SELECT = ("space", "dataset", "trainer", "reward", "constraint")
RETRAIN = ("space", "dataset", "trainer", "constraint")
NO_WORK = {"search": 0, "selection": 0, "retrain": 0}  # multiply-accumulates, as an estimator counts them
PHASES = {"select": "selection"}  # of the cost, where a verb's has another name
THREADS = torch.get_num_threads()  # torch's own choice, before a job of a sweep sets another


@dataclass(frozen=True)
class Scene:
    """What a verb works with."""

    config: Config
    device: torch.device
    dataset: Dataset
    space: SearchSpace
    constraint: Constraint

    def name(self, *groups: str) -> str:
        """Return the chosen options of ``groups``, joined."""
        return "-".join(self.config["choices"][group] for group in groups)


def set_up(config: Config, device: torch.device) -> Scene:
    """Build what every verb needs; nothing is read from disk yet."""
    dataset = make(config["dataset"], Path(config["paths"]["data"]), device, config["seed"])
    space = make(config["space"], dataset.task)
    return Scene(config, device, dataset, space, make(config["constraint"], space))


def search(config: Config) -> None:
    """Run, resume or show the search that ``config`` describes."""
    configuration.validate(config, SEARCH)
    check_pair(config)
    check_repeats(config)
    budget = budgets.read(config)
    config = config | {"budget": asdict(budget) | {"like": config["budget"]["like"]}}
    scene = set_up(config, environment.choose_device(config["device"]))
    repeated = ("repeats", "curve") if config["repeats"] > 1 else ()
    nodes = {name: config[name] for name in (*SEARCH, "record_every", *repeated)} | {"budget": asdict(budget)}
    run = open_run("search", scene, scene.name("space", "strategy", "dataset"), nodes)
    if not is_finished(run):
        loop = assemble(run, scene, budget)
        data = dict(loop.estimator.fingerprint())
        with run, Progress(run.cost) as run.watch:
            begin(run, scene, data)
            run.write("decisions.json", {d.name: list(d.options) for d in scene.space.decisions})
            if remark := scene.constraint.remark():
                log.warning(remark)
            if run.state is not None:
                loop.load_state_dict(run.state)
            loop.run(run.tick)
            run.save(loop.state_dict())
            found = loop.found(lambda name: read_lines(run.path / name))
            cost = {"search": run.cost(), "selection": 0.0, "retrain": 0.0}
            facts = {**found.facts, "budget": asdict(budget), "work": NO_WORK | {"search": loop.estimator.work}}
            finish(run, scene, scene.space.genotype(found.arch), found.arch, found.metrics, cost, facts)
    show(run)


def assemble(run: Run, scene: Scene, budget: Budget) -> Search | Replicas | Batch:
    """Build the search loop, or one that repeats it, replica by replica or all at once."""
    config = scene.config
    if config["repeats"] == 1:
        return build_search(run, scene, budget, config["seed"], run.append, config["record_every"])
    if config["strategy"].get("batched"):
        return build_batch(run, scene, budget)
    return Replicas(
        lambda replica, append: build_search(run, scene, budget, config["seed"] + replica, append, 1),
        scene.space,
        scene.constraint,
        run.append,
        seed=config["seed"],
        repeats=config["repeats"],
        curve=config["curve"],
    )


def build_batch(run: Run, scene: Scene, budget: Budget) -> Batch:
    """Build the loop in which all replicas of a search move together."""
    config, space = scene.config, scene.space
    data, seeds = SearchData(scene.dataset), [config["seed"] + replica for replica in range(config["repeats"])]

    def build_estimator(seed: int) -> Estimator:
        return make(config["estimator"], space, data, scene.device, seed, run.pulse)

    strategy = make(config["strategy"], space, feasible_for(scene, build_estimator(config["seed"])), seeds)
    places = {name: config[name] for name in ("seed", "repeats", "curve")}
    return Batch(
        space, strategy, build_estimator, make(config["reward"]), scene.constraint, budget, run.append, **places
    )


def feasible_for(scene: Scene, estimator: Estimator) -> Feasible:
    """Return what a strategy may ask ``estimator`` for."""
    return Feasible(scene.space, scene.constraint, estimator.covers, getattr(estimator, "partial", False))


def build_search(run: Run, scene: Scene, budget: Budget, seed: int, append: Append, record_every: int) -> Search:
    """Build one search loop; only here do strategy, estimator and data meet."""
    config, space = scene.config, scene.space
    data = SearchData(scene.dataset)
    estimator = make(config["estimator"], space, data, scene.device, seed, run.pulse)
    strategy = make(config["strategy"], space, feasible_for(scene, estimator), seed)
    return Search(space, strategy, estimator, make(config["reward"]), budget, append, record_every)


def select(config: Config) -> None:
    """Train what each search in ``from`` found for a short time, and keep the best; or resume, or show that."""
    configuration.validate(config, SELECT)
    scene = set_up(config, environment.choose_device(config["device"]))
    sources = [searched(text, scene.space) for text in listed(config["from"])]
    check_devices(sources, scene.device)
    scene = replace(scene, config=config | {"label": label_of(sources)})
    origins = [[source.facts["signature"], source.facts["seed"], source.genotype] for source in sources]
    nodes = {name: config[name] for name in (*SELECT, "selection")} | {"origins": origins}
    run = open_run("select", scene, scene.name("space", "strategy", "dataset"), nodes)
    if not is_finished(run):
        data = dict(scene.dataset.fingerprint())
        with run, Progress(run.cost) as run.watch:
            begin(run, scene, data)
            chosen = choose(run, scene, sources)
            run.save(chosen.state_dict())
            best = sources[chosen.best()]
            cost = total(sources, "cost") | {"selection": run.cost()}
            facts = {"error_kind": "short training", "trials": len(sources), "selected": best.record()}
            facts["work"] = total(sources, "work") | {"selection": chosen.work}
            finish(run, scene, best.genotype, best.arch, chosen.metrics(), cost, facts)
    show(run)


def choose(run: Run, scene: Scene, sources: Sequence[Source]) -> Selection:
    """Return the selection among ``sources``, run to its end."""
    config = scene.config
    selection = Selection(
        scene.space,
        [source.genotype for source in sources],
        make(config["trainer"]),
        SearchData(scene.dataset),
        make(config["reward"]),
        scene.device,
        config["seed"],
        config["selection"]["epochs"],
        run.append,
    )
    if run.state is not None:
        selection.load_state_dict(run.state)
    selection.run(run.tick)
    return selection


def retrain(config: Config) -> None:
    """Train the architecture that ``from`` names from scratch, then test it once; or resume, or show that."""
    configuration.validate(config, RETRAIN)
    scene = set_up(config, environment.choose_device(config["device"]))
    source = find_source(scene)
    trainer = make_trainer(scene, source.genotype)
    origin = [source.facts.get("signature"), source.facts.get("seed")]  # two searches may find the same
    nodes = {name: config[name] for name in RETRAIN} | {"genotype": source.genotype, "origin": origin}
    run = open_run("retrain", scene, retrain_name(scene, source), nodes)
    if not is_finished(run):
        data = dict(scene.dataset.fingerprint())
        with run, Progress(run.cost) as run.watch:
            begin(run, scene, data)
            network, trained, metrics = train_and_test(
                scene.space,
                source.genotype,
                trainer,
                scene.dataset,
                scene.device,
                config["seed"],
                tick=run.tick,
                record=lambda line: run.append("history.jsonl", line),
                state=run.state,
            )
            run.save_weights("weights.pt", network.state_dict())
            for name, weights in trained.others.items():
                run.save_weights(f"weights.{name}.pt", weights)
            cost = source.facts.get("cost", {"search": 0.0, "selection": 0.0}) | {"retrain": run.cost()}
            facts = {"error_kind": "retrained", "weights": trained.record(), "source": source.record(), **recipe(scene)}
            facts["work"] = (source.facts.get("work") or NO_WORK) | {"retrain": work_of_training(run, scene, source)}
            finish(run, scene, source.genotype, source.arch, metrics, cost, facts)
    show(run)


def make_trainer(scene: Scene, genotype: Genotype) -> Trainer:
    """Build the trainer, or raise `RequestError` if its recipe does not fit the network, before anything is run."""
    trainer: Trainer = make(scene.config["trainer"])
    with torch.device("meta"):
        trainer.check(scene.space.build(genotype, "final"), scene.device)
    return trainer


def find_source(scene: Scene) -> Source:
    """Return what ``from`` names; a random architecture bears the signature of the space that it was drawn from."""
    text, config = required_source(scene.config), scene.config
    source = drawn(text, scene.space, Feasible(scene.space, scene.constraint, lambda arch: True), config["seed"])
    if source is None:
        return find(text, scene.space)
    nodes = {"space": {**config["space"], "search": None, "final": None}, "constraint": config["constraint"]}
    choices = {group: config["choices"][group] for group in nodes}
    known = {"signature": signature(nodes, scene.device), "choices": choices}
    return replace(source, facts={**source.facts, **known})


def work_of_training(run: Run, scene: Scene, source: Source) -> int:
    """Return the multiply-accumulates of a training that wrote a line an epoch."""
    examples = len(read_lines(run.path / "history.jsonl")) * len(scene.dataset.full())
    return PASS * examples * int(scene.space.cost(source.genotype, "macs"))


def recipe(scene: Scene) -> dict[str, str]:
    """Return name and hash of how a network is trained: trainer, data and size."""
    nodes = {name: scene.config[name] for name in ("trainer", "dataset")}
    nodes["final"] = scene.config["space"]["final"]
    return {"recipe": signature(nodes, scene.device), "recipe_name": scene.name("trainer")}


def inspect(config: Config) -> None:
    """Print what the space, or the architecture that ``from`` names, is and costs."""
    configuration.validate(config, ("space", "dataset"))
    scene = set_up(config, torch.device("cpu"))
    source = find(str(config["from"]), scene.space) if config["from"] else None
    print(inspection.inspect(scene.space, scene.dataset.task, source, config["form"], config["format"]), end="")


def check_pair(config: Config) -> None:
    """Raise `RequestError` if the estimator cannot evaluate what the strategy asks."""
    strategy, estimator = (configuration.target(config[group]) for group in ("strategy", "estimator"))
    if strategy.relaxed and not estimator.takes_relaxed:
        raise RequestError(
            f"strategy={config['choices']['strategy']} follows the gradient of a relaxed network, which "
            f"estimator={config['choices']['estimator']} does not give; "
            "choose estimator=supernet or another strategy"
        )


def check_repeats(config: Config) -> None:
    """Raise `RequestError` if ``repeats`` asks for replicas of a search that trains."""
    if config["repeats"] > 1 and not configuration.target(config["estimator"]).tabular:
        raise RequestError(
            f"repeats={config['repeats']} repeats look-ups, but estimator={config['choices']['estimator']} looks "
            "nothing up; choose estimator=table, or sweep the seed: nasctl search -m ... seed=0,1,2"
        )


def signature(nodes: Mapping[str, Any], device: torch.device) -> str:
    """Return the hash that names a run: of its settings and the device's type, the seed apart."""
    text = json.dumps([_signed(nodes), device.type], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def _signed(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _signed(value) for key, value in node.items() if key not in configuration.NOT_SIGNED}
    return node


def open_run(verb: str, scene: Scene, name: str, nodes: Mapping[str, Any]) -> Run:
    """Return the run that the settings name, or raise `RequestError` if what is there forbids it."""
    config, signed = scene.config, signature(nodes, scene.device)
    record = config | {"verb": verb, "signature": signed}
    if config["dry_run"]:
        return DryRun(record, phase=verb, device=scene.device, trials=config["budget"]["trials"])
    default = Path(config["paths"]["outputs"], verb, name, f"{signed}-s{config['seed']}")
    path = Path(config["run_dir"] or default)
    check_resume(config["resume"], path)
    run = Run(path, record, phase=PHASES.get(verb, verb), checkpoint_seconds=config["checkpoint"]["seconds"])
    run.check_config()
    return run


def check_resume(wanted: str, path: Path) -> None:
    """Raise `RequestError` if ``resume`` forbids what is on the disk."""
    there = (path / "status.json").exists()
    if wanted == "never" and there:
        raise RequestError(f"resume=never, but {path} exists; remove it, change the seed or use resume=auto")
    if wanted == "must" and not there:
        raise RequestError(f"resume=must, but {path} does not exist; check the settings or use resume=auto")


def is_finished(run: Run) -> bool:
    """Return whether there is nothing left to do; say so if other code than today's did it."""
    status = run.path / "status.json"
    if not status.exists() or json.loads(status.read_text())["status"] != "finished":
        return False
    then, now = json.loads((run.path / "environment.json").read_text())["git"], environment.git()
    if then and now and then["commit"] != now["commit"]:
        print(f"note: {run.path} was made by commit {then['commit'][:10]}, this is {now['commit'][:10]}")
    return True


def begin(run: Run, scene: Scene, data: Mapping[str, str]) -> None:
    """Fix the number of threads, to that of the run's first session, and write environment.json."""
    path = run.path / "environment.json"
    before = json.loads(path.read_text()) if run.state is not None and path.exists() else None
    torch.set_num_threads((before or scene.config)["threads"] or THREADS)
    if before and before["data"] != data:
        raise RequestError(
            f"{run.path}: the data differ from those the run began with; restore them or use another run_dir"
        )
    if run.state is not None:
        log.info("resuming from the checkpoint in %s", run.path)
    run.write("environment.json", environment.describe(scene.device, data))


def finish(
    run: Run,
    scene: Scene,
    genotype: Genotype,
    arch: Architecture | None,
    metrics: Metrics,
    cost: Mapping[str, float],
    facts: Mapping[str, Any],
) -> None:
    """Write architecture.json and result.json."""
    run.write("architecture.json", architecture_record(scene.space, genotype, arch))
    margin = scene.constraint.margin(genotype)
    result = {
        "verb": run.config["verb"],
        "signature": run.config["signature"],
        "seed": run.config["seed"],
        "error": metrics.get("reported_error", metrics.get("error")),
        **facts,
        "metrics": dict(metrics),
        "params": scene.space.cost(genotype, "params"),
        "macs": scene.space.cost(genotype, "macs"),
        **embeddings(scene, genotype),
        "ops": scene.space.num_operations,
        "space_size": scene.space.size,
        "feasible": None if margin is None else margin >= 0,
        "margin": margin,
        "cost": dict(cost),
        "device": environment.device_record(scene.device),
    }
    run.write("result.json", result)


def embeddings(scene: Scene, genotype: Genotype) -> dict[str, float]:
    """Return the weights of embeddings, which ``params`` leaves out, where the data have categories."""
    if not scene.dataset.task.categories:
        return {}
    return {"embedding_params": scene.space.cost(genotype, "embedding_params")}


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
    first = f"{choices['space']}-{choices['strategy']}" if choices.get("strategy") else Path(source.name).stem
    return f"{first}-{scene.name('dataset')}"


def show(run: Run) -> None:
    """Print a finished run's result, and after a search or selection the command that retrains it."""
    if run.config["dry_run"]:
        return  # it has printed what it measured
    path = run.path
    result = json.loads((path / "result.json").read_text())
    cost = "  ".join(f"{phase} {duration(seconds)}" for phase, seconds in result["cost"].items() if seconds)
    error = "" if result["error"] is None else f" error {result['error']:.2f} %"
    print(f"{result['error_kind']}{error}  params {result['params']:,.0f}  cost {cost}")
    print(f"run {path}")
    if result["verb"] in ("search", "select"):
        print(json.loads((path / "architecture.json").read_text())["notation"])
        print(f"next: nasctl retrain {shlex.quote(f'from={path}')}")
