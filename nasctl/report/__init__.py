"""The report room: reads run directories and shows them; knows files only, and neither torch nor Hydra."""

from nasctl.report.listing import list_group, list_runs
from nasctl.report.metric import show as metric
from nasctl.report.outcomes import show as outcomes
from nasctl.report.output import compare
from nasctl.report.pareto import show as pareto
from nasctl.report.regret import show as regret
from nasctl.report.trajectory import show as trajectory

__all__ = ["compare", "list_group", "list_runs", "metric", "outcomes", "pareto", "regret", "trajectory"]
