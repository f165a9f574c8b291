"""Opening the run directory of a job, and writing down how it went."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from nasctl.command_line.flags import config_dirs
from nasctl.config.problem import Scene
from nasctl.config.signature import signature
from nasctl.core import Architecture, Genotype, Metrics
from nasctl.errors import RequestError
from nasctl.genotype_source import architecture_record
from nasctl.runs import Run, environment, fingerprint
from nasctl.runs.directory import is_finished as has_finished
from nasctl.runs.dry_run import DryRun
from nasctl.runs.progress import duration
from nasctl.runs.reader import RunFiles
from nasctl.terminal_text import shown, shown_lines

log = logging.getLogger("nasctl")

PHASES = {"select": "selection"}  # of the cost, where a verb's has another name
THREADS = torch.get_num_threads()  # torch's own choice, before a job of a sweep sets another


def open_run(verb: str, scene: Scene, name: str, nodes: Mapping[str, Any]) -> Run:
    """Return the run that the settings name, or raise `RequestError` if what is there forbids it."""
    config = scene.config
    timed = {} if scene.latency is None else {"resource": config["resource"]}
    signed = signature({**nodes, **timed}, scene.device)
    record = config | {"verb": verb, "signature": signed}
    if config["dry_run"]:
        return DryRun(record, phase=verb, device=scene.device, trials=config["budget"]["trials"])
    default = Path(config["paths"]["outputs"], verb, name, f"{signed}-s{config['seed']}")
    path = Path(config["run_dir"] or default)
    check_resume(config["resume"], path)
    run = Run(path, record, phase=PHASES.get(verb, verb), checkpoint_seconds=config["checkpoint"]["seconds"])
    run.check_config()
    keep_latency(run, scene)
    return run


def keep_latency(run: Run, scene: Scene) -> None:
    """Have what is measured of latency written to latency.json, and take over what is there."""
    latency, path = scene.latency, run.path / "latency.json"
    if latency is None or has_finished(path.parent):
        return
    with latency.undisturbed():  # the record names the number of threads
        device = environment.device_record(latency.device)
    there = RunFiles(run.path).optional("latency.json", {"device": device, **latency.record()})
    if there["device"] != device:
        raise RequestError(
            f"{path}: was measured on {there['device'].get('name')}, this is {device['name']}; go on there or use "
            "another run_dir"
        )

    def keep(record: Mapping[str, Any]) -> None:
        run.path.mkdir(parents=True, exist_ok=True)
        run.write("latency.json", {"device": device, **record})

    latency.load(there)
    latency.keep = keep


def check_resume(wanted: str, path: Path) -> None:
    """Raise `RequestError` if ``resume`` forbids what is on the disk."""
    there = (path / "status.json").exists()
    if wanted == "never" and there:
        raise RequestError(f"resume=never, but {path} exists; remove it, change the seed or use resume=auto")
    if wanted == "must" and not there:
        raise RequestError(f"resume=must, but {path} does not exist; check the settings or use resume=auto")


def is_finished(run: Run, data: Callable[[], Mapping[str, str]]) -> bool:
    """Return whether there is nothing left to do, or raise `RequestError` if other ``data`` than today's were used.

    Print a note if another commit did it.
    """
    run.unfinished = not has_finished(run.path)
    if run.unfinished:
        return False
    record = RunFiles(run.path).read("environment.json", "data")
    fingerprint.check_finished(run.path, record["data"], data)
    commit, now = (record.get("git") or {}).get("commit"), environment.git()
    if commit and now and commit != now["commit"]:
        print(shown(f"note: {run.path} was made by commit {str(commit)[:10]}, this is {now['commit'][:10]}"))
    return True


def begin(run: Run, scene: Scene, data: Mapping[str, str]) -> None:
    """Fix the number of threads, to that of the run's first session, and write environment.json."""
    before = None
    if run.state is not None and (files := RunFiles(run.path)).has("environment.json"):
        before = files.read("environment.json", "threads", "data")
    torch.set_num_threads((before or scene.config)["threads"] or THREADS)
    if before:
        fingerprint.check(run.path, before["data"], data, "began")
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
    timed = {} if scene.latency is None else {"latency": scene.latency.facts(genotype)}
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
        **timed,
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


def show(run: Run) -> None:
    """Print a finished run's result, and after a search or selection the command that retrains it."""
    if run.config["dry_run"]:
        return  # it has printed what it measured
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
