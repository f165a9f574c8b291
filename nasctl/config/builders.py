"""Building a search, the only place where strategy, estimator and data meet, and a trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import torch

from nasctl import walk
from nasctl.config.build import make, target
from nasctl.config.conformity import conforming
from nasctl.config.problem import Scene
from nasctl.config.settings import Config
from nasctl.config.table_costs import Costs
from nasctl.core import (
    Estimator,
    EstimatorContext,
    FixedSpace,
    Genotype,
    GivesCosts,
    KnownBySettings,
    LookUp,
    Relaxation,
    SearchSpace,
    Trainer,
)
from nasctl.errors import RequestError
from nasctl.runs import Run
from nasctl.search.loop import Append, Budget, Feasible, Search, SearchData
from nasctl.search.replicas import Replicas
from nasctl.search.vectorized import Batch


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
        return make(config["estimator"], EstimatorContext(space, data, scene.device, seed, run.pulse))

    walk.fixed(space, "strategy.batched=true", "strategy.batched=false")
    feasible = Feasible.of(space, scene.constraint, build_estimator(config["seed"]))
    strategy = make(config["strategy"], space, feasible, seeds)
    places = {name: config[name] for name in ("seed", "repeats", "curve")}
    parts = (strategy, build_estimator, make(config["reward"]), scene.constraint, budget, run.append)
    return Batch(cast(FixedSpace, space), *parts, **places)


def build_search(run: Run, scene: Scene, budget: Budget, seed: int, append: Append, record_every: int) -> Search:
    """Build one search loop."""
    config, space = scene.config, scene.space
    check_rows(config, space)
    context = EstimatorContext(space, SearchData(scene.dataset), scene.device, seed, run.pulse)
    estimator = conforming(make(config["estimator"], context), "estimator")
    feasible = Feasible.of(space, scene.constraint, estimator)
    strategy = conforming(make(config["strategy"], space, feasible, seed), "strategy")
    reward = conforming(make(config["reward"]), "reward")
    return Search(space, strategy, estimator, reward, budget, append, record_every)


def fingerprint(scene: Scene) -> Mapping[str, str]:
    """Return the hashes of what a search reads; an estimator is built only where its class cannot tell."""
    node, data = scene.config["estimator"], SearchData(scene.dataset)
    kind = target(node)
    if issubclass(kind, KnownBySettings):
        return kind.reads(node, data)
    context = EstimatorContext(scene.space, data, scene.device, scene.config["seed"], lambda shown: None)
    estimator: Estimator = make(node, context)
    return estimator.fingerprint()


def costs_of(config: Config) -> Callable[[SearchSpace], Costs]:
    """Return what gives the costs that the estimator's table has for a space."""
    kind = target(config["estimator"])
    if not issubclass(kind, GivesCosts):
        return lambda space: {}
    return lambda space: kind.costs(config["estimator"], space)


def check_pair(config: Config) -> None:
    """Raise `RequestError` if the estimator cannot evaluate what the strategy asks."""
    strategy, estimator = (target(config[group]) for group in ("strategy", "estimator"))
    if strategy.relaxed and not estimator.takes_relaxed:
        raise RequestError(
            f"strategy={config['choices']['strategy']} follows the gradient of a relaxed network, which "
            f"estimator={config['choices']['estimator']} does not give; "
            "choose estimator=supernet or another strategy"
        )


def check_rows(config: Config, space: SearchSpace) -> None:
    """Raise `RequestError` if the strategy mixes the options of a space that cannot be relaxed."""
    if target(config["strategy"]).relaxed and not isinstance(space, Relaxation):
        raise RequestError(
            f"strategy={config['choices']['strategy']} follows the gradient of a relaxed network, but "
            f"space={config['choices']['space']} cannot be relaxed; choose a strategy that samples, as enas or "
            "random_search, or another space"
        )


def check_repeats(config: Config) -> None:
    """Raise `RequestError` if ``repeats`` asks for replicas of a search that trains."""
    if config["repeats"] > 1 and not issubclass(target(config["estimator"]), LookUp):
        raise RequestError(
            f"repeats={config['repeats']} repeats look-ups, but estimator={config['choices']['estimator']} looks "
            "nothing up; choose estimator=table, or sweep the seed: nasctl search -m ... seed=0,1,2"
        )


def make_trainer(scene: Scene, genotype: Genotype) -> Trainer:
    """Build the trainer, or raise `RequestError` if its recipe does not fit the network, before anything is run."""
    trainer: Trainer = make(scene.config["trainer"])
    with torch.device("meta"):
        trainer.check(scene.space.build(genotype, "final"), scene.device)
    return trainer
