"""Architecture or recipe: a factorial design among retrained runs, and the share of the variance of each factor.

The design is the largest complete one: architectures that were each trained by the same recipes with two seeds or
more. Whatever is outside of it is named. Errors are in percent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nasctl.report._read.likeness import DIGITS, genotype, tasks
from nasctl.report._read.method import source_label
from nasctl.report._read.record import Run
from nasctl.report._statistics import components
from nasctl.report._statistics.components import BLOCK, SOURCES, Errors, squares
from nasctl.report._statistics.figure import Figure

RULE = "the sub-design of most trainings in which every architecture meets every recipe with two seeds or more"
_LEAST = 2  # of architectures, of recipes, of seeds
_MOST_SETS = 4096  # of recipes that are tried

Name = tuple[str, str]
"""A label, and a key that is unique among factor levels of equal labels."""

Cells = Mapping[Name, Mapping[str, Mapping[int, float]]]
"""Errors by architecture, hash of the recipe and retrain seed."""


@dataclass(frozen=True)
class Share:
    """A source's part of the variance in [0, 1], and its interval's bounds; ``remark`` says why there are none."""

    source: str
    value: float
    low: float | None
    high: float | None
    remark: str | None = None


@dataclass(frozen=True)
class FactorialDesign:
    """Errors of every architecture under every recipe, and the shares of the sources of their variance.

    ``blocked``: every cell has the same ``seeds``, which are a factor of their own; else seeds only repeat a cell.
    """

    architectures: Sequence[str]
    recipes: Sequence[str]
    seeds: Sequence[int]  # empty unless blocked
    blocked: bool
    errors: Sequence[Sequence[Figure]]  # by architecture and recipe
    shares: Sequence[Share]
    left_out: Sequence[str]  # architectures, recipes and seeds outside of the design


@dataclass(frozen=True)
class _Choice:
    """Levels of a complete design, with ``seeds`` that all cells share, or just as many in each."""

    architectures: tuple[Name, ...]
    recipes: tuple[str, ...]
    seeds: tuple[int, ...]
    repeats: int

    @property
    def size(self) -> tuple[int, int, int]:
        """Return the sort key of the largest design: trainings, then architectures, then recipes."""
        a, b = len(self.architectures), len(self.recipes)
        return a * b * self.repeats, a, b

    def values(self, cell: Mapping[int, float]) -> list[float]:
        """Return the errors of a cell that are in the design."""
        return [cell[seed] for seed in (self.seeds or sorted(cell)[: self.repeats])]


@dataclass
class _Trainings:
    """Retrained runs by cell; ``unlike`` are those of one cell and seed that do not agree."""

    cells: dict[Name, dict[str, dict[int, float]]] = field(default_factory=dict)
    recipes: dict[str, list[Run]] = field(default_factory=dict)
    unlike: dict[tuple[Name, str, int], None] = field(default_factory=dict)

    def add(self, run: Run) -> None:
        """Take in a run."""
        name, recipe, seed = _architecture(run), str(run.result["recipe"]), run.result["seed"]
        self.recipes.setdefault(recipe, []).append(run)
        cell = self.cells.setdefault(name, {}).setdefault(recipe, {})
        if cell.setdefault(seed, run.result["error"]) != run.result["error"]:
            self.unlike[name, recipe, seed] = None


def factorial_design(runs: Iterable[Run]) -> FactorialDesign | None:
    """Return the design in the retrained among finished ``runs``; None if it is smaller than 2 x 2 x 2."""
    found = _trainings(runs)
    chosen = _largest(found.cells)
    if chosen is None:
        return None
    errors = [[chosen.values(found.cells[name][recipe]) for recipe in chosen.recipes] for name in chosen.architectures]
    labels = dict(zip(found.recipes, _labels(list(found.recipes.values())), strict=True))
    own = _labels([found.recipes[recipe] for recipe in chosen.recipes])
    return FactorialDesign(
        architectures=[label for label, _ in chosen.architectures],
        recipes=own,
        seeds=chosen.seeds,
        blocked=bool(chosen.seeds),
        errors=[[figure for cell in row if (figure := Figure.of(cell))] for row in errors],
        shares=shares(errors, bool(chosen.seeds)),
        left_out=list(dict.fromkeys(_left_out(found, chosen, labels))),
    )


def shares(errors: Errors, blocked: bool) -> list[Share]:
    """Return the share of each of `SOURCES` in the variance and, where seeds are blocks, of `BLOCK`."""
    found = squares(errors, blocked)
    names = [*SOURCES, *([BLOCK] if blocked else [])]
    few = _too_few(found.levels)
    bounds = zip(components.shares(found), components.intervals(found), strict=True)
    return [
        Share(name, value, None, None, few[name]) if name in few else Share(name, value, *both)
        for name, (value, both) in zip(names, bounds, strict=True)
    ]


def _too_few(levels: tuple[int, int, int]) -> dict[str, str]:
    """Return why a source has no interval: its mean square has one degree of freedom, which bounds nothing."""
    a, b, n = levels
    reasons = {
        SOURCES[0]: f"too few architectures ({a}) for an interval" if a == _LEAST else "",
        SOURCES[1]: f"too few recipes ({b}) for an interval" if b == _LEAST else "",
        SOURCES[2]: f"too few of both ({a} x {b}) for an interval" if a == b == _LEAST else "",
        BLOCK: f"too few seeds ({n}) for an interval" if n == _LEAST else "",
    }
    return {source: reason for source, reason in reasons.items() if reason}


def _trainings(runs: Iterable[Run]) -> _Trainings:
    """Return the trainings in the space and on the data that have most; what two runs disagree on is left out."""
    trained = [run for run in runs if run.verb == "retrain" and run.number("error") is not None]
    largest: Sequence[Run] = max(tasks(trained), key=len, default=())
    found = _Trainings()
    for run in sorted(largest, key=_order):
        found.add(run)
    for name, recipe, seed in found.unlike:
        del found.cells[name][recipe][seed]
    return found


def _order(run: Run) -> tuple[str, tuple[str, ...]]:
    return str(run.result.get("recipe_name")), run.overrides


def _largest(cells: Cells) -> _Choice | None:
    """Return the largest complete design (`RULE`); of equally large ones the first."""
    counts = sorted({len(cell) for met in cells.values() for cell in met.values() if len(cell) >= _LEAST})
    found = [choice for count in counts for choice in _choices(cells, count)]
    return max(found, key=lambda choice: choice.size, default=None)


def _choices(cells: Cells, count: int) -> Iterable[_Choice]:
    """Yield the complete designs of cells of ``count`` seeds or more that no larger one contains."""
    met = {name: frozenset(r for r, cell in cells[name].items() if len(cell) >= count) for name in sorted(cells)}
    order = dict.fromkeys(recipe for found in cells.values() for recipe in found)
    for recipes in _intersections(met.values()):
        names = tuple(name for name, found in met.items() if recipes <= found)
        if min(len(names), len(recipes)) >= _LEAST:
            shared = frozenset.intersection(*(frozenset(cells[name][recipe]) for name in names for recipe in recipes))
            seeds = tuple(sorted(shared)) if len(shared) >= _LEAST else ()
            yield _Choice(names, tuple(r for r in order if r in recipes), seeds, len(seeds) or count)


def _intersections(sets: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """Return all intersections of one or more ``sets``, at most `_MOST_SETS`: what the largest designs consist of."""
    found: dict[frozenset[str], None] = {}
    for new in sets:
        found |= dict.fromkeys([new, *(new & old for old in found)])
        if len(found) > _MOST_SETS:
            break
    return list(found)


def _left_out(found: _Trainings, chosen: _Choice, labels: Mapping[str, str]) -> Iterable[str]:
    """Yield the architectures, the recipes and the seeds outside of the design."""
    yield from (name[0] for name in found.cells if name not in chosen.architectures)
    yield from (f"recipe {labels[recipe]}" for recipe in found.recipes if recipe not in chosen.recipes)
    cells = (found.cells[name][recipe] for name in chosen.architectures for recipe in chosen.recipes)
    unused = sorted({seed for cell in cells for seed in cell if chosen.seeds and seed not in chosen.seeds})
    yield from (f"seed {seed}, which some cells lack" for seed in unused)
    for name, recipe, seed in found.unlike:
        yield f"{name[0]} under {labels[recipe]}, seed {seed}: two runs with unlike errors"


def _architecture(run: Run) -> Name:
    """Return the name of an architecture: of a file its name and the start of its content's hash, which decides."""
    source, content = run.source, genotype(run)
    if source.get("signature") is None and content is not None:
        return f"{source_label(source)}{f' ({content[:DIGITS]})' if source.get('kind') == 'file' else ''}", content
    seed = "" if source.get("seed") is None else f", search seed {source['seed']}"
    return f"{source_label(source)}{seed}", f"{source.get('signature') or source.get('name')}"


def _labels(groups: Sequence[Sequence[Run]]) -> list[str]:
    """Return the name of each recipe with the overrides of its trainer that not all recipes share."""
    given = [[o for o in group[0].overrides if o.startswith("trainer.")] for group in groups]
    own = [[o.removeprefix("trainer.") for o in found if not all(o in other for other in given)] for found in given]
    return [
        ", ".join([str(group[0].result.get("recipe_name")), *found]) for group, found in zip(groups, own, strict=True)
    ]
