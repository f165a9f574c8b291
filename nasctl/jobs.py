"""One job of each verb: from a plain configuration to a finished run directory."""

from __future__ import annotations

import hashlib
import json
import logging
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nasctl import config as configuration
from nasctl import environment, inspection
from nasctl.config import Config, make
from nasctl.core import Architecture, Constraint, Dataset, Genotype, Metrics, RequestError, SearchSpace
from nasctl.files import read_lines
from nasctl.progress import Progress, duration
from nasctl.retrain import retrain as train_and_test
from nasctl.runs import Run
from nasctl.search import Budget, Feasible, Search, SearchData
from nasctl.source import Source, architecture_record, find

log = logging.getLogger("nasctl")

SEARCH = ("space", "strategy", "estimator", "dataset", "reward", "constraint")
RETRAIN = ("space", "dataset", "trainer", "constraint")
THREADS = torch.get_num_threads()  # torch's own choice, before a job of a sweep sets another
NOT_SIGNED = ("download", "workers")  # settings of a group that do not touch results


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
    budget = read_budget(config)
    scene = set_up(config, environment.choose_device(config["device"]))
    nodes = {name: config[name] for name in (*SEARCH, "budget", "record_every")}
    run = open_run("search", scene, scene.name("space", "strategy", "dataset"), nodes)
    if not is_finished(run):
        data = dict(scene.dataset.fingerprint())
        with run, Progress(run.cost) as run.watch:
            begin(run, scene, data)
            run.write("decisions.json", {d.name: list(d.options) for d in scene.space.decisions})
            loop = assemble(run, scene, budget)
            if run.state is not None:
                loop.load_state_dict(run.state)
            loop.run(run.tick)
            run.save(loop.state_dict())
            arch = loop.strategy.derive()
            metrics = loop.score(arch, read_lines(run.path / "trials.jsonl"))
            cost = {"search": run.cost(), "selection": 0.0, "retrain": 0.0}
            facts = {"error_kind": loop.estimator.error_kind, "trials": loop.trials}
            finish(run, scene, scene.space.genotype(arch), arch, metrics, cost, facts)
    show(run.path)


def assemble(run: Run, scene: Scene, budget: Budget) -> Search:
    """Build the search loop; only here do strategy, estimator and data meet."""
    config, space = scene.config, scene.space
    strategy = make(config["strategy"], space, Feasible(space, scene.constraint), config["seed"])
    data = SearchData(scene.dataset)
    estimator = make(config["estimator"], space, data, scene.device, config["seed"], run.pulse)
    return Search(space, strategy, estimator, make(config["reward"]), budget, run.append, config["record_every"])


def retrain(config: Config) -> None:
    """Train the architecture that ``from`` names from scratch, then test it once; or resume, or show that."""
    configuration.validate(config, RETRAIN)
    scene = set_up(config, environment.choose_device(config["device"]))
    source = find(required_source(config), scene.space)
    origin = [source.facts.get("signature"), source.facts.get("seed")]  # two searches may find the same
    nodes = {name: config[name] for name in RETRAIN} | {"genotype": source.genotype, "origin": origin}
    run = open_run("retrain", scene, retrain_name(scene, source), nodes)
    if not is_finished(run):
        data = dict(scene.dataset.fingerprint())
        with run, Progress(run.cost) as run.watch:
            begin(run, scene, data)
            network, metrics = train_and_test(
                scene.space,
                source.genotype,
                make(config["trainer"]),
                scene.dataset,
                scene.device,
                config["seed"],
                tick=run.tick,
                record=lambda line: run.append("history.jsonl", line),
                state=run.state,
            )
            run.save_weights(network.state_dict())
            earlier = source.facts.get("cost", {"search": 0.0, "selection": 0.0})
            cost = {**earlier, "retrain": run.cost()}
            facts = {"error_kind": "retrained", "source": source.record(), **recipe(scene)}
            finish(run, scene, source.genotype, source.arch, metrics, cost, facts)
    show(run.path)


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


def read_budget(config: Config) -> Budget:
    """Return the budget, or raise `RequestError` if it never ends a search."""
    budget = Budget(**configuration.convert(config["budget"], Budget, "budget"))
    shared = configuration.target(config["estimator"]).takes_relaxed
    if budget.trials is None and (budget.epochs is None or not shared):
        raise RequestError(
            f"budget: nothing ends a search with estimator={config['choices']['estimator']}; "
            f"set budget.trials{' or budget.epochs' if shared else ''}"
        )
    return budget


def signature(nodes: Mapping[str, Any], device: torch.device) -> str:
    """Return the hash that names a run: of its settings and the device's type, the seed apart."""
    text = json.dumps([_signed(nodes), device.type], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def _signed(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _signed(value) for key, value in node.items() if key not in NOT_SIGNED}
    return node


def open_run(verb: str, scene: Scene, name: str, nodes: Mapping[str, Any]) -> Run:
    """Return the run that the settings name, or raise `RequestError` if what is there forbids it."""
    config, signed = scene.config, signature(nodes, scene.device)
    default = Path(config["paths"]["outputs"], verb, name, f"{signed}-s{config['seed']}")
    path = Path(config["run_dir"] or default)
    check_resume(config["resume"], path)
    record = config | {"verb": verb, "signature": signed}
    run = Run(path, record, phase=verb, checkpoint_seconds=config["checkpoint"]["seconds"])
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
        "error": metrics["error"],
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
    choices = source.facts.get("choices")
    first = f"{choices['space']}-{choices['strategy']}" if choices else Path(source.name).stem
    return f"{first}-{scene.name('dataset')}"


def show(path: Path) -> None:
    """Print a finished run's result, and after a search the command that retrains what it found."""
    result = json.loads((path / "result.json").read_text())
    cost = "  ".join(f"{phase} {duration(seconds)}" for phase, seconds in result["cost"].items() if seconds)
    print(f"{result['error_kind']} error {result['error']:.2f} %  params {result['params']:,.0f}  cost {cost}")
    print(f"run {path}")
    if result["verb"] == "search":
        print(json.loads((path / "architecture.json").read_text())["notation"])
        print(f"next: nasctl retrain {shlex.quote(f'from={path}')}")
