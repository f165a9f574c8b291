"""Neural architecture search that a person can run: search, retrain, compare."""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # typing's own would have to be imported, before Ctrl-C is handled
if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas

    from nasctl.genotype_source import Loaded


def load(
    run: str,
    *,
    data: str | None = None,
    config_dir: str | None = None,
    addresses: Mapping[str, str] | None = None,
) -> Loaded:
    """Return the genotype and, after a retrain, the trained network of a finished run directory.

    A run may come from a stranger, so it names neither classes of its own nor places on the disk. ``data`` is the
    folder of data sets (default: NASCTL_DATA, or data), ``config_dir`` a folder of YAML files for choices of your own,
    and ``addresses`` has other paths by setting, such as ``{"dataset.folder": "my_text"}``.
    """
    from nasctl.genotype_source import load

    return load(run, data, config_dir, addresses or {})


def table(*paths: str) -> pandas.DataFrame:
    """Return what ``nasctl compare`` prints as a data frame: a row a method, and the published ones."""
    from io import StringIO

    import pandas

    from nasctl.report.command import compare

    rows = pandas.read_csv(StringIO(compare(list(paths) or ["outputs"], format="csv")))
    return rows[rows["kind"].isin(["measured", "published"])].dropna(axis="columns", how="all")
