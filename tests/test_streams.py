"""Output that is closed, full, without a reader or in ASCII ends no command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SMOKE = "search +experiment=random_search_digits +debug=smoke"


def shell(command: str, folder: Path, **environment: str) -> tuple[int, str, str]:
    """Run a line of bash in which ``nasctl`` is the program."""
    program = f'nasctl() {{ {sys.executable} -m nasctl "$@"; }}; set -o pipefail; {command}'
    done = subprocess.run(
        ["bash", "-c", program], cwd=folder, env={**os.environ, **environment}, capture_output=True, timeout=300
    )
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("nasctl ls strategy >&-", 0, ""),
        ("nasctl ls strategy 2>&-", 0, ""),
        ("nasctl ls strategy >/dev/full", 2, "nasctl: standard output cannot be written (No space left on device)"),
        ("nasctl ls strategies 2>/dev/full", 2, ""),
        ("nasctl ls strategies 2>&-", 2, ""),
        ("nasctl ls strategy | head -1", 0, ""),
        ("nasctl ls strategy | true", 0, ""),
        ("nasctl ls strategy <&- >&- 2>&-", 0, ""),
        ("nasctl --help >/dev/full 2>&1", 2, ""),
    ],
)
def test_quick_verbs(command: str, code: int, said: str, tmp_path: Path) -> None:
    got, _, err = shell(command, tmp_path)
    assert got == code and "Traceback" not in err and "Exception" not in err
    assert err.startswith(said) and (said or not err)


@pytest.mark.slow
@pytest.mark.parametrize(
    "where", [">&-", "2>&-", ">&- 2>&-", "2>/dev/full", "| true", "2>&1 | true", "2>&1 | head -c 9"]
)
@pytest.mark.parametrize("sweep", ["", "-m seed=0,1"])
def test_a_search_goes_on(where: str, sweep: str, tmp_path: Path) -> None:
    code, _, err = shell(f"nasctl {SMOKE} {sweep} {where}", tmp_path)
    assert code == 0 and "Traceback" not in err
    found = [json.loads(path.read_text()) for path in tmp_path.glob("outputs/search/*/*/status.json")]
    assert len(found) == (2 if sweep else 1) and all(status["status"] == "finished" for status in found)


@pytest.mark.slow
@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "POSIX"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii:strict"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
)
def test_letters_beyond_ascii_in_any_locale(locale: dict[str, str], tmp_path: Path) -> None:
    for command in (
        f"{SMOKE} run_dir=sö/日 label='ü #1'",
        "retrain from=sö/日 run_dir=rä",
        "compare sö rä",
        "ls runs .",
    ):
        code, out, err = shell(f"nasctl {command}", tmp_path, **locale)
        assert code == 0 and "Traceback" not in err, err
    assert {path.name for path in tmp_path.iterdir()} >= {"sö", "rä"}
    code, out, _ = shell("nasctl compare sö rä", tmp_path)
    assert code == 0 and "ü #1" in out and "damaged" not in out


def test_ascii_shows_what_it_lacks_otherwise() -> None:
    from nasctl.cli.streams import _replaced, make_lasting  # noqa: F401  registers nothing by itself

    text = "─±ü\udcff"
    error = UnicodeEncodeError("ascii", text, 0, 3, "")
    assert _replaced(error) == ("-+-\\xfc", 3)
    assert _replaced(UnicodeEncodeError("ascii", text, 3, 4, "")) == (b"\xff", 4)
