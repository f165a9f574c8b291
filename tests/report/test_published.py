"""Published rows: shipped whole, selected by data set or name, footnoted, and set against measured ones."""

import pytest
from fabricate import retrain, search

from nasctl.errors import RequestError
from nasctl.report._read.published import notes, notes_of, rows, select, tables
from nasctl.report.command import compare

SECOND = {"table": "C10-DARTS", "method": "DARTS second order + cutout"}


def shown(content):
    return {row["table"] for row in content["published"]}


def test_the_shipped_tables_are_whole():
    counts = {name: sum(row.table == name for row in rows()) for name in tables()}
    assert counts == {"C10-DARTS": 14, "C10-ENAS": 20, "C10-NAS": 23, "PTB-DARTS": 10}
    assert all(float(row.value) > 0 and row.source and row.citation for row in rows())


def test_every_note_is_bound_to_rows_that_exist():
    known = {(row.table, row.method) for row in rows()}
    bound = {(table, method) for note in notes() for table, methods in note.rows.items() for method in methods}
    assert bound <= known
    assert {table for note in notes() for table in note.tables} <= set(tables())
    assert len({note.id for note in notes()}) == len(notes())


def test_nothing_internal_is_left_in_the_sources():
    text = " ".join(f"{row.source} {row.raw_cost}" for row in rows())
    assert "seed" not in text and "slide" not in text


@pytest.mark.parametrize(
    ("dataset", "expected"), [("cifar10", {"C10-DARTS"}), ("ptb", {"PTB-DARTS"}), ("digits", set())]
)
def test_auto_shows_the_tables_of_the_data_sets(root, compared, dataset, expected):
    search(root, choices={"dataset": dataset})
    assert shown(compared()) == expected


def test_auto_adds_the_table_that_a_run_names(root, compared):
    search(root, published={"table": "C10-ENAS", "method": "ENAS macro"})
    assert shown(compared()) == {"C10-DARTS", "C10-ENAS"}


@pytest.mark.parametrize(("request_", "expected"), [("none", set()), ("C10-NAS", {"C10-NAS"}), ("all", set(tables()))])
def test_tables_can_be_asked_for(root, compared, request_, expected):
    search(root)
    assert shown(compared(published=request_)) == expected


def test_an_unknown_table_is_refused_with_the_nearest(root):
    search(root)
    with pytest.raises(RequestError, match=r"published: unknown 'C10-DART'; did you mean 'C10-DARTS'"):
        compare([str(root)], published="C10-DART")


@pytest.mark.parametrize("published", ["auto", "none"])
def test_the_difference_to_the_paper_is_in_points(root, compared, published):
    for seed, error in enumerate((2.9, 3.1)):
        retrain(root, search_seed=seed, error=error, published=SECOND)
    row, half = compared(published=published)["methods"][0], 12.706 * 0.1  # t of one degree of freedom, std / sqrt(2)
    bounds = [row["difference_low"], row["difference"], row["difference_high"]]
    assert bounds == pytest.approx([0.24 - half, 0.24, 0.24 + half], abs=1e-4) and row["paper_std"] == 0.09
    text = compare([str(root)], published=published, format="markdown")
    assert (
        "| +0.24 [-1.03, +1.51] | 0.09 |" in text
        and "| ± of the paper |" in text
        and "takes the published figure as exact" in text
    )


def test_a_paper_without_a_deviation_and_a_single_seed(root, compared):
    retrain(root, published={"table": "C10-ENAS", "method": "ENAS macro"}, error=4.0)
    [row] = compared()["methods"]
    assert row["difference"] is not None and row["difference_low"] is row["paper_std"] is None
    assert "± of the paper |" not in compare([str(root)], format="markdown")


def test_an_estimate_has_no_difference_to_the_paper(root, compared):
    search(root, published=SECOND)
    assert compared()["methods"][0]["difference"] is None


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ({"table": "C10-DARTS", "method": "DARTS second ordr + cutout"}, "did you mean 'DARTS second order"),
        ({"table": "C11-DARTS", "method": "PNAS"}, "did you mean 'C10-DARTS'"),
        ({"method": "PNAS"}, "must name table and method"),
    ],
)
def test_a_reference_to_no_published_row_is_refused(root, reference, words):
    folder = retrain(root, published=reference)
    with pytest.raises(RequestError, match=words) as error:
        compare([str(root)])
    assert str(folder / "config.yaml") in str(error.value)


def test_only_notes_of_shown_rows_are_shown():
    shown = {note.id for note in notes_of(select("PTB-DARTS", [], []))}
    assert shown == {"cost-excludes", "cost-repeats-ptb", "random-ptb", "enas-ptb", "nas-ptb"}
    assert notes_of([]) == []


def test_footnotes_are_numbered_at_the_row_and_below(root):
    search(root)
    text = compare([str(root)], format="markdown")
    row = next(line for line in text.splitlines() if "DARTS second order + cutout" in line)
    note = next(line for line in text.splitlines() if "one search run is 0.375 GPU-days" in line)
    number = note.split("]")[0].removeprefix("- [")
    assert number in row.split("[")[1].split("]")[0].split(",")


def test_a_cost_in_cpu_days_does_not_stand_in_the_gpu_column(root, compared):
    search(root)
    nas = next(row for row in compared(published="PTB-DARTS")["published"] if row["method"] == "NAS")
    assert (nas["gpu_days_min"], nas["gpu_days_max"], nas["raw_cost"]) == (None, None, "1e4 CPU-days")


def test_published_rows_are_marked_as_not_measured_here(root):
    search(root)
    assert "Published, not measured here: CIFAR-10, Liu et al. 2019" in compare([str(root)], width=120)
