"""Building a search, the only place where strategy, estimator and data meet, and a trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import torch

from nasctl import walk
from nasctl.config.build import make
from nasctl.config.collaborators import check_space, trainable
from nasctl.config.configuration import Configuration
from nasctl.config.problem import Problem, build_problem
from nasctl.config.resources import Costs
from nasctl.config.settings import Config
from nasctl.core import (
    ChildStates,
    ChoosesTraining,
    Estimator,
    EstimatorContext,
    ExecutorContext,
    FixedSpace,
    Genotype,
    GivesCosts,
    KeepsChildren,
    KnownBySettings,
    LookUp,
    ProgressCallback,
    Relaxation,
    SearchSpace,
    Trainer,
    TrainsEach,
    UsesChildren,
    WeightSharing,
)
from nasctl.errors import RequestError
from nasctl.runs import Run
from nasctl.search.budget import Budget
from nasctl.search.data import SearchData
from nasctl.search.feasible import Feasible
from nasctl.search.loop import Append, Search
from nasctl.search.pending import Pending
from nasctl.search.replicas import Replicas
from nasctl.search.vectorized import Batch


def assemble(run: Run, problem: Problem, budget: Budget) -> Search | Replicas | Batch:
    """Build the search loop, or one that repeats it, replica by replica or all at once."""
    settings = problem.settings
    if settings.repeats == 1:
        return build_search(run, problem, budget, settings.seed, run.append, settings.record_every)
    if problem.configuration.plain["strategy"].get("vectorized"):
        return build_batch(run, problem, budget)
    return Replicas(
        lambda replica, append: build_search(run, problem, budget, settings.seed + replica, append, 1),
        problem.space,
        problem.constraint,
        run.append,
        seed=settings.seed,
        repeats=settings.repeats,
        curve=settings.curve,
    )


def build_batch(run: Run, problem: Problem, budget: Budget) -> Batch:
    """Build the loop in which all replicas of a search move together."""
    settings, configuration, space = problem.settings, problem.configuration, problem.space
    seeds = [settings.seed + replica for replica in range(settings.repeats)]

    def table(seed: int) -> Any:
        return configuration.make("estimator", context_of(problem, seed, run.pulse))

    if settings.pending > 1:
        raise RequestError(
            f"pending={settings.pending}: vectorized replicas are looked up together, one candidate of each at a time; "
            "set pending=1 or strategy.vectorized=false"
        )
    walk.fixed(space, "strategy.vectorized=true", "strategy.vectorized=false")
    feasible = Feasible.of(space, problem.constraint, table(settings.seed))
    strategy = make(configuration.plain["strategy"], space, feasible, seeds)
    places: dict[str, Any] = {"seed": settings.seed, "repeats": settings.repeats, "curve": settings.curve}
    parts = (strategy, table, configuration.make("reward"), problem.constraint, budget, run.append)
    return Batch(cast(FixedSpace, space), *parts, **places)


def build_search(run: Run, problem: Problem, budget: Budget, seed: int, append: Append, record_every: int) -> Search:
    """Build one search loop."""
    configuration, space, constraint = problem.configuration, problem.space, problem.constraint
    check_rows(configuration, space)
    run.children.wanted = issubclass(configuration.kind("strategy"), UsesChildren)
    estimator = configuration.make("estimator", context_of(problem, seed, run.pulse, run.children))
    check_training(space, estimator)
    strategy = configuration.make("strategy", space, Feasible.of(space, constraint, estimator), seed)
    reward, pending = configuration.make("reward"), pending_of(problem, estimator, seed, run.children)
    resources = tuple(dict.fromkeys(name for part in (reward, constraint, strategy) for name in part.resources))
    parts = (space, strategy, estimator, pending, reward, budget, append)
    return Search(*parts, resources=resources, record_every=record_every)


def pending_of(problem: Problem, estimator: Estimator, seed: int, children: ChildStates) -> Pending:
    """Return what hands the candidates of a search to its executor."""
    configuration, settings = problem.configuration, problem.settings
    build = partial(build_estimator, configuration.plain, str(problem.device), seed, children)
    executor = configuration.make("executor", ExecutorContext(estimator, build))
    return Pending(executor, limit=settings.pending, ordered=settings.ordered)


def build_estimator(
    config: Config, device: str, seed: int | None = None, children: ChildStates | None = None
) -> Estimator:
    """Build the estimator of a search from plain data, as in a process that an executor starts."""
    configuration = Configuration(config)
    problem = build_problem(configuration, torch.device(device), costs_of(configuration))
    context = context_of(problem, problem.settings.seed if seed is None else seed, children=children)
    estimator: Estimator = configuration.make("estimator", context)
    return estimator


def context_of(
    problem: Problem,
    seed: int,
    report: ProgressCallback = lambda shown: None,
    children: ChildStates | None = None,
) -> EstimatorContext:
    """Return the collaborators of an estimator."""
    return EstimatorContext(problem.space, SearchData(problem.dataset), problem.device, seed, report, children)


def fingerprint(problem: Problem, place: str = "estimator") -> Mapping[str, str]:
    """Return the hashes of what an estimator reads; one is built only where its class cannot tell."""
    node, kind = problem.configuration.plain[place], problem.configuration.kind(place)
    if issubclass(kind, KnownBySettings):
        found: Mapping[str, str] = kind.reads(node, SearchData(problem.dataset))
        return found
    estimator: Estimator = make(node, context_of(problem, problem.settings.seed))
    return estimator.fingerprint()


def costs_of(configuration: Configuration, place: str = "estimator") -> Callable[[SearchSpace], Costs]:
    """Return what gives the costs that an estimator's table has for a space."""
    kind = configuration.kind(place)
    if not issubclass(kind, GivesCosts):
        return lambda space: {}
    return lambda space: kind.costs(configuration.plain[place], space)


def references(problem: Problem) -> list[Estimator]:
    """Return the estimators that ``against`` stands for: of a table, one a training seed if none is singled out."""
    context = context_of(problem, problem.settings.seed)
    return [make(node, context) for node in _columns(problem.configuration.plain["against"])]


def _columns(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if node.get("searched", 0) is not None:
        return [node]
    return [{**node, "searched": i} for i in range(len(node["accuracy"]))]


def check_pair(configuration: Configuration) -> None:
    """Raise `RequestError` if the estimator cannot evaluate what the strategy asks."""
    choices = configuration.choices
    strategy, estimator = configuration.kind("strategy"), configuration.kind("estimator")
    if strategy.relaxed and not estimator.takes_relaxed:
        raise RequestError(
            f"strategy={choices['strategy']} follows the gradient of a relaxed network, which "
            f"estimator={choices['estimator']} does not give; "
            "choose estimator=supernet or another strategy"
        )
    if issubclass(strategy, UsesChildren) and not issubclass(estimator, KeepsChildren):
        raise RequestError(
            f"strategy={choices['strategy']} goes on from the trainings of earlier trials, which "
            f"estimator={choices['estimator']} does not keep; choose estimator=from_scratch"
        )
    if configuration.training_choices and not issubclass(estimator, TrainsEach):
        raise RequestError(
            f"training_choices: estimator={choices['estimator']} trains no candidate on its own; choose "
            "estimator=from_scratch"
        )


def check_training(space: SearchSpace, estimator: Estimator) -> None:
    """Raise `RequestError` for training choices that the estimator's trainer does not take."""
    if not isinstance(space, ChoosesTraining) or not isinstance(estimator, TrainsEach):
        return
    for settings in space.trainings():
        try:
            estimator.trainer_with(settings)
        except RequestError as error:
            raise RequestError(f"training_choices={settings}: {error}") from error


def check_rows(configuration: Configuration, space: SearchSpace) -> None:
    """Raise `RequestError` if the space cannot do what strategy or estimator ask of it."""
    choices = configuration.choices
    if configuration.kind("strategy").relaxed and not isinstance(space, Relaxation):
        raise RequestError(
            f"strategy={choices['strategy']} follows the gradient of a relaxed network, but "
            f"space={choices['space']} cannot be relaxed; choose a strategy that samples, as enas or "
            "random_search, or another space"
        )
    for group in ("strategy", "estimator"):
        check_space(f"{group}={choices[group]}", configuration.kind(group), choices["space"], space)


def check_repeats(configuration: Configuration) -> None:
    """Raise `RequestError` if ``repeats`` asks for replicas of a search that trains."""
    repeats = configuration.settings.repeats
    if repeats > 1 and not issubclass(configuration.kind("estimator"), LookUp):
        raise RequestError(
            f"repeats={repeats} repeats look-ups, but estimator={configuration.choices['estimator']} looks "
            "nothing up; choose estimator=table, or sweep the seed: nasctl search -m ... seed=0,1,2"
        )


def check_pending(configuration: Configuration) -> None:
    """Raise `RequestError` if several candidates are to be pending of a search that takes one at a time."""
    pending, choices = configuration.settings.pending, configuration.choices
    if pending == 1:
        return
    if configuration.kind("strategy").relaxed:
        raise RequestError(
            f"pending={pending}: strategy={choices['strategy']} follows the gradient of each candidate's loss before "
            "it asks again; set pending=1"
        )
    if issubclass(configuration.kind("estimator"), WeightSharing):
        raise RequestError(
            f"pending={pending}: estimator={choices['estimator']} scores each candidate with the shared weights of its "
            "turn, one at a time; set pending=1 or choose estimator=from_scratch"
        )


def make_trainer(problem: Problem, genotype: Genotype) -> Trainer:
    """Build the trainer, or raise `RequestError` if its recipe does not fit the network, before anything is run."""
    trainer: Trainer = problem.configuration.make("trainer")
    with torch.device("meta"):
        trainer.check(trainable(problem.space).build(genotype, "final"), problem.device)
    return trainer
