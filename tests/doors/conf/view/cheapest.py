"""The trials of lowest cost: a view of `nasctl compare` that the package does not have."""

from collections.abc import Sequence

from nasctl.report.extend import Content, Run, Setting, View, grid, trials


def make(runs: Sequence[Run], metric: str, *, top: int) -> Content:
    found = [(trial.metrics[metric], run.path.name, trial.index) for run in runs for trial in trials(run)]
    rows = [{"run": name, "trial": str(index), metric: f"{value:.3f}"} for value, name, index in sorted(found)[:top]]
    return Content([grid(f"The {top} lowest by {metric}", rows)])


VIEW = View("trials of lowest metric", "METRIC", make, (Setting("top", int, 3, "trials that are shown"),))
