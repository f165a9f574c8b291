"""Error against size: the networks of one origin at several widths and depths make a series."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import IO

from nasctl.errors import unknown
from nasctl.report._read.label import overrides
from nasctl.report._read.likeness import LIMITS, genotype, of_kind
from nasctl.report._read.method import Method, source_label
from nasctl.report._read.record import COUNTED
from nasctl.report._statistics.figure import Figure
from nasctl.report.plot import chart, save
from nasctl.terminal_text import plot_label

AXES = {"params": "parameters", "macs": "multiply-accumulates of one example"}
_TRAINING = ("trainer", "dataset")


@dataclass(frozen=True)
class Point:
    """A network size: its place on the axis, and its test error in percent, or perplexity if ``measure`` is that."""

    series: str
    x: float
    error: Figure
    measure: str


def points(rows: Sequence[Method], axis: str) -> list[Point]:
    """Return the retrained rows as points, series by series in the order of size."""
    known = [*COUNTED, *(name for row in rows for name in row.costs if name not in COUNTED)]
    if axis not in known:
        raise unknown("x", axis, dict.fromkeys(known))
    names = _names([row for row in rows if row.error])
    found = [
        Point(names[_series(row)], size.mean, row.error, row.measure)
        for row in rows
        if row.error and (size := row.costs.get(axis)) is not None
    ]
    return sorted(found, key=lambda point: (point.series, point.x))


def series(found: Sequence[Point]) -> dict[str, list[Point]]:
    """Return sorted points by their series."""
    return {name: list(group) for name, group in groupby(found, key=attrgetter("series"))}


def _series(row: Method) -> tuple[str, str]:
    """Return the key of a series: the architecture's origin and the training settings, without the network's size."""
    run = row.runs[0]
    origin = str(run.method or genotype(run) or run.source.get("name"))
    trained = [run.config.get(group) for group in _TRAINING]
    shared = {name: value for name, value in row.likeness.items() if of_kind(name, "data", "device type", *LIMITS)}
    return origin, json.dumps([trained, shared], sort_keys=True)


def _names(rows: Sequence[Method]) -> dict[tuple[str, str], str]:
    """Return a name per series; equal ones get the overrides in which they differ, or else a number."""
    members = {key: [row for row in rows if _series(row) == key] for key in map(_series, rows)}
    plain = {key: source_label(group[0].runs[0].source) for key, group in members.items()}
    given = {key: _common(group) for key, group in members.items()}
    names: dict[tuple[str, str], str] = {}
    for key, name in plain.items():
        tied = [given[other] for other in plain if plain[other] == name]
        own = [override for override in given[key] if not all(override in other for other in tied)]
        full = ", ".join([name, *own])
        names[key] = full if full not in names.values() else f"{full} ({len(names) + 1})"
    return names


def _common(group: Sequence[Method]) -> list[str]:
    """Return the overrides that all rows of a series share."""
    return [override for override in overrides(group[0]) if all(override in overrides(row) for row in group)]


def draw(found: Sequence[Point], axis: str, file: IO[bytes], kind: str) -> None:
    """Draw the series over a logarithmic axis, with the standard deviation of each error."""
    figure, axes = chart()
    for name, line in series(found).items():
        spread = [point.error.std or 0.0 for point in line]
        means = [point.error.mean for point in line]
        axes.errorbar([point.x for point in line], means, yerr=spread, label=plot_label(name), marker="o", capsize=3)
    axes.set(
        xscale="log",
        xlabel=plot_label(AXES.get(axis, axis)),
        ylabel=" and ".join(dict.fromkeys(f"test {point.measure}" for point in found)),
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    save(figure, file, kind)
