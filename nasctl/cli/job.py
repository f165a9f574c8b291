"""The life of a recorded job, the same for every verb: find its run, skip, lock, restore, run, write, show.

A verb declares what it is in a class of its own, `Job`; what it found writes itself into the run's directory.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from nasctl.config.problem import Problem
from nasctl.config.signature import nodes_of_resources, signature
from nasctl.core import Measured, State, StepCallback
from nasctl.errors import RequestError
from nasctl.runs import Run, environment, fingerprint, schema
from nasctl.runs.directory import is_finished as has_finished
from nasctl.runs.dry_run import DryRun
from nasctl.runs.progress import Progress
from nasctl.runs.reader import RunFiles
from nasctl.terminal_text import shown

log = logging.getLogger("nasctl")

PHASES = {"select": "selection"}  # of the cost, where a verb's has another name
THREADS = torch.get_num_threads()  # torch's own choice, before a job of a sweep sets another


class Job(Protocol):
    """What a verb declares of one of its jobs; its constructor refuses settings that do not fit."""

    @property
    def verb(self) -> str: ...
    @property
    def problem(self) -> Problem: ...
    @property
    def name(self) -> str:
        """Return the name of the folder that holds the run."""

    @property
    def signed(self) -> Mapping[str, Any]:
        """Return the settings and origins that name the run, the seed apart."""

    def data(self) -> Mapping[str, str]:
        """Return the hashes of what the job reads."""

    def prepare(self, run: Run) -> Callable[[], None]:
        """Build everything, and return what is to be done in the run; what cannot work is refused before that."""

    def show(self, run: Run) -> None:
        """Print what a finished run found."""


class Loop(Protocol):
    """What runs step by step and goes on from a state."""

    def run(self, tick: StepCallback) -> None: ...
    def state_dict(self) -> State: ...
    def load_state_dict(self, state: State) -> None: ...


def conduct(job: Job) -> None:
    """Do a job, go on with it, or show what it found."""
    run = open_run(job)
    if not is_finished(run, job.data):
        work = job.prepare(run)
        data = dict(job.data())
        with run, Progress(run.cost) as run.watch:
            begin(run, job.problem, data)
            work()
    if not job.problem.settings.dry_run:  # which has printed what it measured
        job.show(run)


def go_through(run: Run, loop: Loop) -> None:
    """Run a loop from where the last checkpoint left it to its end, and save that."""
    run.restore(loop)
    loop.run(run.tick)
    run.save(loop.state_dict())


def open_run(job: Job) -> Run:
    """Return the run that the settings name, or raise `RequestError` if what is there forbids it."""
    verb, problem = job.verb, job.problem
    settings, configuration = problem.settings, problem.configuration
    signed = signature({**job.signed, **nodes_of_resources(problem)}, problem.device)
    record = configuration.plain | {"verb": verb, "signature": signed}
    if settings.dry_run:
        return DryRun(record, phase=verb, device=problem.device, trials=configuration.trials)
    default = Path(settings.paths.outputs, verb, job.name, f"{signed}-s{settings.seed}")
    path = Path(settings.run_dir or default)
    check_resume(settings.resume, path)
    run = Run(path, record, phase=PHASES.get(verb, verb), checkpoint_seconds=settings.checkpoint.seconds)
    run.check_config()
    for name, resource in problem.resources.items():
        if isinstance(resource, Measured):
            keep_measured(run, name, resource)
    return run


def keep_measured(run: Run, name: str, resource: Measured) -> None:
    """Have what is measured of a resource written to a file of its name, and take over what is there."""
    path = run.path / f"{name}.json"
    if path.name in schema.FILES.keys() - schema.MEASURED.keys():
        raise RequestError(f"resource: {name}, which is measured, bears the name of a run's file; give it another name")
    if has_finished(path.parent):
        return
    with resource.undisturbed():  # the record names the number of threads
        device = environment.device_record(resource.device)
    there = RunFiles(run.path).optional(path.name, {"device": device, **resource.record()})
    if there["device"] != device:
        raise RequestError(
            f"{path}: was measured on {there['device'].get('name')}, this is {device['name']}; go on there or use "
            "another run_dir"
        )

    def keep(record: Mapping[str, Any]) -> None:
        run.path.mkdir(parents=True, exist_ok=True)
        run.write(path.name, {"device": device, **record})

    resource.load(there)
    resource.keep = keep


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
    if not run.is_finished():
        return False
    record = RunFiles(run.path).read("environment.json", "data")
    fingerprint.check_finished(run.path, record["data"], data)
    commit, now = (record.get("git") or {}).get("commit"), environment.git()
    if commit and now and commit != now["commit"]:
        print(shown(f"note: {run.path} was made by commit {str(commit)[:10]}, this is {now['commit'][:10]}"))
    return True


def begin(run: Run, problem: Problem, data: Mapping[str, str]) -> None:
    """Fix the number of threads, to that of the run's first session, and write environment.json."""
    before = None
    if run.state is not None and (files := RunFiles(run.path)).has("environment.json"):
        before = files.read("environment.json", "threads", "data")
    threads = before["threads"] if before else problem.settings.threads
    torch.set_num_threads(threads or THREADS)
    if before:
        fingerprint.check(run.path, before["data"], data, "began")
    if run.state is not None:
        log.info("resuming from the checkpoint in %s", run.path)
    run.write("environment.json", environment.describe(problem.device, data))
