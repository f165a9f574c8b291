"""A run is shown or resumed on the data it was made with; on others it is refused, with both hashes."""

import hashlib
import json
import os
import shutil
from itertools import islice
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from nasctl.config.build import target
from nasctl.core import KnownBySettings
from nasctl.digest import file_digest
from nasctl.errors import MissingDataError, RequestError, RunError
from nasctl.runs.fingerprint import check_finished, differing
from nasctl.walk import every as walk
from tests.dataset.clicks import lines, text
from tests.estimator.test_contract import ESTIMATORS
from tests.small import Problem
from tests.tables import SEEDS, nasbench201, write_table
from tests.text import write_ptb

TABLE = ("space=nasbench201", "strategy=random_search", "estimator=nasbench201_table", "dataset=cifar10")
WORDS = (
    *("dataset=ptb", "dataset.vocabulary=31", "dataset.bptt=7", "dataset.limit_train=60", "dataset.limit_val=40"),
    *("dataset.limit_test=30", "space=lstm", "space.deepest=1", "space.final={embedding: 4, units: 4}"),
    *("trainer=language_model", "trainer.epochs=1", "trainer.batch_size=2", "trainer.eval_batch_size=2", "threads=1"),
    "reward=perplexity",
)
CLICKS = (
    *("dataset=criteo", "dataset.min_count=5", "space=ffn", "space.widths=[2]", "trainer=ffn", "trainer.epochs=1"),
    *(
        "trainer.batch_size=100",
        "trainer.eval_batch_size=100",
        "threads=1",
        "strategy=random_search",
        "budget.trials=1",
    ),
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASCTL_DATA", str(tmp_path / "data"))
    (tmp_path / "data" / "criteo").mkdir(parents=True)
    return tmp_path


def put_table(folder, value=90):
    space = nasbench201()
    names = [space.format.notation(space.genotype(arch)) for arch in islice(walk(space), 0, None, 30)]
    rows = [[name, *[value] * 3] for name in names]
    write_table(folder / "data" / "nb201_table.csv.gz", rows, ["arch", *SEEDS])


def put_words(folder, value=None):
    write_ptb(folder / "data")
    path = folder / "data" / "ptb" / "ptb.valid.txt"
    path.write_text(path.read_text() + (value or ""))


def put_clicks(folder, value=None):
    (folder / "data" / "criteo" / "train.txt").write_bytes(text(lines(200, seed=value or 0)))


def last(folder):
    return max(folder.glob("outputs/*/*/*/environment.json"), key=os.path.getmtime).parent


VERBS = {
    "search, a table": (put_table, 50, ["search", *TABLE, "budget.trials=2"], "table"),
    "search, click logs": (put_clicks, 3, ["search", *CLICKS, "estimator=from_scratch", "estimator.epochs=1"], "data"),
    "search, a text": (
        *(put_words, "w01\n"),
        ["search", *WORDS, "strategy=random_search", "estimator=from_scratch", "estimator.epochs=1", "budget.trials=1"],
        "val",
    ),
    "retrain, a text": (put_words, "w01 w02\n", ["retrain", *WORDS, "from=LSTM"], "val"),
}


@pytest.mark.parametrize("case", VERBS)
def test_a_finished_run_is_not_shown_on_other_data(here, capsys, case):
    put, value, command, name = VERBS[case]
    put(here)
    assert cli.run(command) == 0
    shown, run = capsys.readouterr().out, last(here)
    before = json.loads((run / "environment.json").read_text())["data"][name]
    assert cli.run(command) == 0 and capsys.readouterr().out == shown
    shutil.copytree(here / "data", here / "kept")
    put(here, value)
    assert cli.run(command) == 2
    out, err = capsys.readouterr()
    assert out == "" and f"the data differ from those the run was made with (by {name}" in err
    assert f"{name} was {before} and is " in err and "restore them or use another run_dir" in err
    now = err.split(f"{name} was {before} and is ")[1].strip()
    assert len(now) == 64 and now != before
    shutil.rmtree(here / "data")
    (here / "kept").rename(here / "data")
    assert cli.run(command) == 0 and capsys.readouterr().out == shown


@pytest.mark.parametrize("case", ["search, a table", "search, click logs", "retrain, a text"])
def test_a_finished_run_is_shown_with_a_note_where_its_data_are_gone(here, capsys, case):
    put, _, command, _ = VERBS[case]
    put(here)
    assert cli.run(command) == 0
    shown, run = capsys.readouterr().out, last(here)
    (here / "data").rename(here / "elsewhere")
    assert cli.run(command) == 0
    note, *rest = capsys.readouterr().out.splitlines(keepends=True)
    assert note.startswith(
        f"note: {run.relative_to(here)}: its data cannot be read any more, so it is not known whether"
    )
    assert "".join(rest) == shown


def test_a_selection_and_a_correlation_look_at_their_data_too(here, capsys):
    put_words(here)
    space = ["space=rnn_darts", "space.nodes=2", "space.search.units=4", "space.final.units=4"]
    words = [word for word in WORDS if not word.startswith("space")]
    search = [*space, *words, "strategy=random_search", "estimator=supernet_language", "estimator.batch_size=2"]
    assert cli.run(["search", *search, "estimator/unroll=first_order", "budget.trials=1", "run_dir=found"]) == 0
    select = ["select", "found", *space, *words, "selection.epochs=1"]
    correlate = ["correlate", "found", *space, *words, "n=3", "correlation.resamples=10"]
    assert cli.run(select) == 0 and cli.run(correlate) == 0
    capsys.readouterr()
    put_words(here, "w05\n")
    for command in (select, correlate):
        assert cli.run(command) == 2
        assert "the data differ from those the run was made with (by val" in capsys.readouterr().err


def test_a_text_of_another_vocabulary_is_refused_with_both_hashes_too(here, capsys):
    put_words(here)
    command = ["retrain", *WORDS, "from=LSTM"]
    assert cli.run(command) == 0
    path = here / "data" / "ptb" / "ptb.train.txt"
    path.write_text(path.read_text() + "zebra\n")
    assert cli.run(command) == 2
    assert f"train was {last_hash(here)} and is {file_digest(path, 'sha256')}" in capsys.readouterr().err


def last_hash(folder):
    return json.loads((last(folder) / "environment.json").read_text())["data"]["train"]


@pytest.mark.parametrize("name", sorted({*ESTIMATORS} - {"zero_cost"}))  # which reads what its score reads
def test_an_estimators_class_tells_what_it_reads_from_its_settings(name):
    problem = Problem("budget.epochs=2", estimator=name)
    kind = target(problem.config["estimator"])
    assert issubclass(kind, KnownBySettings)
    assert kind.reads(problem.config["estimator"], problem.data) == problem.estimator().fingerprint()


@pytest.mark.parametrize(
    ("before", "now", "names"),
    [
        ({}, {}, []),
        ({"data": "a"}, {"data": "a"}, []),
        ({"data": "a"}, {"data": "b"}, ["data"]),
        ({"data": "a"}, {"data": "a", "published": "yes"}, []),  # a hash that an older version did not take
        ({"data": "a", "old": "x"}, {"data": "a"}, []),
        ({"data": "a", "rows": "1"}, {"data": "b", "rows": "2"}, ["data", "rows"]),
        ({"table": "a"}, {"data": "b"}, ["table", "data"]),
    ],
)
def test_hashes_that_both_have_are_compared(before, now, names):
    assert differing(before, now) == names


@pytest.mark.parametrize("error", [MissingDataError("gone"), RunError("no disk"), PermissionError("locked")])
def test_data_that_cannot_be_read_end_in_a_note(capsys, error):
    check_finished(Path("run"), {"data": "a"}, lambda: raised(error))
    assert capsys.readouterr().out == (
        f"note: run: its data cannot be read any more, so it is not known whether they changed ({error})\n"
    )


def test_data_that_are_damaged_are_not_those_of_the_run():
    with pytest.raises(RequestError, match=r"the data are not those the run was made with \(data was a\): damaged"):
        check_finished(Path("run"), {"data": "a"}, lambda: raised(RequestError("damaged")))


def raised(error):
    raise error


def test_a_file_is_hashed_once_while_it_stays_as_it_is(tmp_path, monkeypatch):
    path, real, reads = tmp_path / "file", hashlib.file_digest, []
    monkeypatch.setattr(hashlib, "file_digest", lambda *a: reads.append(1) or real(*a))
    path.write_text("abc")
    assert {file_digest(path, "sha256") for _ in range(5)} == {hashlib.sha256(b"abc").hexdigest()} and len(reads) == 1
    for change, expected in ((lambda: path.write_text("abd"), b"abd"), (lambda: swap(path, b"abe"), b"abe")):
        change()
        os.utime(path, ns=(len(reads), len(reads)))
        assert file_digest(path, "sha256") == hashlib.sha256(expected).hexdigest()
    assert len(reads) == 3 and file_digest(path, "md5") == hashlib.md5(b"abe").hexdigest()


def swap(path, content):
    """Put another file of the same size and time in the place of one."""
    stat, other = path.stat(), path.with_name("other")
    other.write_bytes(content)
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    os.replace(other, path)
