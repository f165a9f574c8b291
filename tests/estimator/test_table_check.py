"""Tables whose columns are something else than the settings say: the right number, or a sentence."""

import gzip
import re

import pytest

from nasctl.config.build import make
from nasctl.core import Candidate, EstimatorContext
from nasctl.errors import RequestError
from nasctl.estimator._table_check import check_split
from tests.small import CPU
from tests.tables import nasbench201, write_table

SPACE = nasbench201()
ARCHS = [(1, 1, 1, 1, 1, 1), (0, 1, 2, 3, 4, 0), (0, 0, 0, 0, 0, 0), (4, 4, 4, 4, 4, 4)]
NAMES = [SPACE.format.notation(SPACE.genotype(arch)) for arch in ARCHS]


@pytest.fixture
def table(tmp_path):
    """Return a function that makes a table of ``values`` of one column, or of a whole ``content``."""

    def build(values=(), column="acc", content=None, percent=True, **changes):
        if content is None:
            write_table(tmp_path / "t.csv", list(zip(NAMES, values, strict=False)), ["cell", column])
        else:
            (tmp_path / "t.csv").write_bytes(content)
        own = {"root": str(tmp_path), "file": "t.csv", "split": "val", "architecture": "cell", "accuracy": [column]}
        more = {"searched": 0, "percent": percent, "seconds": None, "metrics": {}, "partial": False}
        node = {"_target_": "nasctl.estimator.table.Table"} | own | more | changes
        return make(node, EstimatorContext(SPACE, None, CPU, 0, lambda values: None))

    return build


def error(estimator, arch=ARCHS[0]):
    return estimator.evaluate(Candidate(arch), 0).metrics["error"]


@pytest.mark.parametrize(
    ("values", "percent", "right"),
    [
        ([88.62, 90, 10, 0], True, 11.38),
        ([0.8862, 0.9, 0.1, 0], False, 11.38),
        ([0, 0, 0, 0], True, 100),
        ([0.8333, 0.9, 1.2, 4.7], True, 99.1667),  # chance among 120 classes, and little more
        ([0.8333, 0.8333, 8.6, 47], True, 99.1667),  # constant predictions, all alike
        ([1, 1, 1, 1], False, 0),
        (["8.862e1", " 90 ", "", "1e1"], True, 11.38),
    ],
)
def test_what_can_only_be_right_is_read(table, values, percent, right):
    assert error(table(values, percent=percent)) == pytest.approx(right)


@pytest.mark.parametrize(
    ("values", "percent", "said"),
    [
        (
            [0.8862, 0.9, 0.1],
            True,
            r"percent=true, but none of the 3 values of acc exceeds 1 \(the largest is 0.9\); set",
        ),
        ([0.9], True, "none of the 1 values of acc exceeds 1"),
        ([1, 1, 0, 1], True, "none of the 4 values"),
        ([88.62, 0.9, 0.75, 94], True, r"row 3: accuracy 0.9 stands among percentages from 88.62 on, as do 1 more"),
        (
            [0.88, 0.9, 94.1],
            False,
            r"row 4: accuracy 94.1 does not lie in \[0, 1\]; correct it or set estimator.percent",
        ),
        ([88, 90, -1], True, r"row 4: accuracy -1 does not lie in \[0, 100\]"),
        ([0.8, -0.1], False, r"row 3: accuracy -0.1 does not lie in \[0, 1\]; correct it \("),
        ([88, 100.2], True, "row 3: accuracy 100.2 does not lie"),
        ([88, "inf"], True, "row 3: acc is infinite"),
        ([88, "94,5"], True, "row 3: acc is '94,5', not a number"),
        ([88, "1,234.5"], True, "row 3: acc is '1,234.5', not a number"),
        ([88, "94.5 %"], True, "row 3: acc is '94.5 %', not a number"),
        ([88, "0x5E"], True, "row 3: acc is '0x5E', not a number"),
        ([88, "9_4"], True, "row 3: acc is '9_4', not a number"),
    ],
)
def test_what_means_something_else_is_refused(table, values, percent, said):
    with pytest.raises(RequestError, match=said):
        table(values, percent=percent)


@pytest.mark.parametrize(
    "column", ["test_error", "top1_err", "val loss", "NLL", "errors", "valid-ppl", "cross_entropy_loss"]
)
def test_a_column_of_errors_by_its_name_is_no_accuracy(table, column):
    with pytest.raises(RequestError, match=r"estimator.accuracy=.*: by its name \(.*\) the column holds no accuracies"):
        table([11.38, 9.0], column)


@pytest.mark.parametrize("column", ["terra_acc", "glossy", "acc_seed0", "cifar10_test_acc_200", "interrogation"])
def test_other_names_are_taken(table, column):
    assert error(table([88.62, 9.0], column, split="test")) == pytest.approx(11.38)


@pytest.mark.parametrize("name", ["error", "accuracy", "reported_error", "simulated_seconds"])
def test_a_further_metric_cannot_replace_the_tables_own(table, name):
    with pytest.raises(RequestError, match=f"estimator.metrics.{name}: the table gives {name} by itself"):
        table([88.62], metrics={name: "acc"})


def test_seconds_are_not_negative(table):
    with pytest.raises(RequestError, match="row 3: hours is -2, a negative time"):
        table(content=f"cell,acc,hours\n{NAMES[0]},88,1\n{NAMES[1]},90,-2\n".encode(), seconds="hours")


TWO = f"{NAMES[0]},88.62,5\n{NAMES[1]},90,6\n"
FAULTS = {
    "rows longer than the header": ("cell,acc\n" + TWO, "row 2: has 3 fields where the header has 2"),
    "a first row longer than the header": (f"cell,acc\n{NAMES[0]},88,5\n{NAMES[1]},90\n", "row 2: has 3 fields where"),
    "a row that is cut short": (
        "cell,acc,more\n" + TWO + f"{NAMES[2]},9",
        "row 4: has 2 fields where the header has 3",
    ),
    "two columns of one name": ("cell,acc,acc\n" + TWO, "row 1: two columns are named 'acc'"),
    "a key that two rows share": ("cell,acc,more\n" + TWO + f"{NAMES[0]},10,5\n", "row 4: a second row for"),
    "a key that blanks tell apart": ("cell,acc,more\n" + TWO + f" {NAMES[0]} ,10,5\n", "row 4: a second row for"),
    "semicolons": (("cell,acc,more\n" + TWO).replace(",", ";"), "estimator.architecture: column of .*: unknown 'cell'"),
    "columns that are swapped": (f"acc,cell,more\n{TWO}", r"acc is '\|.*', not a number"),
    "no header": (TWO, "unknown 'cell'"),
    "an empty file": ("", "cannot be read as a table"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fields_in_the_wrong_place_are_refused(table, fault):
    content, said = FAULTS[fault]
    with pytest.raises(RequestError, match=said):
        table(content=content.encode())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_do_not_change_the_figure(table, encoding, end):
    content = ("cell,acc,more\n" + TWO).replace("\n", end).encode(encoding)
    assert error(table(content=content)) == pytest.approx(11.38)


def test_mixed_encodings_are_refused(table):
    with pytest.raises(RequestError, match="cannot be read as a table"):
        table(content=b"cell,acc,note\n" + TWO.replace("5", "caf\u00e9").encode("latin-1"))


def test_a_table_of_shares_is_refused_when_gzipped_too(table, tmp_path):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(f"cell,acc\n{NAMES[0]},0.88\n{NAMES[1]},0.9\n".encode()))
    with pytest.raises(RequestError, match="none of the 2 values of acc exceeds 1"):
        table(content=b"", file="t.csv.gz")


@pytest.mark.parametrize("split", ["val", "train"])
@pytest.mark.parametrize(
    "column",
    [
        *("cifar10-test-accuracy", "test_acc", "TEST ACC", "cifar10_test_acc_seed0", "acc.test", "testAcc", "topTest1"),
        *("cifar10-valid/x-test/200/777", "cifar10/ori-test/199", "train_test_acc", "TestAccuracy", "test"),
    ],
)
def test_a_column_of_test_accuracies_is_no_other_split(column, split):
    with pytest.raises(RequestError, match=rf"estimator.split={split}: by its name the column {re.escape(column)} of"):
        check_split(["acc", column], split)
    check_split([column], "test")


@pytest.mark.parametrize(
    "column",
    [
        *("latest_acc", "contest", "tested", "val_acc", "acc", "test-valid-accuracy", "cifar10-valid/x-valid/90/777"),
        *("attestation", "x-train", "greatest", "testbed 3", "test_training", "Testament"),
    ],
)
def test_other_names_are_of_any_split(column):
    for split in ("train", "val", "test"):
        check_split([column], split)


def test_a_table_reads_no_test_column_as_validation(table):
    with pytest.raises(RequestError, match=r"by its name the column test_acc of estimator\.accuracy holds test"):
        table([88, 94], column="test_acc", split="val")
    table([88, 94], column="test_acc", split="test")
