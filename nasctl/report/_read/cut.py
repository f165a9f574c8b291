"""Deviations of a run from the published experiment whose row it is compared with.

A run records in ``cut`` of its config.yaml in which settings it differs from the experiment as conf/ ships it. Of a
run that lacks the record, every override but the experiment's counts as a change, places and seeds apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nasctl.report._read.published import genotypes
from nasctl.report._read.record import Run

_GROUPS = ("space", "strategy", "estimator", "dataset", "trainer", "reward", "constraint")
_USED = {  # groups and settings that a verb uses
    "search": ("space", "strategy", "estimator", "dataset", "reward", "constraint", "budget", "repeats"),
    "select": ("space", "dataset", "trainer", "reward", "constraint", "selection"),
    "retrain": ("space", "dataset", "trainer", "constraint"),
}
_FREE = {  # overrides that leave the experiment as it is
    *("seed", "from", "resume", "traceback", "paths", "workers", "hydra", "run_dir", "checkpoint", "device", "threads"),
    *("label", "form", "format", "dry_run", "record_every", "experiment", "curve", "correlation"),
    *("dataset.download", "dataset.workers", "dataset.root", "dataset.cache", "estimator.root"),
    *("trainer.compile", "trainer.channels_last", "trainer.cuda_graph", "resource"),
}


def cuts(runs: Iterable[Run]) -> tuple[str, ...]:
    """Return the deviations of retrained runs from their published experiment; empty if they may be compared."""
    return tuple(dict.fromkeys(text for run in runs for text in (*_own(run), *_of_source(run), *_of_data(run))))


def used(changes: Any, verb: str) -> list[str]:
    """Return those of the recorded changes, by setting, that touch what ``verb`` uses."""
    if not isinstance(changes, Mapping):
        return []
    words = ("", "published", *_USED.get(verb, _GROUPS))
    return [str(text) for name, text in changes.items() if name.split(".")[0] in words]


def _own(run: Run) -> list[str]:
    """Return the deviations in the run's own settings."""
    if "cut" in run.config:
        return used(run.config["cut"], "retrain")
    return [override for override in run.overrides if not _is_free(override)]


def _is_free(override: str) -> bool:
    name = override.lstrip("+~").partition("=")[0]
    return bool({name, name.split(".")[0], name.split("/")[0]} & _FREE)


def _of_source(run: Run) -> list[str]:
    """Return the deviations in the architecture's origin; none if the experiment's own search found it."""
    kind, name = run.source.get("kind"), run.source.get("name")
    published = run.config.get("published")
    if kind == "run":
        theirs = run.source.get("published", published)
        other = [] if theirs == published else [f"the search {name} is not of the experiment"]
        cut = run.source.get("cut")
        return other + [text for verb, changes in _items(cut) for text in used(changes, verb)]
    if kind == "published" and isinstance(published, Mapping) and name in genotypes(published):
        return []
    return ["random architectures"] if kind == "random" else [f"from={name}"]


def _items(cut: Any) -> list[tuple[str, Any]]:
    """Return the changes of each verb that led to an architecture."""
    return list(cut.items()) if isinstance(cut, Mapping) else []


def _of_data(run: Run) -> list[str]:
    known: Any = run.environment.get("data")
    if isinstance(known, Mapping) and known.get("published") == "no":
        return ["its data are not the published ones"]
    git = run.environment.get("git")
    changed = isinstance(git, Mapping) and "+++ b/conf/" in str(git.get("diff"))
    return ["uncommitted changes of conf/"] * changed
