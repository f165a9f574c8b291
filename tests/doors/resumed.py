"""A search that is stopped between two trials and goes on, beside the same search without a stop."""

import json
from pathlib import Path

from nasctl.cli import main as cli
from nasctl.errors import Interrupted
from nasctl.runs import Run


def records(command, monkeypatch, ticks=2):
    """Return trials.jsonl and result.json of the search as a whole, and of the one that was stopped and went on."""
    assert cli.run([*command, "run_dir=whole"]) == 0
    tick, seen = Run.tick, []

    def stop(self, state, values):
        tick(self, state, values)
        seen.append(values)
        if len(seen) == ticks:
            raise Interrupted(15)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "tick", stop)
        assert cli.run([*command, "run_dir=halved"]) == 143
    assert cli.run([*command, "run_dir=halved"]) == 0
    return [_record(Path(run)) for run in ("whole", "halved")]


def _record(run):
    return (run / "trials.jsonl").read_text(), json.loads((run / "result.json").read_text())
