"""Look-ups in a table: what a search sees, what is reported, and what a faulty file is told."""

import gzip
import hashlib
from pathlib import Path

import pandas
import pytest
import torch

from nasctl.config.build import make
from nasctl.core import Candidate, EstimatorContext
from nasctl.errors import RequestError
from nasctl.walk import every as walk
from tests.small import CPU, Problem
from tests.tables import nasbench201, write_table

GOOD, PLAIN, BAD = (1, 1, 1, 1, 1, 1), (0, 1, 2, 3, 4, 0), (0, 0, 0, 0, 0, 0)
COLUMNS = ["cell", "one", "two", "three", "hours", "flops"]
ROWS = {GOOD: [94.5, 94.0, 93.0, 7200, 1e6], PLAIN: [90, 91.5, None, 3600, 2e6], BAD: [10, 10, 10, 60, 0]}
SPACE = nasbench201()


def name(arch):
    return SPACE.format.notation(SPACE.genotype(arch))


def rows(changes=None):
    return [[name(arch), *values] for arch, values in (ROWS | (changes or {})).items()]


@pytest.fixture
def table(tmp_path):
    """Return a function that writes rows, and looks up in them with settings changed."""

    def build(written=None, columns=COLUMNS, seed=0, file="t.csv", **changes):
        if written is not None or not (tmp_path / file).exists():
            write_table(tmp_path / file, rows() if written is None else written, columns)
        settings = {
            "_target_": "nasctl.estimator.table.Table",
            "root": str(tmp_path),
            "file": file,
            "split": "val",
            "architecture": "cell",
            "accuracy": ["one", "two", "three"],
            "searched": 0,
            "percent": True,
            "seconds": None,
            "metrics": {},
            "partial": False,
        }
        return make(settings | changes, EstimatorContext(SPACE, NoData(), CPU, seed, lambda values: None))

    return build


class NoData:
    """A data set that must not be touched."""

    def __getattr__(self, name):
        raise AssertionError(f"a table does not need dataset.{name}")


def metrics(estimator, arch=GOOD):
    return dict(estimator.evaluate(Candidate(arch), 0).metrics)


def test_the_search_sees_one_seed_and_the_mean_of_the_others_is_reported(table):
    assert metrics(table()) == pytest.approx(
        {"accuracy": 0.945, "error": 5.5, "reported_accuracy": 0.935, "reported_error": 6.5}
    )
    assert metrics(table(searched=2)) == pytest.approx(
        {"accuracy": 0.93, "error": 7.0, "reported_accuracy": 0.9425, "reported_error": 5.75}
    )


@pytest.mark.parametrize("seed, seen", [(0, 0.945), (1, 0.94), (2, 0.93), (3, 0.945), (500, 0.93)])
def test_without_a_choice_the_seed_says_which_one_is_seen(table, seed, seen):
    assert metrics(table(searched=None, seed=seed))["accuracy"] == pytest.approx(seen)


def test_a_single_column_is_both_seen_and_reported(table):
    assert metrics(table(accuracy=["two"])) == pytest.approx({"accuracy": 0.94, "error": 6.0})


def test_shares_are_taken_as_they_are(table):
    found = metrics(table([[name(GOOD), 0.945]], ["cell", "one"], accuracy=["one"], percent=False))
    assert found == pytest.approx({"accuracy": 0.945, "error": 5.5})


def test_further_columns_are_metrics_under_the_names_given(table):
    found = metrics(table(metrics={"table_macs": "flops", "time": "hours"}, seconds="hours"))
    assert (found["table_macs"], found["time"], found["simulated_seconds"]) == (1e6, 7200, 7200)
    assert found["reported_error"] == pytest.approx(6.5)


def test_every_look_up_gives_its_simulated_seconds_to_be_added_up(table):
    first = table(seconds="hours")
    found = [first.evaluate(Candidate(arch), index).facts for index, arch in enumerate((GOOD, BAD, GOOD))]
    assert found == [{"simulated_seconds": seconds} for seconds in (7200, 60, 7200)]
    assert table().evaluate(Candidate(GOOD), 0).facts == {}


def test_the_record_names_split_columns_and_content(table, tmp_path):
    estimator = table(searched=1)
    assert estimator.error_kind == "table (val)"
    assert estimator.facts() == {"table": {"split": "val", "searched": "two", "reported": ["one", "three"]}}
    assert estimator.fingerprint() == {"table": hashlib.sha256((tmp_path / "t.csv").read_bytes()).hexdigest()}


def test_a_partial_table_covers_the_architectures_that_have_all_values(table):
    partial = table(partial=True)
    assert {arch for arch in walk(SPACE) if partial.covers(arch)} == {GOOD, BAD}
    without_the_third = table(partial=True, accuracy=["one", "two"])
    assert {arch for arch in walk(SPACE) if without_the_third.covers(arch)} == {GOOD, PLAIN, BAD}


def test_a_whole_table_is_taken_at_its_word(table):
    assert table().covers(PLAIN) and table().covers((2, 2, 2, 2, 2, 2))


def test_a_missing_architecture_is_named_with_the_nearest(table):
    with pytest.raises(RequestError) as refused:
        table().evaluate(Candidate((1, 1, 1, 1, 1, 2)), 0)
    assert f"has no row for {name((1, 1, 1, 1, 1, 2))}, the nearest is {name(GOOD)}; add it or set" in str(
        refused.value
    )


def test_a_missing_value_is_named_with_row_and_column(table):
    with pytest.raises(RequestError, match=r"t\.csv, row 3: \|.*\| has no three; add it or set estimator.partial=true"):
        table().evaluate(Candidate(PLAIN), 0)


@pytest.mark.parametrize(
    "setting, place",
    [
        ({"accuracy": ["one", "thre"]}, "estimator.accuracy: column of .*t.csv: unknown 'thre'; did you mean 'three'?"),
        ({"architecture": "cel"}, "estimator.architecture: column of .*: unknown 'cel'; did you mean 'cell'?"),
        ({"seconds": "hour"}, "estimator.seconds: column of .*: unknown 'hour'; did you mean 'hours'?"),
        ({"metrics": {"macs": "flop"}}, "estimator.metrics.macs: column of .*: unknown 'flop'; did you mean 'flops'?"),
        ({"searched": 3}, "estimator.searched=3 counts from 0, but estimator.accuracy names 3; choose at most 2"),
        ({"split": "tset"}, "'train', 'val' or 'test'"),
        ({"accuracy": []}, "at least 1"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_place(table, setting, place):
    with pytest.raises(RequestError, match=place):
        table(**setting)


@pytest.mark.parametrize(
    "changes, place",
    [
        ({PLAIN: ["high", 1, 1, 1, 1]}, r"t\.csv, row 3: one is 'high', not a number; correct it"),
        ({PLAIN: [1, 1, "1,5", 1, 1]}, r"t\.csv, row 3: three is '1,5', not a number; correct it"),
    ],
)
def test_a_value_that_is_no_number_is_refused_with_row_and_column(table, changes, place):
    with pytest.raises(RequestError, match=place):
        table(rows(changes))


def test_a_table_without_rows_is_refused(table):
    with pytest.raises(RequestError, match=r"t\.csv: has a header but no row; give a finished table"):
        table([])


def test_an_architecture_twice_is_refused_with_its_row(table):
    with pytest.raises(RequestError, match=r"t\.csv, row 5: a second row for \|"):
        table([*rows(), rows()[0]])


@pytest.mark.parametrize(
    "percent, value, said",
    [
        (True, 100.5, r"row 2: accuracy 100.5 does not lie in \[0, 100\]; correct it"),
        (True, -1, r"row 2: accuracy -1 does not lie in \[0, 100\]"),
        (False, 94, r"row 2: accuracy 94 does not lie in \[0, 1\]; correct it or set estimator.percent=true"),
    ],
)
def test_an_accuracy_out_of_range_is_refused(table, percent, value, said):
    with pytest.raises(RequestError, match=said):
        table([[name(GOOD), value]], ["cell", "one"], accuracy=["one"], percent=percent).evaluate(Candidate(GOOD), 0)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00 no text", b'cell,one\n"open quote'])
def test_a_file_that_is_no_table_is_refused(table, tmp_path, content):
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(RequestError, match=r"bad\.csv"):
        table(file="bad.csv", architecture="cell", accuracy=["one"])


def test_a_missing_file_is_refused_with_the_remedy(table, tmp_path):
    said = (
        r"estimator.file: there is no .*gone.t.csv; give a .csv, .csv.gz or .parquet file, a folder of NATS-Bench, or"
    )
    with pytest.raises(RequestError, match=said):
        table(root=str(tmp_path / "gone"))


def test_a_truncated_gzip_is_refused(table, tmp_path):
    write_table(tmp_path / "t.csv.gz", rows(), COLUMNS)
    assert metrics(table(file="t.csv.gz")) == metrics(table())
    whole = (tmp_path / "t.csv.gz").read_bytes()
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RequestError, match=r"cut\.csv\.gz: cannot be read as a table"):
        table(file="cut.csv.gz")
    (tmp_path / "empty.csv.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(RequestError, match=r"empty\.csv\.gz: cannot be read as a table"):
        table(file="empty.csv.gz")


def test_a_changed_file_is_read_again(table):
    assert metrics(table())["accuracy"] == pytest.approx(0.945)
    assert metrics(table(rows({GOOD: [50, 94.0, 93.0, 7200, 123456]})))["accuracy"] == pytest.approx(0.5)


def test_parquet_holds_the_same(table, tmp_path):
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame(rows(), columns=COLUMNS)
    frame.to_parquet(tmp_path / "t.parquet")
    for settings in ({}, {"seconds": "hours", "partial": True}):
        assert metrics(table(file="t.parquet", **settings)) == metrics(table(**settings))
    assert not table(file="t.parquet", partial=True).covers(PLAIN)


def test_parquet_without_its_reader_is_refused_with_the_remedy(table, tmp_path, monkeypatch):
    def missing(path):
        raise ImportError("no engine")

    (tmp_path / "t.parquet").touch()
    monkeypatch.setattr(pandas, "read_parquet", missing)
    with pytest.raises(RequestError, match=r"Parquet needs pyarrow; pip install 'nasctl\[parquet\]' or save it as CSV"):
        table(file="t.parquet")


def test_no_random_number_is_drawn(table):
    before = torch.get_rng_state()
    metrics(table())
    assert torch.equal(torch.get_rng_state(), before)


def test_the_preset_of_nasbench201_names_its_columns():
    estimator = Problem(estimator="nasbench201_table").estimator()
    assert estimator.partial and estimator.error_kind == "table (test)" and len(estimator.accuracy) == 3
    assert Path(estimator.table.path).name == "nb201_table.csv.gz"
