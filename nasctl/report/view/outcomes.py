"""Outcomes of repeated searches under a cost limit: how costs spread about it, and the errors of feasible outcomes.

The columns are those of Yang et al. 2022, https://arxiv.org/abs/2204.07615, table 1, which is shown beside searches of
the size space. Errors are compared over feasible outcomes alone, since costlier networks may have smaller errors.
"""

from __future__ import annotations

import csv
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasctl.errors import RequestError
from nasctl.report._read.duplicates import without_repeats
from nasctl.report._read.label import of_runs
from nasctl.report._read.published import is_published
from nasctl.report._read.record import Json, Run, finite
from nasctl.report._read.remarks import test_rewards
from nasctl.report._read.replicas import replicas
from nasctl.report._read.trial import replica_costs
from nasctl.report._statistics.figure import Figure, amount
from nasctl.report._statistics.interval import LEVEL
from nasctl.report._statistics.proportion import exact
from nasctl.report.declaration import Content, Setting, View
from nasctl.report.grid import Cells, Grid, grid
from nasctl.report.plot import canvas, save
from nasctl.terminal_text import plot_label

PUBLISHED_FOR = ("nats_size", "cifar100")  # space and data set of the published table
TABLE = Path(__file__).parents[1] / "data" / "tabnas_table1.csv"


@dataclass(frozen=True)
class Outcome:
    """The replicas of one run: ``by`` is the value of a setting, ``costs`` hold the cost of each replica's choice."""

    label: str
    space: str
    by: Any
    limit: float | None
    costs: tuple[float, ...]
    feasible: tuple[bool, ...]
    errors: tuple[float | None, ...]  # in percent
    replicas: tuple[Json, ...]

    def within(self) -> Figure | None:
        """Return the error over the feasible outcomes."""
        both = zip(self.errors, self.feasible, strict=True)
        return Figure.of(error for error, inside in both if inside and error is not None)

    def found_best(self) -> list[bool] | None:
        """Return for each replica whether it found the best feasible architecture; None where it is not known."""
        known = [line.get("best_found") for line in self.replicas]
        return None if None in known else [bool(found) for found in known]

    def best(self) -> float | None:
        """Return the share of replicas that found the best feasible architecture; None where it is not known."""
        known = [found for found in self.found_best() or [] if found is not None]
        return statistics.fmean(known) if known else None

    def regret(self) -> Figure | None:
        """Return the regret of the feasible outcomes, in the metric's unit; None where it is not known."""
        return Figure.of(line["regret"] for line in self.replicas if line.get("regret") is not None)

    def policy(self, name: str) -> list[float]:
        """Return a statistic of each replica's final policy by its name in replicas.jsonl; empty without policies."""
        return [line["policy"][name] for line in self.replicas if "policy" in line]


def make(given: Sequence[Run], outcomes: str, *, by: str | None) -> Content:
    """Return the outcomes of the repeated searches among ``given`` in the resource ``outcomes``.

    ``by`` is a setting, such as ``strategy.feasibility.samples``, that orders the rows and is the axis of the plot.
    """
    runs, remarks = without_repeats([r for r in given if r.status == "finished" and r.result.get("repeats")])
    found = sorted(_outcomes(runs, outcomes, by), key=_order)
    if not found:
        raise RequestError("outcomes: none of these runs is a finished repeated search; give one made with repeats=R")
    remarks = [*remarks, *test_rewards(runs)]
    grids = [_grid(found, outcomes, by, remarks)] + [_published()] * any(map(_is_of_table, runs))
    return Content(grids, draw=lambda file, kind: save(_drawn(found, outcomes, by), file, kind))


def _is_of_table(run: Run) -> bool:
    """Return whether a run searched the space, data set and data that the published table is of."""
    chosen = (run.choices.get("space"), run.choices.get("dataset")) == PUBLISHED_FOR
    return chosen and is_published([run]) is not False


def _outcomes(runs: Sequence[Run], resource: str, by: str | None) -> Iterator[Outcome]:
    for run, label in zip(runs, of_runs(runs), strict=True):
        found = tuple(replicas(run, "margin", "metrics"))
        yield Outcome(
            label=label,
            space=str(run.choices.get("space")),
            by=None if by is None else _setting(run, by),
            limit=run.limits.get(resource),
            costs=_costs(run, found, resource),
            feasible=tuple(line["margin"] is None or line["margin"] >= 0 for line in found),
            errors=tuple(_error(line["metrics"]) for line in found),
            replicas=found,
        )


def _costs(run: Run, found: Sequence[Json], resource: str) -> tuple[float, ...]:
    """Return the cost of what each replica found, or raise `RequestError` with the names that are recorded."""
    known = [replica_costs(line) for line in found]
    costs = [cost for each in known if (cost := finite(each.get(resource))) is not None]
    if len(costs) < len(known):
        names = [name for name in known[0] if all(name in each for each in known)]
        raise RequestError(
            f"outcomes={resource}: {run.path} does not record it of all replicas; name one of {', '.join(names)}"
        )
    return tuple(costs)


def _error(metrics: Json) -> float | None:
    return finite(metrics.get("reported_error", metrics.get("error")))


def _setting(run: Run, name: str) -> Any:
    node: Any = run.config
    for key in name.split("."):
        if not isinstance(node, Mapping) or key not in node:
            raise RequestError(f"by={name}: {run.path} has no such setting; name one of its config.yaml")
        node = node[key]
    return node


def _order(outcome: Outcome) -> tuple[Any, ...]:
    numeric = isinstance(outcome.by, int | float)
    return outcome.space, outcome.limit or 0, not numeric, outcome.by if numeric else 0, outcome.label


def _grid(found: Sequence[Outcome], resource: str, by: str | None, more: Sequence[str]) -> Grid:
    rows = [_cells(outcome, resource, by) for outcome in found]
    remarks = ["Error: over the feasible outcomes alone, n of them; ± is the sample standard deviation.", *more]
    if any(row["best found (%)"] or row["mode within (%)"] for row in rows):
        remarks.append("Brackets: 95 % interval of the share over searches, by Clopper and Pearson.")
    return grid(f"Outcomes in {resource}", rows, remarks)


def _cells(outcome: Outcome, resource: str, by: str | None) -> Cells:
    mass, regret = Figure.of(outcome.policy("feasible_mass")), outcome.regret()
    over = len(outcome.feasible) - sum(outcome.feasible)
    return {
        "method": outcome.label,
        **({} if by is None else {by: f"{outcome.by:g}" if isinstance(outcome.by, float) else str(outcome.by)}),
        "limit": "" if outcome.limit is None else amount(outcome.limit, 2),
        f"{resource}, mean ± std": f"{amount(statistics.fmean(outcome.costs))} ± {amount(_std(outcome.costs))}",
        "median": amount(statistics.median(outcome.costs)),
        "over the limit": "" if outcome.limit is None else f"{over} of {len(outcome.feasible)}",
        "error (%)": str(outcome.within() or ""),
        "best found (%)": _share(outcome.found_best() or []),
        "regret": "" if regret is None else regret.text(4),
        "mode within (%)": _share([bool(inside) for inside in outcome.policy("mode_feasible")]),
        "P(V)": "" if mass is None else mass.text(2),
    }


def _share(known: Sequence[bool]) -> str:
    """Return the share of true values in percent with its interval; empty without values."""
    if not known:
        return ""
    low, high = exact(sum(known), len(known), LEVEL)
    return f"{100 * statistics.fmean(known):.0f} [{100 * low:.0f}, {100 * high:.0f}]"


def _std(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def _published() -> Grid:
    """Return the published table: MACs in millions and test errors in percent, as printed but for the factor."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = [_published_cells(row) for row in csv.DictReader(file)]
    title = "Published, not measured here: TabNAS, https://arxiv.org/abs/2204.07615, table 1, limit 75 M"
    return grid(title, rows, ["Error: test error on CIFAR-100 in NATS-Bench; not of the quality of the rows above."])


def _published_cells(row: Mapping[str, str]) -> Cells:
    error, std = (100 * float(row[f"test_error_{name}"]) for name in ("mean", "std"))
    return {
        "method": f"{row['reward']}, lr {row['rl_lr']}",
        "macs, mean ± std": f"{row['flops_M_mean']} M ± {row['flops_M_std']} M",
        "median": f"{row['flops_M_median']} M",
        "error (%)": f"{error:.1f} ± {std:.1f}",
    }


def _drawn(found: Sequence[Outcome], resource: str, by: str | None) -> Any:
    """Draw the costs with their limits above, below the errors, or against a setting the share that found the best."""
    figure, (above, below) = canvas(2, labels=len(found) if by is None else 0)
    places = range(len(found)) if by is None else [outcome.by for outcome in found]
    above.errorbar(places, *_bars([Figure.of(outcome.costs) for outcome in found]), fmt="o", capsize=3, markersize=3)
    if limited := [(place, o.limit) for place, o in zip(places, found, strict=True) if o.limit is not None]:
        above.plot(*zip(*limited, strict=True), color="black", linewidth=1, drawstyle="steps-mid", label="limit")
        above.legend(fontsize="small")
    above.set(ylabel=resource)
    if by is None:
        below.errorbar(places, *_bars([outcome.within() for outcome in found]), fmt="o", capsize=3, markersize=3)
        below.set(ylabel="error within the limit (%)")
        below.set_xticks(
            list(places), [plot_label(outcome.label) for outcome in found], rotation=90, fontsize="x-small"
        )
    else:
        below.plot(places, [outcome.best() for outcome in found], marker="o", markersize=3)
        below.set(ylabel="share that found the best", xlabel=plot_label(by), ylim=(0, 1))
    return figure


def _bars(figures: Sequence[Figure | None]) -> tuple[list[float], list[float]]:
    nothing = float("nan")
    return [f.mean if f else nothing for f in figures], [(f.std or 0.0) if f else nothing for f in figures]


VIEW = View(
    summary="costs and errors that repeated searches under a limit ended with",
    value="RESOURCE",
    make=make,
    settings=(Setting("by", str, None, "setting of the runs that orders the rows, as strategy.feasibility.samples"),),
    draws=True,
)
