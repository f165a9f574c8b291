"""What a search may spend: limits given as numbers, or the work of another run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nasctl.config.build import convert
from nasctl.config.configuration import Configuration
from nasctl.config.settings import Config
from nasctl.config.signature import NOT_SIGNED, OF_SEARCH, without
from nasctl.core import LookUp, WeightSharing
from nasctl.errors import RequestError
from nasctl.runs import difference
from nasctl.runs.reader import finished, phases
from nasctl.search.budget import Budget

COMPARED = ("space", "dataset")  # what two searches of equal work must share
PHASES = ("search", "selection")  # of a run's work, that another search is given


def read(configuration: Configuration) -> Budget:
    """Return the budget, or raise `RequestError` if it never ends a search."""
    config = configuration.plain
    limits = {name: value for name, value in config["budget"].items() if name != "like"}
    if config["budget"]["like"] is not None:
        limits = dict.fromkeys(limits) | {"work": work_of(config)}
    budget = Budget(**convert(limits, Budget, "budget"))
    check_end(budget, configuration)
    check_warmup(budget, (config["estimator"].get("schedule") or {}).get("warmup_epochs") or 0)
    return budget


def check_end(budget: Budget, configuration: Configuration) -> None:
    """Raise `RequestError` if no limit of ``budget`` is one that the estimator reaches."""
    kind = configuration.kind("estimator")
    shares, looks_up = issubclass(kind, WeightSharing), issubclass(kind, LookUp)
    ends = {"trials": True, "turns": True, "epochs": shares, "work": not looks_up}
    if all(getattr(budget, name) is None for name, counts in ends.items() if counts):
        known = [f"budget.{name}" for name, counts in ends.items() if counts and name != "turns"]
        raise RequestError(
            f"budget: nothing ends a search with estimator={configuration.choices['estimator']}; "
            f"set {', '.join(known[:-1])}{' or ' if known[:-1] else ''}{known[-1]}"
        )


def with_budget(configuration: Configuration, budget: Budget) -> Configuration:
    """Return what a search records: with its limits, and schedules that end with the run ``budget.like``."""
    like = configuration.plain["budget"]["like"]
    return scheduled(configuration).replaced(budget=asdict(budget) | {"like": like})


def scheduled(configuration: Configuration) -> Configuration:
    """Return a configuration with the trials of the run ``budget.like`` as the horizon of the strategy's schedules.

    That is where it was to be ``budget.trials``, which end nothing where the work does.
    """
    config = configuration.plain
    strategy, like = config["strategy"], config["budget"]["like"]
    if like is None or strategy.get("horizon") is None or strategy["horizon"] != config["budget"]["trials"]:
        return configuration
    if any(override.startswith("strategy.horizon=") for override in config["overrides"]):
        return configuration
    result, _ = finished(Path(str(like)))
    if result["verb"] != "search":
        raise RequestError(f"budget.like={like}: a selection has no trials to schedule by; set strategy.horizon")
    trials = finished(Path(str(like)), "trials")[0]["trials"]
    return configuration.replaced(strategy=strategy | {"horizon": trials})


def check_warmup(budget: Budget, epochs: int) -> None:
    """Raise `RequestError` if so many epochs of warm-up leave no budget for a trial."""
    if budget.epochs is not None and 0 < epochs >= budget.epochs:
        raise RequestError(
            f"budget.epochs={budget.epochs:g} is spent by estimator.schedule.warmup_epochs={epochs} before the first "
            f"trial; set estimator.epochs={epochs} in its place, and budget.trials"
        )


def work_of(config: Config) -> int:
    """Return the multiply-accumulates that the run ``budget.like`` used, its selection included."""
    if config["budget"]["work"] is not None:
        raise RequestError("budget: like and work are both given; remove one of them")
    path = Path(str(config["budget"]["like"]))
    result, other = finished(path)
    if result["verb"] not in ("search", "select"):
        raise RequestError(f"budget.like={path}: made by {result['verb']}; name the search that it started from")
    if not result.get("work"):
        raise RequestError(f"budget.like={path}: its record lacks the work that it used; run that search again")
    check_same(path, other, config)
    return int(sum(phases(path, result, "work")[phase] for phase in PHASES))


def liked(configuration: Configuration) -> str | None:
    """Return the method of the run ``budget.like``: searches of equal work to its seeds are one method."""
    like = configuration.plain["budget"]["like"]
    if like is None:
        return None
    result, _ = finished(Path(str(like)))
    return str(result.get("method") or result["signature"])


def check_same(path: Path, other: Config, config: Config) -> None:
    """Raise `RequestError` unless both runs search one space on one data set."""
    for group in COMPARED:
        theirs, ours = other["choices"].get(group), config["choices"][group]
        if theirs != ours:
            raise RequestError(
                f"budget.like={path}: its {group} is {theirs}, here it is {ours}; "
                f"leave {group} out to take that run's, or name another run"
            )
        if _plain(other[group]) != _plain(config[group]):
            raise RequestError(
                f"budget.like={path}: {difference(_plain(other[group]), _plain(config[group]), group)}; "
                "equal work means little across them; give the same setting or name another run"
            )


def _plain(node: Mapping[str, Any]) -> Any:
    """Return a group's settings that touch the work, as JSON reads them."""
    left_out = (*NOT_SIGNED, *OF_SEARCH)
    return json.loads(json.dumps(without(node, left_out)))
