"""What several pending candidates cannot be combined with is one sentence, before anything is trained."""

import pytest

from nasctl.cli import main as cli
from tests.doors.test_pending import SEARCH, SIZE


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([*SEARCH[3:], *SIZE, "strategy=waiting"], "waits for a trial after 3, but none is pending; have ask"),
        (["strategy=random_search", "space=darts", "dataset=digits"], "estimator=supernet scores each candidate with"),
        (["strategy=darts", "space=darts", "dataset=digits"], "strategy=darts follows the gradient of each candidate"),
        (
            ["strategy=random_search", "space=darts", "dataset=digits", "executor=nowhere"],
            "executor: unknown 'nowhere'; choose",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(settings, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.run([*SEARCH[:3], "pending=3", *settings, "budget.trials=11", "run_dir=run"]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
