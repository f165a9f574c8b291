"""How the mean policy of a batch of searches moved: the probability of each option of a decision, turn by turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nasctl.core import RequestError, unknown
from nasctl.report import view
from nasctl.report.document import Grid, grid
from nasctl.report.plot import canvas
from nasctl.report.record import Run, find
from nasctl.text import plot_label


def show(paths: Sequence[str], *, trajectory: str, format: str, plot: str | None, overwrite: bool) -> str:
    """Return the probabilities of the options of the decision ``trajectory`` in each run; ``plot`` is a file."""
    view.check(format, plot, overwrite)
    runs = [run for run in find(paths) if run.result.get("trajectory")]
    if not runs:
        raise RequestError(
            "trajectory: none of these runs noted its policies; give a search with strategy.batched=true and a curve"
        )
    for run in runs:
        _check(run, trajectory)
    if plot is not None:
        view.save(_drawn(runs, trajectory), plot)
    return view.text([_grid(runs, trajectory)], format)


def _check(run: Run, decision: str) -> None:
    known = run.result["trajectory"][0]["probabilities"]
    if decision not in known:
        raise unknown(f"trajectory ({run.path})", decision, known)


def _grid(runs: Sequence[Run], decision: str) -> Grid:
    rows = [
        {
            "method": _label(run),
            "turn": str(point["turn"]),
            **{option: f"{share:.3f}" for option, share in point["probabilities"][decision].items()},
        }
        for run in runs
        for point in run.result["trajectory"]
    ]
    return grid(f"Mean probability of each option of {decision}", rows)


def _drawn(runs: Sequence[Run], decision: str) -> Any:
    figure, places = canvas(len(runs))
    for run, axes in zip(runs, places if len(runs) > 1 else [places], strict=True):
        points = run.result["trajectory"]
        for option in points[0]["probabilities"][decision]:
            shares = [point["probabilities"][decision][option] for point in points]
            axes.plot([point["turn"] for point in points], shares, label=plot_label(option))
        axes.set(title=plot_label(_label(run)), xlabel="turn", ylim=(0, 1))
        axes.set_ylabel(plot_label(f"probability in {decision}"))
        axes.legend(fontsize="small")
    return figure


def _label(run: Run) -> str:
    return str(run.config.get("label") or run.choices.get("strategy"))
