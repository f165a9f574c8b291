"""Signals: a run saves and stops, an import ends at once, and what whoever started it ignores stays ignored."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nasctl import signals
from nasctl.errors import Interrupted
from tests.commands import finish, start
from tests.test_runs import open_run, status

LONG = ["search", "+experiment=darts_digits", "+debug=smoke", "budget.epochs=500", "budget.trials=null", "run_dir=run"]
STOPPING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]


@pytest.mark.parametrize("number", STOPPING)
def test_each_saves_and_stops_at_the_next_tick(number: signal.Signals, tmp_path: Path) -> None:
    with pytest.raises(Interrupted) as stopped, open_run(tmp_path) as run:
        signal.raise_signal(number)
        run.tick(lambda: {"step": 7}, {})
    assert stopped.value.signal == number and status(tmp_path)["status"] == "interrupted"
    with open_run(tmp_path) as run:
        assert run.state == {"step": 7}


@pytest.mark.parametrize("number", signals.UNLESS_IGNORED)
def test_what_is_ignored_stays_ignored(number: signal.Signals, tmp_path: Path) -> None:
    """As under nohup."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with open_run(tmp_path) as run:
            signal.raise_signal(number)
            run.tick(lambda: {"step": 7}, {})
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)
    assert status(tmp_path)["status"] == "finished"


def test_handlers_are_given_back(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in STOPPING]
    with open_run(tmp_path):
        assert [signal.getsignal(number) for number in STOPPING] != before
    assert [signal.getsignal(number) for number in STOPPING] == before


@pytest.mark.parametrize("seconds", [0.03, 0.06, 0.1, 0.2, 0.4, 0.8])
def test_ctrl_c_early(seconds: float, tmp_path: Path) -> None:
    """Before the interpreter runs a line of ours, the signal ends it as it ends any program."""
    process = start(LONG, tmp_path)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code in (130, -signal.SIGINT) or "nasctl/" not in err
    assert "Traceback" not in err or not {"main.py", "start.py", "compose.py", "signals.py"} & set(
        re.findall(r"\w+\.py", err)
    )


@pytest.mark.parametrize("number", STOPPING)
def test_an_import_ends_at_once(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(f"import signal\nsignal.raise_signal({int(number)})\nprint('went on')\n")
    program = "from nasctl import signals; signals.handle(signals.stop)\ntry: import slow\nfinally: print('went on')"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (128 + number, "")
    assert done.stderr == f"nasctl: stopped by signal {int(number)}; give the same command again\n"


def test_elsewhere_it_is_an_exception() -> None:
    with signals.handled(signals.stop), pytest.raises(Interrupted, match="stopped by signal 10"):
        signal.raise_signal(signal.SIGUSR1)


@pytest.mark.slow
@pytest.mark.parametrize("number", STOPPING)
def test_a_search_is_saved_and_resumed(number: signal.Signals, tmp_path: Path) -> None:
    process = start(LONG, tmp_path)
    lines, deadline = tmp_path / "run" / "trials.jsonl", time.monotonic() + 120
    while not (lines.exists() and lines.read_bytes()):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    code, _, err = finish(process)
    assert code == 128 + number and "Traceback" not in err
    assert f"stopped by signal {int(number)}; give the same command again to resume" in err
    assert (tmp_path / "run" / "checkpoint.pt").exists()
    assert json.loads((tmp_path / "run" / "status.json").read_text())["status"] == "interrupted"
