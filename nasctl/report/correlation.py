"""Rank correlation of shared weights and training: statistics of correlation.jsonl as data, table and scatter plot.

Each predictor's ranking is held against that of the trained networks: over all architectures, among the best ones,
and among architectures of equal cost, beside the size as a predictor and the ceiling that training seeds set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any

import numpy

from nasctl.errors import RunError
from nasctl.report._read.record import Json
from nasctl.report._statistics import rank
from nasctl.report._statistics.rank import Array
from nasctl.report.format.table import terminal, terminal_width
from nasctl.report.grid import Cells, Grid, grid
from nasctl.terminal_text import plot_label

SIZES = ("params", "macs")
_FEWEST = 3  # architectures that a correlation is computed of

# A bootstrap interval of fewer holds the truth too rarely: 60 to 90 % of simulations with 4 to 6 architectures
_FEWEST_RANKED = 10  # architectures
_FEWEST_HITS = 2  # architectures that are the best
_FEWEST_EQUAL = 20  # pairs of equal cost
_FEW = "too few"

Statistic = tuple[float, float | None, float | None] | None
"""Value and bounds of its 95 % interval over architectures, None of too few; None where the value does not exist."""


def analyse(lines: Sequence[Json], names: Sequence[str], *, top: float, resamples: int, seed: int) -> dict[str, Any]:
    """Return the statistics of the lines of correlation.jsonl; ``names`` are the methods of the runs in ``scores``.

    Several runs of one method are averaged: the statistic of each, on the same resamples of the architectures;
    ``tau_std`` is their sample standard deviation. Architectures whose training failed are left out; `RunError` if all
    failed.
    """
    known = [line for line in lines if line["error"] is None]
    if not known:
        raise RunError(f"correlate: no architecture could be trained; the last one: {lines[-1]['error']}")
    trained, scores = (numpy.array([line[key] for line in known], dtype=float) for key in ("trained", "scores"))
    truth, macs = trained.mean(1), numpy.array([float(line["macs"]) for line in known])
    parts = _Parts(truth, macs, top, resamples, seed)
    found = []
    for name in dict.fromkeys(names):
        members = [scores[:, i] for i, other in enumerate(names) if other == name]
        found.append({"name": name, "runs": len(members), **parts.figures([(score, truth) for score in members])})
    for size in SIZES:
        values = numpy.array([float(line[size]) for line in known])
        found.append({"name": size, "runs": None, **parts.figures([(values, truth)])})
    counts = {"architectures": len(known), "failed": len(lines) - len(known), "trainings": trained.shape[1]}
    return {**counts, "top": top, "predictors": found, "ceiling": _ceiling(parts, trained)}


def _ceiling(parts: _Parts, trained: Array) -> dict[str, Any] | None:
    """Return how one training ranks what the mean of the others ranks, averaged over trainings; None of one alone."""
    if trained.shape[1] < 2:
        return None
    others = [numpy.delete(trained, i, axis=1).mean(1) for i in range(trained.shape[1])]
    return parts.figures([(trained[:, i], other) for i, other in enumerate(others)])


class _Parts:
    """All architectures, and the best by ``truth``, with the resamples of either."""

    def __init__(self, truth: Array, strata: Array, top: float, resamples: int, seed: int) -> None:
        self.top, self.strata = top, strata
        self.enough_equal = rank.tied_pairs(strata) >= _FEWEST_EQUAL
        self.best = numpy.argsort(-truth, kind="stable")[: rank.best(len(truth), top)]
        self.draws, self.draws_of_best = (rank.draws(n, resamples, seed) for n in (len(truth), len(self.best)))

    def figures(self, pairs: Sequence[tuple[Array, Array]]) -> dict[str, Any]:
        """Return the statistics of pairs of a predictor and what it is to predict, averaged over pairs."""
        if len(self.strata) < _FEWEST:
            return dict.fromkeys(("tau", "rho", "hits", "tau_of_best", "tau_of_equal_macs", "tau_std"))
        best, all_, n = self.best, self.draws, len(self.strata)
        taus = [rank.kendall(a, b, all_) for a, b in pairs]
        of_best = [rank.kendall(a[best], b[best], self.draws_of_best) for a, b in pairs]
        return {
            "tau": _mean(taus, n >= _FEWEST_RANKED),
            "rho": _mean([rank.spearman(a, b, all_) for a, b in pairs], n >= _FEWEST_RANKED),
            "hits": _mean([rank.hits(a, b, self.top, all_) for a, b in pairs], len(best) >= _FEWEST_HITS),
            "tau_of_best": _mean(of_best, len(best) >= _FEWEST_RANKED) if len(best) >= _FEWEST else None,
            "tau_of_equal_macs": _mean([rank.kendall(a, b, all_, self.strata) for a, b in pairs], self.enough_equal),
            "tau_std": float(numpy.std([tau[0] for tau in taus], ddof=1)) if len(taus) > 1 else None,
        }


def _mean(values: Sequence[Array], enough: bool) -> Statistic:
    """Return the mean over pairs, with an interval if there is ``enough`` for one."""
    found = rank.interval(numpy.mean(values, axis=0))
    return found if found is None or enough else (found[0], None, None)


def show(found: Mapping[str, Any], against: str) -> str:
    """Return the statistics as a table as wide as the terminal."""
    return terminal(document(found, against), terminal_width())


def document(found: Mapping[str, Any], against: str) -> Grid:
    """Return the statistics as a grid; ``against`` says how the architectures were trained."""
    top = f"{100 * found['top']:g} %"
    rows = [_cells(line["name"], line, top) for line in found["predictors"]]
    if found["ceiling"]:
        rows.append(_cells("ceiling: one training", found["ceiling"], top))
    failed = f"; {found['failed']} more failed to train" if found["failed"] else ""
    count = max(1, round(found["top"] * found["architectures"]))
    remarks = [
        f"{found['architectures']:,} architectures{failed}; brackets are 95 % bootstrap intervals over them, ± the "
        "standard deviation over runs.",
        f"hits: share of a predictor's best {count:,} among the truly best; tau, equal MACs: over pairs of equal cost.",
        *_too_few(rows),
    ]
    return grid(f"Does the ranking hold: tau-b and rho with {against}", rows, remarks)


def _too_few(rows: Sequence[Cells]) -> list[str]:
    if not any(_FEW in cell for row in rows for cell in row.values()):
        return []
    return [
        f"{_FEW}: an interval needs {_FEWEST_RANKED} architectures, of hits {_FEWEST_HITS} that are the best, of equal "
        f"MACs {_FEWEST_EQUAL} pairs; of fewer, a bootstrap holds the truth less often than it says."
    ]


def _cells(name: str, line: Mapping[str, Any], top: str) -> Cells:
    std = line.get("tau_std")
    return {
        "predictor": name,
        "runs": str(line.get("runs") or ""),
        "tau": _text(line["tau"]) + ("" if std is None else f" ± {std:.2f}"),
        "rho": _text(line["rho"]),
        f"hits, best {top}": _text(line["hits"]),
        f"tau, best {top}": _text(line["tau_of_best"]),
        "tau, equal MACs": _text(line["tau_of_equal_macs"]),
    }


def _text(statistic: Statistic) -> str:
    if statistic is None:
        return ""
    return "{:.2f} [{:.2f}, {:.2f}]".format(*statistic) if None not in statistic else f"{statistic[0]:.2f} ({_FEW})"


def draw(lines: Sequence[Json], names: Sequence[str], file: IO[bytes]) -> None:
    """Draw each method's mean score against the trained quality, a point an architecture; needs matplotlib."""
    from matplotlib.figure import Figure

    known = [line for line in lines if line["error"] is None]
    methods = list(dict.fromkeys(names))
    figure = Figure(figsize=(4.0 * len(methods), 4.0), layout="constrained")
    for axes, method in zip(figure.subplots(1, len(methods), squeeze=False)[0], methods, strict=True):
        members = [i for i, name in enumerate(names) if name == method]
        scores = [sum(line["scores"][i] for i in members) / len(members) for line in known]
        axes.scatter([sum(line["trained"]) / len(line["trained"]) for line in known], scores, s=8, alpha=0.5)
        axes.set(title=plot_label(method), xlabel="trained", ylabel="shared weights")
        axes.grid(alpha=0.3)
    figure.savefig(file, format="png", dpi=150)
