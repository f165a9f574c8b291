"""The runs of a comparison as CSV."""

import csv
import io
import json

import pytest
from fabricate import genotype, retrain, search

from nasctl.cli import main as cli
from nasctl.report.command import compare
from tests.report.test_replicas import line, repeated


def rows(root):
    return list(csv.DictReader(io.StringIO(compare([str(root)], format="runs_csv"))))


def test_each_retraining_has_a_line_with_its_seeds_work_and_genotype(root):
    found = {"normal": [["sep_conv_3x3", 0]], "concat": [2, 3]}
    for search_seed in (1, 0):
        for seed in (0, 1):
            work = {"search": 10, "selection": 0, "retrain": 7}
            folder = retrain(root, search_seed=search_seed, seed=seed, error=3.0 + search_seed, work=work)
            (folder / "architecture.json").write_text(json.dumps({"genotype": found}))
    told = rows(root)
    assert [(r["search_seed"], r["retrain_seed"], r["error"]) for r in told] == [
        ("0", "0", "3.0"), ("0", "1", "3.0"), ("1", "0", "4.0"), ("1", "1", "4.0"),
    ]  # fmt: skip
    assert {(r["method"], r["work_search"], r["work_retrain"], r["device"]) for r in told} == {
        ("darts", "10", "7", "H100")
    }
    assert json.loads(told[0]["genotype"]) == found and told[0]["seconds_retrain"] == "129600.0"


@pytest.mark.parametrize("content", [None, "", "{", "[1]", "{}"])
def test_a_genotype_that_cannot_be_read_is_empty(root, content):
    folder = retrain(root, source=genotype("DARTS_V1"))
    if content is not None:
        (folder / "architecture.json").write_text(content)
    [only] = rows(root)
    assert (only["method"], only["genotype"], only["search_seed"]) == ("DARTS_V1", "", "")


def test_each_replica_has_a_line_with_what_it_decided(root):
    lines = [line(seed, 5.0 + seed) | {"arch": [seed, 1 - seed]} for seed in (0, 1)]
    folder = repeated(root, lines, work={"search": 10, "selection": 0}, cpu_seconds={"search": 3.0})
    (folder / "decisions.json").write_text(json.dumps({"layer1": ["2", "4"], "layer2": ["8", "16"]}))
    assert [(r["search_seed"], r["error"], r["genotype"]) for r in rows(root)] == [
        ("0", "5.5", '["2","16"]'), ("1", "6.5", '["4","8"]'),
    ]  # fmt: skip
    assert {(r["work_search"], r["seconds_search"], r["cpu_seconds_search"]) for r in rows(root)} == {
        ("5.0", "86400.0", "1.5"),
    }  # fmt: skip


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d", "\t="])
def test_no_cell_is_a_formula_or_steers_a_terminal(root, start):
    formula = f'{start}HYPERLINK("http://example.org";"x")\x1b[2J\u202e'
    search(root, label=formula, device={"type": "cpu", "name": formula})
    text = compare([str(root)], format="runs_csv")
    [only] = rows(root)
    for cell in (only["method"], only["device"]):
        assert cell.removeprefix("'").startswith(("\\t",) if start[0] == "\t" else (start,))
        assert cell[0] not in "=+-@\uff1d" and cell.isprintable()
    assert not any(character in text for character in "\x1b\t\u202e")


def test_numbers_below_zero_stay_numbers(root):
    search(root, error=-3.5, label="-3.5")
    assert [(r["error"], r["method"]) for r in rows(root)] == [("-3.5", "-3.5")]


def test_searches_that_nobody_retrained_have_a_line(root):
    search(root, seed=3)
    [only] = rows(root)
    assert (only["search_seed"], only["retrain_seed"], only["error_kind"]) == ("3", "", "proxy")


def test_the_command_line_writes_it(root, tmp_path, capsys):
    search(root)
    assert cli.run(["compare", str(root), "format=runs_csv", f"out={tmp_path / 'study.csv'}"]) == 0
    assert (tmp_path / "study.csv").read_text().startswith("method,search_seed,retrain_seed,measure,error,")
