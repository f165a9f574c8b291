"""The verb search: look for an architecture under a budget."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cached_property

from nasctl.cli.job import conduct, go_through
from nasctl.cli.outcome import NO_CPU, NO_WORK, Found, show
from nasctl.config import budget
from nasctl.config.builders import assemble, check_pair, check_pending, check_repeats, costs_of, fingerprint
from nasctl.config.configuration import Configuration
from nasctl.config.problem import build_problem
from nasctl.config.settings import Config
from nasctl.config.signature import signature
from nasctl.core import ChoosesTraining, FixedChoices
from nasctl.errors import RequestError
from nasctl.runs import Run, environment
from nasctl.runs.reader import RunFiles
from nasctl.search.loop import Search
from nasctl.search.replicas import Replicas
from nasctl.search.vectorized import Batch

log = logging.getLogger("nasctl")

GROUPS = ("space", "strategy", "estimator", "dataset", "reward", "constraint")


def search(config: Config) -> None:
    """Run, resume or show the search that ``config`` describes."""
    conduct(SearchJob(Configuration(config)))


class SearchJob:
    """A search, or several of one method with seeds that follow each other."""

    verb = "search"

    def __init__(self, given: Configuration) -> None:
        check_no_source(given)
        given.check(*GROUPS, "resource", "executor")
        check_pair(given)
        check_repeats(given)
        check_pending(given)
        self.budget = budget.read(given)
        configuration = budget.with_budget(given, self.budget)
        device = environment.choose_device(configuration.settings.device)
        self.problem = build_problem(configuration, device, costs_of(configuration))
        self.name = configuration.name("space", "strategy", "dataset")
        repeated = ("repeats", "curve") if configuration.settings.repeats > 1 else ()
        choices = ("training_choices",) if configuration.training_choices else ()
        several = ("pending", "ordered") if configuration.settings.pending > 1 else ()
        nodes = configuration.nodes(*GROUPS, "record_every", *repeated, *choices, *several)
        self.signed = nodes | {"budget": asdict(self.budget)}
        self.loop: Search | Replicas | Batch | None = None

    def data(self) -> Mapping[str, str]:
        """Return the hashes of what the estimator reads."""
        return fingerprint(self.problem) if self.loop is None else self.loop.estimator.fingerprint()

    @cached_property
    def method(self) -> str | None:
        """Return the hash of the run's method with that of the run ``budget.like`` in place of its work."""
        like = budget.liked(self.problem.configuration)
        return None if like is None else signature({**self.signed, "budget": {"like": like}}, self.problem.device)

    def prepare(self, run: Run) -> Callable[[], None]:
        """Build the loop; a run ``budget.like`` is read before that."""
        method = self.method or run.config["signature"]
        self.loop = loop = assemble(run, self.problem, self.budget)
        return lambda: self._search(run, loop, method)

    def _search(self, run: Run, loop: Search | Replicas | Batch, method: str) -> None:
        space, constraint = self.problem.space, self.problem.constraint
        if isinstance(space, FixedChoices):
            run.write("decisions.json", {d.name: list(d.options) for d in space.decisions})
        if remark := constraint.remark():
            log.warning(remark)
        go_through(run, loop)
        if not remark and (late := constraint.remark()):
            log.warning(late)
        found = loop.found(lambda name: list(RunFiles(run.path).lines(name)))
        Found(
            space.genotype(found.arch),
            found.arch,
            found.metrics,
            cost={"search": run.cost(), "selection": 0.0, "retrain": 0.0},
            work=NO_WORK | {"search": loop.work},
            cpu_seconds=NO_CPU | {"search": run.cpu_cost()},
            facts={**found.facts, "method": method, "budget": asdict(self.budget)},
            training=space.training(found.arch) if isinstance(space, ChoosesTraining) else None,
        ).write(run, self.problem)

    def show(self, run: Run) -> None:
        show(run)


def check_no_source(configuration: Configuration) -> None:
    """Raise `RequestError` if the search is given an architecture to start from."""
    if configuration.sources:
        raise RequestError(
            f"from={configuration.source}: a search starts from no architecture; leave it out, or retrain, inspect or "
            "select what it names"
        )
