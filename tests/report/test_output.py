"""The formats, and the file that a comparison is written to."""

import csv
import io
import json
import subprocess
import sys

import pytest
from fabricate import CPU, genotype, retrain, run, search

from nasctl.errors import RequestError
from nasctl.report import discovery
from nasctl.report.command import compare
from nasctl.report.format.latex import escape

PAPER = {"table": "C10-DARTS", "method": "DARTS second order + cutout"}


@pytest.fixture
def runs(root):
    """Return a folder with two methods, a search nobody retrained and a failed run."""
    for seed, error in enumerate((2.5, 3.5)):
        retrain(root, search_seed=seed, error=error, published=PAPER)
    retrain(root, source=genotype("DARTS_V1"), error=3.25, device=CPU)
    random = {"strategy": "random_search"}
    trials = ({"metrics": {"error": 15.0}, "error": None}, {"metrics": {"error": 17.0}, "error": None})
    search(root, signature="7777", error=12.34, choices=random, trials=trials)
    run(root, "bad", status={"status": "failed", "reason": "loss | is NaN"})
    return root


def markdown_tables(text):
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("| ")]
    split = [[[cell.strip() for cell in line.split(" | ")] for line in block] for block in blocks]
    return [[dict(zip(lines[0], line, strict=True)) for line in lines[2:]] for lines in split]


def test_csv_holds_every_kind_of_row_with_full_numbers(runs):
    rows = list(csv.DictReader(io.StringIO(compare([str(runs)], format="csv"))))
    kinds = [row["kind"] for row in rows]
    assert kinds[:3] == ["measured"] * 3 and kinds.count("published") == 14
    assert {"space", "random architectures", "note"} < set(kinds)
    darts = next(row for row in rows if row["method"] == "darts")
    assert (float(darts["error"]), float(darts["error_std"]), darts["error_n"]) == (3.0, 0.5**0.5, "2")
    assert (darts["search_GPU-days"], darts["retrain_GPU-days"], darts["retrain_CPU-days"]) == (
        "0.375",
        "1.5",
        "",
    )
    assert float(darts["difference"]) == pytest.approx(0.24)


def test_csv_keeps_estimates_and_published_values_out_of_the_error_column(runs):
    rows = list(csv.DictReader(io.StringIO(compare([str(runs)], format="csv"))))
    assert {row["method"] for row in rows if row["error"]} == {"darts", "DARTS_V1"}
    random = next(row for row in rows if row["method"] == "random_search")
    assert (random["estimate"], random["estimate_kind"]) == ("12.34", "proxy")
    published = next(row for row in rows if row["method"] == PAPER["method"])
    assert (published["published_value"], published["published_std"]) == ("2.76", "0.09")
    assert "cost-repeats-conv" in published["notes"].split()


def test_csv_says_what_is_left_out(runs):
    rows = list(csv.DictReader(io.StringIO(compare([str(runs)], format="csv"))))
    [left] = [row for row in rows if row["kind"] == "note" and row["runs"]]
    assert (left["text"], left["runs"]) == ("failed: loss | is NaN", str(runs / "bad"))


def test_json_holds_everything(runs):
    content = json.loads(compare([str(runs)], format="json"))
    assert [row["method"] for row in content["methods"]] == ["darts", "DARTS_V1", "random_search"]
    assert len(content["methods"][0]["runs"]) == 2
    assert content["spaces"] == [{"name": "darts", "size": 1_076_755_812_571_872_400}]
    assert content["random_architectures"][0]["error"]["mean"] == 16.0
    assert content["left_out"] == [{"path": str(runs / "bad"), "status": "failed", "reason": "loss | is NaN"}]
    published = next(row for row in content["published"] if row["method"] == PAPER["method"])
    assert (published["value"], published["std"], published["gpu_days_min"]) == (2.76, 0.09, 4.0)
    assert published["source"] == "Liu et al. 2019, Table 1"
    assert {"cost-excludes", "cost-repeats-conv", "darts-ops"} == set(published["notes"])


def test_json_has_no_number_that_json_lacks(root):
    search(root, error=float("nan"))
    content = json.loads(compare([str(root)], format="json"), parse_constant=pytest.fail)
    assert content["methods"][0]["estimate"] is None


def test_markdown_shows_figures_as_written_in_papers(runs):
    measured, published = markdown_tables(compare([str(runs)], format="markdown"))
    darts = measured[0]
    assert darts["test error (%)"] == "3.00 ± 0.71 (n=2)"
    assert (darts["params"], darts["MACs"]) == ("3.35 M", "528.4 M")
    assert (darts["search cost"], darts["retrain cost"]) == ("0.375 GPU-days", "1.50 GPU-days")
    assert measured[1]["retrain cost"] == "1.50 CPU-days"
    assert measured[2]["test error (%)"] == "" and measured[2]["proxy error (%)"] == "12.34 (n=1)"
    assert len(published) == 14


def test_markdown_says_once_what_all_rows_share(runs):
    text = compare([str(runs)], format="markdown")
    assert "- In all rows: space darts, dataset cifar10." in text
    assert "dataset" not in markdown_tables(text)[0][0]


def test_latex_escapes_and_has_as_many_cells_as_columns(runs):
    text = compare([str(runs)], format="latex")
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    columns = [line for line in text.splitlines() if line.startswith(r"\begin{tabular}")]
    assert r"test error (\%)" in lines[0] and r"3.00 $\pm$ 0.71 (n=2)" in lines[1]
    assert r"DARTS\_V1" in lines[2] and "DARTS_V1" not in text
    assert all(line.count("&") == lines[0].count("&") for line in lines[:4])
    assert len(columns[0].removeprefix(r"\begin{tabular}{").rstrip("}")) == lines[0].count("&") + 1
    assert "toprule" not in text


@pytest.mark.parametrize("character", "%_&#${}")
def test_latex_escapes_its_characters_with_a_backslash(character):
    assert escape(f"a{character}b") == f"a\\{character}b"


@pytest.mark.parametrize(("character", "name"), [("\\", "backslash"), ("~", "asciitilde"), ("^", "asciicircum")])
def test_latex_names_the_characters_that_a_backslash_changes(character, name):
    assert escape(f"a{character}b") == rf"a\text{name}{{}}b"


@pytest.mark.parametrize("width", [40, 80, 120, 250])
def test_the_table_fits_the_terminal_and_loses_no_column(runs, width):
    text = compare([str(runs)], width=width)
    assert max(map(len, text.splitlines())) <= width
    words = text.split()
    for expected in ("3.00", "0.71", "3.35", "528.4", "0.375", "12.34", "H100", "Xeon", "2.76", "gradient"):
        assert expected in words, expected


def test_brackets_are_text_and_no_markup(root):
    search(root, label="[bold]mine[/bold]")
    assert "[bold]mine[/bold]" in compare([str(root)])


def test_days_have_three_digits_and_no_exponent(root):
    search(root, cost={"search": 106.3, "selection": 0.0, "retrain": 0.0}, device=CPU)
    assert "0.00123 CPU-days" in compare([str(root)])


def test_an_unknown_format_is_refused(runs):
    with pytest.raises(RequestError, match=r"format: unknown 'markdwn'; did you mean 'markdown'"):
        compare([str(runs)], format="markdwn")


@pytest.mark.parametrize("format", discovery.files("format", []))
def test_the_file_holds_what_is_returned(runs, tmp_path, format):
    out = tmp_path / "report"
    assert compare([str(runs)], format=format, out=str(out)) == out.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir() if path != runs] == ["report"]


def test_an_existing_file_is_refused_and_left_untouched(runs, tmp_path):
    out = tmp_path / "report"
    out.write_text("precious")
    with pytest.raises(RequestError, match="exists already; choose another file or add overwrite=true"):
        compare([str(runs)], out=str(out))
    assert out.read_text() == "precious"
    compare([str(runs)], out=str(out), overwrite=True)
    assert out.read_text() != "precious"


@pytest.mark.parametrize(("name", "words"), [("missing/report", "there is no folder"), ("outputs", "is a folder")])
def test_a_place_that_cannot_hold_the_file_is_refused(runs, tmp_path, name, words):
    with pytest.raises(RequestError, match=words):
        compare([str(runs)], out=str(tmp_path / name), overwrite=True)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(runs, tmp_path, monkeypatch):
    out = tmp_path / "report"
    out.write_text("precious")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nasctl.report.output.os.replace", full)
    with pytest.raises(RequestError, match="No space left on device"):
        compare([str(runs)], out=str(out), overwrite=True)
    assert out.read_text() == "precious"
    assert {path.name for path in tmp_path.iterdir()} == {"outputs", "report"}


def test_the_report_room_imports_nothing_heavy(runs):
    program = (
        "import sys; from nasctl.report.command import compare; "
        "from nasctl.report.listing import list_runs; from nasctl.report.choices import list_group;"
        "early = [name for name in ('rich', 'pandas') if name in sys.modules];"
        f"compare([{str(runs)!r}]); compare([{str(runs)!r}], format='csv');"
        "heavy = [n for n in ('torch', 'hydra', 'omegaconf', 'pandas', 'torchvision') if n in sys.modules];"
        "print(early, heavy)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"
