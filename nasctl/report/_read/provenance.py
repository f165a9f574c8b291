"""Provenance of rows: commits, thread counts, device models, versions and speed settings, which split no row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nasctl.report._read.likeness import SPEED, distinct_paths, equal_work
from nasctl.report._read.record import Json, Run
from nasctl.report._statistics.figure import work as written

_COMMIT = 10  # characters of a commit's hash
_WORDS = {"commit": "commits", "thread count": "thread counts", "device": "devices"}  # plurals
_PHASES = ("search", "selection")
_THREADS = re.compile(r", \d+ threads$")


def made_with(run: Run) -> dict[str, str]:
    """Return the provenance of a run by name, as far as it is recorded."""
    known = {
        "commit": _commit(run.environment.get("git")),
        "thread count": run.environment.get("threads"),
        "device": _model(run.result.get("device") or run.environment.get("device")),
        "nasctl": run.environment.get("nasctl"),
        **_mapping(run.environment.get("versions")),
        **{name: value for name, value in _mapping(run.config.get("trainer")).items() if name in SPEED},
    }
    return {name: str(value) for name, value in known.items() if value is not None}


def several(runs: Iterable[Run]) -> dict[str, list[str]]:
    """Return the distinct values of each provenance field in which ``runs`` differ."""
    found: dict[str, dict[str, None]] = {}
    for run in distinct_paths(runs):
        for name, value in made_with(run).items():
            found.setdefault(name, {})[value] = None
    return {name: sorted(values) for name, values in found.items() if len(values) > 1}


def differing(runs: Sequence[Run]) -> list[str]:
    """Return the provenance fields in which ``runs`` differ, each with its values as text."""
    return [f"{name} ({', '.join(values)})" for name, values in several(runs).items()]


def beside(runs: Sequence[Run], searches: Sequence[Run]) -> tuple[str, ...]:
    """Return the provenance remarks of a row: where its runs, or the searches behind them, differ."""
    found = {name: several(runs).get(name) or values for name, values in several([*runs, *searches]).items()}
    remarks = [f"made by {_counted(name, values)}" for name, values in found.items()]
    return (*remarks, *_names(runs), *_works(runs))


def _counted(name: str, values: Sequence[str]) -> str:
    return f"{len(values)} {plural(name)} ({'; '.join(values)})"


def plural(name: str) -> str:
    """Return the plural of a provenance field's name."""
    return _WORDS.get(name, f"values of {name}" if name in SPEED else f"versions of {name}")


def _names(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return a remark if one genotype was given under several names."""
    bare = [run for run in runs if run.verb == "retrain" and run.method is None]
    names = sorted({str(run.source.get("name")) for run in bare})
    return (f"one genotype under {len(names)} names ({'; '.join(names)})",) if len(names) > 1 else ()


def _works(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return a remark with the range of the searches' works, if these are not equal."""
    found = [work for run in runs if (work := searched(run))]
    if not found or equal_work(min(found), max(found)):
        return ()
    return (f"searches of {written(min(found))} to {written(max(found))} multiply-accumulates",)


def searched(run: Run) -> int:
    """Return the multiply-accumulates of the search and selection behind a run, 0 where they are not known."""
    work = _mapping((run.source if run.verb == "retrain" else run.result).get("work"))
    values = [work.get(phase) for phase in _PHASES]
    return sum(int(value) for value in values if isinstance(value, int | float))


def _commit(git: Any) -> str | None:
    known = _mapping(git)
    if not known.get("commit"):
        return None
    return str(known["commit"])[:_COMMIT] + (" with uncommitted changes" if known.get("diff") else "")


def _model(device: Any) -> str | None:
    """Return the device's name without the number of threads, which is a field of its own."""
    name = _mapping(device).get("name")
    return None if name is None else _THREADS.sub("", str(name))


def _mapping(value: Any) -> Json:
    return value if isinstance(value, Mapping) else {}
