"""A view of `compare` and an output format of a user's own: a file each, in a folder that --config-dir names."""

from pathlib import Path

import pytest

from nasctl.cli import main as cli
from tests.doors.test_walks import CONF, SEARCH, SIZE

OWN = ["compare", "--config-dir", str(CONF), "run"]
VIEW = "from nasctl.report.extend import Content, Setting, View\n"
BROKEN = {
    "def (": "cannot be imported, line 1 (SyntaxError: invalid syntax); mend the file, or take it out of the folder",
    "\nimport nothing_of_the_name": "cannot be imported, line 2 (ModuleNotFoundError: No module named",
    "x = 1": "has no VIEW = View(...); add it",
    VIEW + "VIEW = View('', '', lambda runs: Content([]))": "the function does not take 2 arguments and its settings",
    VIEW + "VIEW = View('', '', lambda runs, value: value)": "made str, not Content",
    VIEW + "VIEW = View('', '', lambda runs, value: runs[9])": "failed, line 2 (IndexError: list index out of range)",
    VIEW + "VIEW = View('', '', print, (Setting('out', int, 1, ''),))": "its setting out is one of compare; rename it",
}


@pytest.fixture(scope="module", autouse=True)
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("views"))
        assert cli.run([*SEARCH, *SIZE, "strategy=random_search", "run_dir=run"]) == 0
        yield


def test_an_own_view_is_shown_in_every_format(capsys):
    for format in ("table", "markdown", "latex", "csv", "json", "lines"):
        assert cli.run([*OWN, "cheapest=error", "top=2", f"format={format}", "out=shown", "overwrite=true"]) == 0
        assert Path("shown").read_text().count("run") >= 2
    assert Path("shown").read_text().splitlines()[0].startswith("run\t")
    assert cli.run([*OWN, "format=lines"]) == 0 and "random_search\t" in capsys.readouterr().out


def test_the_help_lists_both(capsys):
    assert cli.run(["compare", "--help", "--config-dir", str(CONF)]) == 0
    shown = capsys.readouterr().out
    assert "cheapest=METRIC" in shown and "top=N" in shown and "cells parted by tabs" in shown


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_one_sentence(text, tmp_path, capsys):
    (tmp_path / "view").mkdir()
    (tmp_path / "view/mine.py").write_text(text)
    assert cli.run(["compare", "--config-dir", str(tmp_path), "run", "mine=x"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"nasctl: {tmp_path}/view/mine.py: {BROKEN[text]}") and told.count("\n") == 1


def test_a_name_that_is_taken_is_refused(tmp_path, capsys):
    (tmp_path / "format").mkdir()
    (tmp_path / "format/csv.py").write_text("")
    assert cli.run(["compare", "--config-dir", str(tmp_path), "run", "format=csv"]) == 2
    assert "format/csv.py: there is a format csv already" in capsys.readouterr().err
    assert cli.run(["compare", "--config-dir", "nowhere", "run"]) == 2
    assert "--config-dir nowhere: there is no such folder" in capsys.readouterr().err
