"""A method: one row of the comparison, aggregated over seeds.

`likeness` decides which runs belong together: those that differ in their seeds, or in what a search found, do.
Retrain seeds are averaged within each search run first, so that n counts search seeds; a published genotype or a file
is one architecture, by its content, and n counts its retrain seeds. A seed that was run twice counts once, and not at
all where its results are unlike.
Finished searches and selections that nobody retrained make rows of their own, with an ``estimate`` instead of a
test error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Any

from nasctl.report._read.cut import cuts
from nasctl.report._read.duplicates import Counted, Fault, once
from nasctl.report._read.likeness import Fields, groups, shared
from nasctl.report._read.provenance import beside
from nasctl.report._read.record import Json, Run
from nasctl.report._read.replicas import Distribution, apart, distribution
from nasctl.report._read.spending import PHASES, Cost, days_of, device_names, spent
from nasctl.report._statistics.figure import Figure, average

RANDOM = "random_search"  # the baseline's name in conf/strategy
_SEARCHES = ("search", "select")  # verbs that find an architecture
_N_OF = {"run": "search seeds", "random": "random architectures"}  # by kind of source; else retrain seeds


@dataclass(frozen=True)
class Method:
    """One row. Errors are in percent, costs in days by unit; None means not known or not applicable.

    Of language models ``measure`` is ``perplexity``, and that is what ``error`` and ``estimate`` hold.
    """

    label: str
    signature: str | None  # of the search, less the work that it was given; None for a published genotype or a file
    recipe: str | None  # hash of trainer, data set and final form; None where nothing was retrained
    settings: Mapping[str, str | None]  # search method, space, estimator, data set, constraint, limit, recipe
    measure: str  # error (%) | perplexity
    error: Figure | None  # on the test split, retrained from scratch
    validation: Figure | None  # the same on the validation part by which weights were chosen, of language models
    n_of: str  # what n counts: "search seeds", "random architectures" or "retrain seeds"
    estimate: Figure | None
    estimate_kind: str | None
    distribution: Distribution | None  # of the estimate over the replicas of a repeated search
    costs: Mapping[str, Figure]  # of the architecture, by resource; params and macs are two
    ops: Figure | None
    cost: Mapping[str, Cost]  # by phase
    device: str
    feasible: tuple[int, int] | None  # architectures within the constraint, of how many
    published: Mapping[str, str] | None  # the row of a paper that the experiment names: table, method
    runs: tuple[Run, ...]  # those that enter the statistics, each seed once
    searches: tuple[Run, ...]  # the given search runs behind it
    likeness: Fields  # the fields of `likeness` that its runs share
    beside: tuple[str, ...]  # remarks on commits, threads and versions in which its runs differ
    cut: tuple[str, ...]  # deviations from the experiment of the row `published`
    repeats: tuple[Run, ...]  # runs that repeat one of `runs`
    faults: tuple[Fault, ...]  # seeds whose results contradict each other

    @property
    def params(self) -> Figure | None:
        """Return the number of parameters."""
        return self.costs.get("params")

    @property
    def macs(self) -> Figure | None:
        """Return the multiply-accumulates of one example."""
        return self.costs.get("macs")

    @property
    def is_random_search(self) -> bool:
        """Whether random search found the architectures of the row."""
        return self.settings["search method"] == RANDOM


def methods(runs: Iterable[Run]) -> list[Method]:
    """Return the rows of the finished runs among ``runs``: best first for each data set, searches last."""
    finished = [part for run in runs if run.status == "finished" for part in apart(run)]
    searches = [run for run in finished if run.verb in _SEARCHES]
    retrained = [run for run in finished if run.verb == "retrain"]
    used = set(map(_origin, retrained))
    left = [run for run in searches if _key(run) not in used or "replica" in run.result]
    rows = [_retrained(group, searches) for group in groups(retrained)]
    rows += [_searched(group) for group in groups(left)]
    return sorted(rows, key=_rank)


def whole(runs: Iterable[Run]) -> list[Method]:
    """Return the rows of finished searches, of which a repeated search counts as one run."""
    return [_searched(group) for group in groups(runs)]


def _key(run: Run) -> tuple[Any, Any]:
    return run.result["signature"], run.result["seed"]


def _origin(run: Run) -> tuple[Any, Any]:
    return run.source.get("signature"), run.source.get("seed")


def _rank(method: Method) -> tuple[str, bool, float, str]:
    shown = method.error or method.estimate
    return (
        str(method.settings["dataset"]),
        method.error is None,
        shown.mean if shown else float("inf"),
        method.label,
    )


def _retrained(runs: tuple[Run, ...], searches: Sequence[Run]) -> Method:
    counted, keys = once(runs), set(map(_origin, runs))
    first, behind = runs[0], once(run for run in searches if _key(run) in keys)
    return Method(
        label=source_label(first.source),
        signature=first.method,
        recipe=first.result["recipe"],
        settings=_settings(first, first.source.get("choices") or {}, shared(runs)),
        error=Figure.of(by_seed(counted.runs, _score).values()),
        validation=Figure.of(by_seed(counted.runs, _validation).values()),
        n_of=_N_OF.get(str(first.source.get("kind")), "retrain seeds"),
        estimate=None,
        estimate_kind=None,
        distribution=None,
        searches=behind.runs,
        cut=cuts(runs) if _published(runs) else (),
        faults=counted.faults + behind.faults,
        **_shared(counted, runs, behind.runs),
    )


def _searched(runs: tuple[Run, ...]) -> Method:
    counted, first = once(runs), runs[0]
    return Method(
        label=str(first.config.get("label") or first.choices.get("strategy")),
        signature=first.method,
        recipe=None,
        settings=_settings(first, first.choices, shared(runs)),
        error=None,
        validation=None,
        n_of="search seeds",
        estimate=Figure.of(by_seed(counted.runs, _score).values()),
        estimate_kind=first.result["error_kind"],
        distribution=distribution(counted.runs),
        searches=counted.runs,
        cut=(),
        faults=counted.faults,
        **_shared(counted, runs, ()),
    )


def _shared(counted: Counted, given: tuple[Run, ...], searches: tuple[Run, ...]) -> dict[str, Any]:
    """Return the fields that are computed in the same way for every kind of row."""
    runs = counted.runs
    return {
        "costs": _costs(runs),
        "ops": Figure.of(by_seed(runs, partial(_number, "ops")).values()),
        "measure": given[0].measure,
        "cost": {phase: _cost(runs, phase) for phase in PHASES},
        "device": _device(given),
        "feasible": _feasible(runs),
        "published": _published(given),
        "runs": runs,
        "repeats": counted.repeats,
        "likeness": shared(given),
        "beside": beside(given, searches),
    }


def _published(runs: tuple[Run, ...]) -> Mapping[str, str] | None:
    return next((run.config["published"] for run in runs if run.config.get("published")), None)


def by_seed(runs: tuple[Run, ...], value: Callable[[Run], float | None]) -> dict[Any, float]:
    """Return the mean of the known values by search seed (retrain seed where nothing was searched)."""
    seeds: dict[Any, list[float]] = {}
    for run in runs:
        known = value(run)
        if known is not None:
            seeds.setdefault(_seed(run), []).append(known)
    return {seed: sum(values) / len(values) for seed, values in seeds.items()}


def _seed(run: Run) -> Any:
    return run.source.get("seed") if run.source.get("kind") in _N_OF else run.result["seed"]


def _costs(runs: tuple[Run, ...]) -> dict[str, Figure]:
    names = dict.fromkeys(name for run in runs for name in run.costs)
    found = {name: Figure.of(by_seed(runs, partial(_cost_of, name)).values()) for name in names}
    return {name: figure for name, figure in found.items() if figure is not None}


def _cost(runs: tuple[Run, ...], phase: str) -> Cost:
    units = dict.fromkeys(item.unit for run in runs for item in spent(run) if item.phase == phase)
    means = {unit: average(by_seed(runs, partial(days_of, phase, unit)).values()) for unit in units}
    return {unit: mean for unit, mean in means.items() if mean is not None}


def _cost_of(resource: str, run: Run) -> float | None:
    return run.costs.get(resource)


def _number(name: str, run: Run) -> float | None:
    return run.number(name)


def _score(run: Run) -> float | None:
    return run.score


def _validation(run: Run) -> float | None:
    return run.validation


def _device(runs: tuple[Run, ...]) -> str:
    own = device_names(run.result["device"] for run in runs)
    searched = device_names(run.source.get("device") for run in runs)
    return own if searched in ("", own) else f"search: {searched}, retrain: {own}"


def _feasible(runs: tuple[Run, ...]) -> tuple[int, int] | None:
    judged = [run.result["feasible"] for run in runs if run.result.get("feasible") is not None]
    return (sum(judged), len(judged)) if judged else None


def source_label(source: Json) -> str:
    """Return the label of an architecture's origin."""
    if source.get("kind") == "random":
        return "random architectures"
    choices = source.get("choices") or {}
    return str(source.get("label") or choices.get("strategy") or PurePath(str(source.get("name"))).name)


def _settings(run: Run, searched: Json, found: Fields) -> dict[str, str | None]:
    """Return the settings of a row; ``searched`` are the choices of the search, empty without one."""
    data, searched_data = run.choices.get("dataset"), searched.get("dataset")
    moved = f"{data} (searched on {searched_data})" if searched_data not in (None, data) else data
    return {
        "search method": searched.get("strategy") or f"none ({run.source.get('kind')})",
        "space": searched.get("space") or run.choices.get("space"),
        "estimator": searched.get("estimator"),
        "dataset": moved,
        "constraint": searched.get("constraint"),
        "limit": found.get("search limits") or found.get("limits"),
        "recipe": run.result.get("recipe_name"),
    }
