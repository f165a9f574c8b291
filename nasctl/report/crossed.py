"""Architecture or recipe: how much of the spread of errors each explains, where every one met every other.

The share of a source in the sum of squares of a two-way design with n repeats a cell (Fisher 1925, chapter 7):
architectures, recipes, what only a pair of them explains, and the retrain seeds, which is the rest. Intervals come
from redrawing the seeds within each cell (Efron 1979, https://doi.org/10.1214/aos/1176344552). Redrawn designs count
the noise of the cells' means twice, so their shares are shifted by what they are off on the average.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from nasctl.report.figure import Figure
from nasctl.report.interval import LEVEL
from nasctl.report.method import source_label
from nasctl.report.record import Run

SOURCES = ("architecture", "recipe", "architecture and recipe together", "retrain seed")
_REDRAWN = 2000  # bootstrap samples
_LEAST = 2  # of architectures, of recipes, of seeds

Errors = Sequence[Sequence[Sequence[float]]]
"""By architecture, recipe and retrain seed, in percent."""


@dataclass(frozen=True)
class Share:
    """A source's part of the sum of squares in [0, 1], and the bounds of its interval."""

    source: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Crossed:
    """Errors of every architecture under every recipe, and the shares of the sources of their spread."""

    architectures: Sequence[str]
    recipes: Sequence[str]
    errors: Sequence[Sequence[Figure]]  # by architecture and recipe
    shares: Sequence[Share]
    left_out: Sequence[str]  # architectures that some recipe did not train


def crossed(runs: Iterable[Run]) -> Crossed | None:
    """Return the design in the retrained among finished ``runs``; None if it is smaller than 2 x 2 x 2."""
    cells: dict[tuple[str, str], dict[str, dict[int, float]]] = {}
    names: dict[str, list[Run]] = {}
    for run in sorted(_largest(runs), key=_recipe_order):
        recipe = str(run.result["recipe"])
        names.setdefault(recipe, []).append(run)
        cells.setdefault(_architecture(run), {}).setdefault(recipe, {})[run.result["seed"]] = run.result["error"]
    whole = {key: met for key, met in sorted(cells.items()) if len(met) == len(names)}
    seeds = min((len(found) for met in whole.values() for found in met.values()), default=0)
    if min(len(whole), len(names), seeds) < _LEAST:
        return None
    errors = [[[met[r][s] for s in sorted(met[r])[:seeds]] for r in names] for met in whole.values()]
    return Crossed(
        architectures=[label for label, _ in whole],
        recipes=_labels(list(names.values())),
        errors=[[Figure(fmean(cell), Figure.of(cell).std, seeds) for cell in row] for row in errors],  # type: ignore[union-attr]
        shares=_with_intervals(errors),
        left_out=[label for label, _ in cells.keys() - whole.keys()],
    )


def _largest(runs: Iterable[Run]) -> list[Run]:
    """Return the retrained runs with an error of the space and data set that have most; recipes hold their form."""
    groups: dict[tuple[object, object], list[Run]] = {}
    for run in runs:
        if run.verb == "retrain" and run.result.get("error") is not None:
            groups.setdefault((run.choices.get("space"), run.choices.get("dataset")), []).append(run)
    return max(groups.values(), key=len, default=[])


def _recipe_order(run: Run) -> tuple[str, tuple[str, ...]]:
    return str(run.result.get("recipe_name")), run.overrides


def _architecture(run: Run) -> tuple[str, str]:
    """Return a label, and what tells architectures of equal labels apart."""
    source = run.source
    seed = "" if source.get("seed") is None else f", search seed {source['seed']}"
    return f"{source_label(source)}{seed}", f"{source.get('signature') or source.get('name')}"


def _labels(groups: Sequence[Sequence[Run]]) -> list[str]:
    """Return the name of each recipe with the overrides of its trainer that not all recipes share."""
    given = [[o for o in group[0].overrides if o.startswith("trainer.")] for group in groups]
    own = [[o.removeprefix("trainer.") for o in found if not all(o in other for other in given)] for found in given]
    return [
        ", ".join([str(group[0].result.get("recipe_name")), *found]) for group, found in zip(groups, own, strict=True)
    ]


def shares(errors: Errors) -> list[float]:
    """Return the part of the sum of squares that each of `SOURCES` explains."""
    means = [[fmean(cell) for cell in row] for row in errors]
    rows, columns = [fmean(row) for row in means], [fmean(column) for column in zip(*means, strict=True)]
    whole, n = fmean(rows), len(errors[0][0])
    within = sum(
        (y - m) ** 2 for row, ms in zip(errors, means, strict=True) for c, m in zip(row, ms, strict=True) for y in c
    )
    of_rows = n * len(columns) * sum((r - whole) ** 2 for r in rows)
    of_columns = n * len(rows) * sum((c - whole) ** 2 for c in columns)
    between = n * sum((m - whole) ** 2 for row in means for m in row)
    parts = [of_rows, of_columns, between - of_rows - of_columns, within]
    return [part / (sum(parts) or 1.0) for part in parts]


def _with_intervals(errors: Errors) -> list[Share]:
    draw = random.Random(0)
    samples = [shares([[_redrawn(cell, draw) for cell in row] for row in errors]) for _ in range(_REDRAWN)]
    found = shares(errors)
    columns = [sorted(column) for column in zip(*samples, strict=True)]
    bounds = [_bounds(column, value) for column, value in zip(columns, found, strict=True)]
    return [Share(source, value, *both) for source, value, both in zip(SOURCES, found, bounds, strict=True)]


def _bounds(redrawn: Sequence[float], value: float) -> tuple[float, float]:
    """Return the bounds of an interval from sorted shares of redrawn designs, moved to lie about ``value``."""
    cut, off = round(_REDRAWN * (1 - LEVEL) / 2), fmean(redrawn) - value
    return max(0.0, redrawn[cut] - off), min(1.0, redrawn[-1 - cut] - off)


def _redrawn(cell: Sequence[float], draw: random.Random) -> list[float]:
    """Return errors drawn anew about the cell's mean, stretched, since plain draws of n vary less by n - 1 to n."""
    mean, wider = fmean(cell), (len(cell) / (len(cell) - 1)) ** 0.5
    return [mean + wider * (error - mean) for error in draw.choices(cell, k=len(cell))]
