"""Mean policy of a batch of searches over its turns: the probability of each option of a decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nasctl.errors import RequestError, unknown
from nasctl.report._read.duplicates import without_repeats
from nasctl.report._read.label import of_runs
from nasctl.report._read.record import Run, damaged
from nasctl.report.declaration import Content, View
from nasctl.report.grid import Grid, grid
from nasctl.report.plot import canvas, save
from nasctl.terminal_text import plot_label


def make(found: Sequence[Run], trajectory: str) -> Content:
    """Return the probabilities of the options of the decision ``trajectory`` in each of the runs ``found``."""
    runs, remarks = without_repeats([run for run in found if run.result.get("trajectory")])
    if not runs:
        raise RequestError(
            "trajectory: none of these runs recorded its policies; give a search with "
            "strategy.vectorized=true and a curve"
        )
    for run in runs:
        _check(run, trajectory)
    return Content(
        [_grid(runs, trajectory, remarks)],
        draw=lambda file, kind: save(_drawn(runs, trajectory), file, kind),
    )


def _check(run: Run, decision: str) -> None:
    known = run.result["trajectory"][0]["probabilities"]
    if decision not in known:
        raise unknown(f"trajectory ({run.path})", decision, known)
    for point in run.result["trajectory"]:
        if point["probabilities"].get(decision, {}).keys() != known[decision].keys():
            fault = f"trajectory, turn {point['turn']}: other options of {decision} than before"
            raise damaged(run, "result.json", fault)


def _grid(runs: Sequence[Run], decision: str, remarks: Sequence[str]) -> Grid:
    rows = [
        {
            "method": label,
            "turn": str(point["turn"]),
            **{option: f"{share:.3f}" for option, share in point["probabilities"][decision].items()},
        }
        for run, label in zip(runs, of_runs(runs), strict=True)
        for point in run.result["trajectory"]
    ]
    return grid(f"Mean probability of each option of {decision}", rows, remarks)


def _drawn(runs: Sequence[Run], decision: str) -> Any:
    figure, places = canvas(len(runs))
    for run, label, axes in zip(runs, of_runs(runs), places if len(runs) > 1 else [places], strict=True):
        points = run.result["trajectory"]
        for option in points[0]["probabilities"][decision]:
            shares = [point["probabilities"][decision][option] for point in points]
            axes.plot([point["turn"] for point in points], shares, label=plot_label(option))
        axes.set(title=plot_label(label), xlabel="turn", ylim=(0, 1))
        axes.set_ylabel(plot_label(f"probability in {decision}"))
        axes.legend(fontsize="small")
    return figure


VIEW = View(
    summary="mean policy of batches of searches, turn by turn",
    value="DECISION",
    make=make,
    draws=True,
)
