"""The report room: reads run directories and shows them; knows files only, and neither torch nor Hydra."""

from nasctl.report.listing import list_group, list_runs
from nasctl.report.output import compare
from nasctl.report.pareto import show as pareto

__all__ = ["compare", "list_group", "list_runs", "pareto"]
