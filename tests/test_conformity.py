"""A class of one's own that lacks a part of its protocol is refused before anything is trained."""

from pathlib import Path

import pytest

from nasctl.cli import main as cli
from nasctl.config.conformity import PROTOCOLS, conforming, members
from nasctl.errors import RequestError
from tests.doors.chain import Chain
from tests.doors.test_walks import SEARCH, SIZE

NAMES = {"space": "canonical", "strategy": "derive", "estimator": "evaluate", "dataset": "held_out", "trainer": "check"}


@pytest.mark.parametrize(("group", "lacking"), NAMES.items())
def test_what_is_missing_is_named(group: str, lacking: str) -> None:
    parts = {name: None for name in members(PROTOCOLS[group]) if name != lacking}
    made = type("Mine", (), parts)()
    with pytest.raises(RequestError, match=rf"{group}: .*Mine lacks {lacking}; add what nasctl\.core\.\w+ describes"):
        conforming(made, group)
    made.__dict__[lacking] = None  # an attribute of the object is as good as one of its class
    assert conforming(made, group) is made


def test_a_search_in_a_space_that_lacks_a_part_ends_before_its_first_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr(Chain, "canonical")
    assert cli.run([*SEARCH, *SIZE, "strategy=random_search", "run_dir=run"]) == 2
    assert "space: tests.doors.chain.Chain lacks canonical; add what" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
