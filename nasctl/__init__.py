"""Neural architecture search that a person can run: search, retrain, compare."""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # typing's own would have to be imported, before Ctrl-C is handled
if TYPE_CHECKING:
    import pandas

    from nasctl.genotype_source import Loaded


def load(run: str) -> Loaded:
    """Return the genotype and, after a retrain, the trained network of a finished run directory."""
    from nasctl.genotype_source import load

    return load(run)


def table(*paths: str) -> pandas.DataFrame:
    """Return what ``nasctl compare`` prints as a data frame: a row a method, and the published ones."""
    from io import StringIO

    import pandas

    from nasctl.report import compare

    rows = pandas.read_csv(StringIO(compare(list(paths) or ["outputs"], format="csv")))
    return rows[rows["kind"].isin(["measured", "published"])].dropna(axis="columns", how="all")
