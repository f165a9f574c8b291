"""One job of each verb: from a plain configuration to a finished run directory."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from nasctl import config as configuration
from nasctl import environment, inspection
from nasctl.config import Config, make
from nasctl.core import Constraint, Genotype, RequestError, SearchSpace, State
from nasctl.progress import Progress, duration
from nasctl.retrain import retrain as train_and_test
from nasctl.runs import Run, read_lines
from nasctl.search import Budget, Feasible, Search, SearchData
from nasctl.source import Source, architecture_record, find

log = logging.getLogger("nasctl")

SEARCH = ("space", "strategy", "estimator", "dataset", "reward", "constraint")
RETRAIN = ("space", "dataset", "trainer", "constraint")
NOT_SIGNED = ("download",)  # settings of a group that say where data come from, not what they are


def search(config: Config) -> None:
    """Run, resume or show the search that ``config`` describes."""
    configuration.validate(config, SEARCH)
    check_pair(config)
    budget = read_budget(config)
    device = environment.choose_device(config["device"])
    nodes = {name: config[name] for name in (*SEARCH, "budget", "record_every")}
    names = [config["choices"][group] for group in ("space", "strategy", "dataset")]
    run = open_run("search", config, "-".join(names), signature(nodes, device))
    if run is None:
        return
    dataset = make(config["dataset"], Path(config["paths"]["data"]), device, config["seed"])
    space = make(config["space"], dataset.task)
    constraint = make(config["constraint"], space)
    with run, Progress(run.cost) as run.watch:
        write_environment(run, device, dataset.fingerprint())
        strategy = make(config["strategy"], space, Feasible(space, constraint), config["seed"])
        data = SearchData(dataset)
        estimator = make(config["estimator"], space, data, device, config["seed"], run.pulse)
        reward = make(config["reward"])
        loop = Search(space, strategy, estimator, reward, budget, run.append, config["record_every"])
        resume(run, loop.load_state_dict)
        loop.run(run.tick)
        run.save(loop.state_dict())
        arch = strategy.derive()
        genotype = space.genotype(arch)
        metrics = loop.score(arch, read_lines(run.path / "trials.jsonl"))
        run.write("architecture.json", architecture_record(space, genotype, arch))
        facts = {"signature": run.config["signature"], **facts_of(config, space, genotype, constraint)}
        found = {"error": metrics["error"], "error_kind": estimator.error_kind, "metrics": dict(metrics)}
        cost = {"search": run.cost(), "selection": 0.0, "retrain": 0.0}
        device_facts = {"cost": cost, "device": environment.device_record(device), "trials": loop.trials}
        run.write("result.json", {"verb": "search", **facts, **found, **device_facts})
    show(run.path)


def retrain(config: Config) -> None:
    """Train the architecture that ``from`` names from scratch, then test it once; or resume, or show that."""
    configuration.validate(config, RETRAIN)
    device = environment.choose_device(config["device"])
    dataset = make(config["dataset"], Path(config["paths"]["data"]), device, config["seed"])
    space = make(config["space"], dataset.task)
    source = find(required_source(config), space)
    nodes = {name: config[name] for name in RETRAIN} | {"genotype": source.genotype}
    run = open_run("retrain", config, retrain_name(config, source), signature(nodes, device))
    if run is None:
        return
    constraint = make(config["constraint"], space)
    with run, Progress(run.cost) as run.watch:
        write_environment(run, device, dataset.fingerprint())
        state = resume(run, lambda state: None)
        network, metrics = train_and_test(
            space,
            source.genotype,
            make(config["trainer"]),
            dataset,
            device,
            config["seed"],
            tick=run.tick,
            record=lambda line: run.append("history.jsonl", line),
            state=state,
        )
        run.save_weights(network.state_dict())
        run.write("architecture.json", architecture_record(space, source.genotype, source.arch))
        earlier = source.facts.get("cost", {"search": 0.0, "selection": 0.0})
        cost = {"search": earlier["search"], "selection": earlier["selection"], "retrain": run.cost()}
        recipe = signature({"trainer": config["trainer"], "dataset": config["dataset"], "final": config["space"]["final"]}, device)
        found = {"error": metrics["error"], "error_kind": "retrained", "metrics": dict(metrics)}
        run.write(
            "result.json",
            {
                "verb": "retrain",
                "signature": run.config["signature"],
                **facts_of(config, space, source.genotype, constraint),
                **found,
                "recipe": recipe,
                "recipe_name": config["choices"]["trainer"],
                "source": source.record(),
                "cost": cost,
                "device": environment.device_record(device),
            },
        )
    show(run.path)


def check_pair(config: Config) -> None:
    """Raise `RequestError` if the estimator cannot evaluate what the strategy asks."""
    strategy, estimator = (configuration.target(config[group]) for group in ("strategy", "estimator"))
    if strategy.relaxed and not estimator.takes_relaxed:
        raise RequestError(
            f"strategy={config['choices']['strategy']} follows the gradient of a relaxed network, which "
            f"estimator={config['choices']['estimator']} does not give; choose estimator=supernet or another strategy"
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


def open_run(verb: str, config: Config, name: str, signed: str) -> Run | None:
    """Return the run to work on; None, after showing it, if it is finished already."""
    path = Path(config["run_dir"] or Path(config["paths"]["outputs"], verb, name, f"{signed}-s{config['seed']}"))
    there = (path / "status.json").exists()
    if config["resume"] not in ("auto", "never", "must"):
        raise RequestError(f"resume={config['resume']}: unknown; choose auto, never or must")
    if config["resume"] == "never" and there:
        raise RequestError(f"resume=never, but {path} exists; remove it, change the seed or use resume=auto")
    if config["resume"] == "must" and not there:
        raise RequestError(f"resume=must, but {path} does not exist; check the settings or use resume=auto")
    record = config | {"verb": verb, "signature": signed}
    run = Run(path, record, phase=verb, checkpoint_seconds=config["checkpoint"]["seconds"])
    run.check_config()
    if there and json.loads((path / "status.json").read_text())["status"] == "finished":
        warn_of_other_code(path)
        show(path)
        return None
    return run


def warn_of_other_code(path: Path) -> None:
    """Say so if a finished run was made by another commit than today's."""
    then, now = json.loads((path / "environment.json").read_text())["git"], environment.git()
    if then and now and then["commit"] != now["commit"]:
        print(f"note: {path} was made by commit {then['commit'][:10]}, this is {now['commit'][:10]}")


def write_environment(run: Run, device: torch.device, data: Mapping[str, str]) -> None:
    """Fix the number of threads, to that of a run's first session, and write environment.json."""
    path = run.path / "environment.json"
    before = json.loads(path.read_text()) if run.state is not None and path.exists() else None
    threads = before["threads"] if before else run.config["threads"]
    if threads is not None:
        torch.set_num_threads(threads)
    if before and before["data"] != dict(data):
        raise RequestError(f"{run.path}: the data differ from those the run began with; restore them or use another run_dir")
    run.write("environment.json", environment.describe(device, data))


def resume(run: Run, load: Callable[[State], None]) -> State | None:
    """Load the run's checkpoint, if there is one, and say so."""
    if run.state is not None:
        log.info("resuming from the checkpoint in %s", run.path)
        load(run.state)
    return run.state


def facts_of(config: Config, space: SearchSpace, genotype: Genotype, constraint: Constraint) -> dict[str, Any]:
    """Return what result.json says of a genotype whatever was done with it."""
    margin = constraint.margin(genotype)
    return {
        "seed": config["seed"],
        "params": space.cost(genotype, "params"),
        "macs": space.cost(genotype, "macs"),
        "ops": space.num_operations,
        "space_size": space.size,
        "feasible": None if margin is None else margin >= 0,
        "margin": margin,
    }


def required_source(config: Config) -> str:
    """Return the ``from`` setting, or raise `RequestError`."""
    if not config["from"]:
        raise RequestError("from: nothing to start from; add from=RUN_DIRECTORY, from=FILE.json or a name such as from=DARTS_V2")
    return str(config["from"])


def retrain_name(config: Config, source: Source) -> str:
    """Return the name of a retrain's folder: the genotype's, or that of the search it came from."""
    choices = source.facts.get("choices")
    first = f"{choices['space']}-{choices['strategy']}" if choices else Path(source.name).stem
    return f"{first}-{config['choices']['dataset']}"


def show(path: Path) -> None:
    """Print a finished run's result, and after a search the command that retrains what it found."""
    result = json.loads((path / "result.json").read_text())
    cost = "  ".join(f"{phase} {duration(seconds)}" for phase, seconds in result["cost"].items() if seconds)
    print(f"{result['error_kind']} error {result['error']:.2f} %  params {result['params']:,.0f}  cost {cost}")
    print(f"run {path}")
    if result["verb"] == "search":
        print(json.loads((path / "architecture.json").read_text())["notation"])
        print(f"next: nasctl retrain from={path}")


def inspect(config: Config) -> None:
    """Print what the space, or the architecture that ``from`` names, is and costs."""
    configuration.validate(config, ("space", "dataset"))
    dataset = make(config["dataset"], Path(config["paths"]["data"]), torch.device("cpu"), config["seed"])
    space = make(config["space"], dataset.task)
    source = find(str(config["from"]), space) if config["from"] else None
    print(inspection.inspect(space, dataset.task, source, config["form"], config["format"]), end="")
