"""The runs behind a table as CSV, a line each: what a study ships beside its figures.

Errors are in percent, or perplexities where ``measure`` says so; work is in multiply-accumulates, time in seconds. A
repeated search has a line a replica.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from nasctl.errors import RequestError
from nasctl.report._read.method import Method
from nasctl.report._read.record import COUNTED, Json, Run, content, finite
from nasctl.report._read.spending import PHASES, device_names
from nasctl.report.declaration import Content, Format, Line
from nasctl.report.format.csv import table
from nasctl.runs.reader import DamagedError


def lines(rows: Sequence[Method]) -> Iterator[Line]:
    """Yield what is kept of each run, row by row, in the order of seeds."""
    for row in rows:
        for run in sorted(row.runs, key=_order):
            yield _line(row, run)


def write(content: Content) -> str:
    """Return a table with a line a run, or raise `RequestError` for a view that has no rows of runs."""
    if content.rows is None:
        raise RequestError("format=runs_csv: this view has no rows of runs; leave the view out")
    return table(lines(content.rows)) if content.rows else "method\n"


def _order(run: Run) -> tuple[str, str]:
    return f"{run.source.get('seed') or 0:>9}", f"{run.result['seed']:>9}"


def _line(row: Method, run: Run) -> Line:
    searched = run.verb != "retrain"
    return {
        "method": row.label,
        "search_seed": run.result["seed"] if searched else run.source.get("seed"),
        "retrain_seed": None if searched else run.result["seed"],
        "measure": run.measure,
        "error": run.score,
        "error_kind": run.result["error_kind"],
        "params": run.number("params"),
        "macs": run.number("macs"),
        **{f"cost_{name}": value for name, value in run.costs.items() if name not in COUNTED},
        "feasible": run.result.get("feasible"),
        **_phases("work", run.result.get("work"), run.sharers),
        **_phases("seconds", run.result.get("cost"), 1),  # already a replica's own share
        **_phases("cpu_seconds", run.result.get("cpu_seconds"), run.sharers),
        "device": device_names([run.result.get("device")]),
        "dataset": run.choices.get("dataset"),
        "recipe": run.result.get("recipe"),
        "signature": run.result.get("signature"),
        "genotype": _genotype(run),
        "run": str(run.path),
    }


def _phases(name: str, spent: Json | None, parts: int) -> Line:
    """Return what each phase took, of which a run has one of so many equal ``parts``."""
    known = spent if isinstance(spent, Mapping) else {}
    found = {phase: finite(known.get(phase)) for phase in PHASES}
    return {f"{name}_{p}": value if value is None or parts == 1 else value / parts for p, value in found.items()}


def _genotype(run: Run) -> str:
    """Return the genotype as JSON; of a replica, the options that it decided for."""
    replica = run.result.get("replica")
    if replica is None:
        found = _content(run, "architecture.json").get("genotype")
        return "" if found is None else json.dumps(found, separators=(",", ":"))
    decisions = _content(run, "decisions.json")
    options = list(decisions.values())
    named = [known[k] for known, k in zip(options, replica.get("arch", ()), strict=False)]
    return json.dumps(named or replica.get("arch"), separators=(",", ":"))


def _content(run: Run, name: str) -> Json:
    """Return the content of a JSON file of the run; empty where it cannot be read."""
    try:
        found: Json = content(run, name, {})
    except DamagedError:
        return {}
    return found


FORMAT = Format(summary="a line a run: seeds, error, work, time, genotype", write=write)
